"""Label names become plain English, whatever convention they follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.domain.issue import Label
from tagger.label_semantics.prompts import (
    CONVENTIONS,
    UNKNOWN_SHARE,
    background,
    hypotheses,
    readable,
    usual_share,
    verbalizers,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bug", "bug"),
        ("c: Privacy", "privacy"),
        ("area: web_UI", "web ui"),
        ("Type/Bug", "bug"),
        ("area/ui/forms", "ui forms"),
        ("C-bug", "bug"),
        ("[Type] Bug", "bug"),
        (":bug: Bug", "bug"),
        ("🐛 bug", "bug"),
        ("good-first-issue", "good first issue"),
        ("needsTriage", "needs triage"),
        ("c: Website matomo.org", "website matomo.org"),
        ("C++", "c++"),
        ("日本語", "日本語"),
    ],
)
def test_conventions_of_names_are_resolved(name: str, expected: str) -> None:
    assert readable(name) == expected


@pytest.mark.parametrize("name", ["🚀", ":rocket:", "x:", "/", "[p]"])
def test_a_name_of_symbols_still_says_something(name: str) -> None:
    assert readable(name)


@given(st.text(min_size=1).filter(str.strip), st.text(), st.lists(st.text(), max_size=3))
def test_every_label_has_distinct_wordings_that_begin_with_its_name(
    name: str, description: str, aliases: list[str]
) -> None:
    said = verbalizers(Label(name, description, tuple(aliases)))
    assert said[0] == readable(name)
    assert len(set(said)) == len(said)
    assert all(verbalizer.strip() for verbalizer in said)


def test_description_and_aliases_are_wordings() -> None:
    said = verbalizers(Label("c: Speed", "For slow  pages.", ("loading time",)))
    assert {"speed", "For slow pages.", "loading time"} <= set(said)


def test_a_spelt_out_prefix_is_kept_as_a_second_wording_since_it_may_carry_the_meaning() -> None:
    assert "priority high" in verbalizers(Label("priority: high"))


def test_common_labels_bring_paraphrases_and_unfamiliar_ones_do_not() -> None:
    assert "something is broken" in verbalizers(Label("kind/bug"))
    assert verbalizers(Label("frobnicator")) == ("frobnicator",)


def test_compound_names_meet_the_conventions_of_their_parts() -> None:
    said = verbalizers(Label("c: Tests & QA"))
    assert "automated tests" in said


def test_usual_shares_are_those_of_the_convention() -> None:
    assert usual_share(Label("Type: Bug")) > usual_share(Label("question")) > UNKNOWN_SHARE
    assert usual_share(Label("frobnicator")) == UNKNOWN_SHARE


def test_hypotheses_are_few_distinct_sentences_about_the_label() -> None:
    said = hypotheses(Label("c: Privacy", "For issues that impact privacy.", ("gdpr",)), limit=4)
    assert len(said) == len(set(said)) == 4
    assert said[1] == "This issue is about For issues that impact privacy."
    assert said[0] == "This issue is about privacy."
    assert "This issue is about For issues that impact privacy." in said
    assert len(hypotheses(Label("bug"), limit=2)) == 2


def test_no_name_stands_for_two_conventions_and_all_are_readable() -> None:
    names = [name for convention in CONVENTIONS for name in convention.names]
    assert len(names) == len(set(names))
    assert all(readable(name) == name for name in names)
    assert all(0 < convention.share < 1 for convention in CONVENTIONS)
    assert len(background()) == len(set(background()))
