"""The verdict in words: what to switch on, how often it errs, what to label next."""

import numpy as np
import yaml

from tagger.chain.precision_guarantee import FAR, Evidence
from tagger.monitoring.verdict import (
    LabelOutlook,
    ReleaseVerdict,
    configuration,
    missing_in_words,
    sentences,
    verdict_of_manifest,
)


def row(name, examples, cut=None, **fields):
    """A label of a manifest."""
    promised = {"precision": 0.96, "bound": 0.91, "coverage": 0.5} if cut else {}
    blank = {"precision": None, "bound": None, "coverage": None}
    return {"name": name, "examples": examples, "cut": cut, **blank, **promised, **fields}


MANIFEST = {
    "target": 0.9,
    "issues_labelled": 0.62,
    "labels": [
        row("docs", 40, 0.8),
        row("bug", 100, 0.7),
        row("area: backend", 30, missing_at_least=43, missing_at_most=211),
        row("security", 25, missing_at_least=FAR + 1),
        row("rare", 3),
    ],
}


def test_the_verdict_says_what_to_do_how_often_it_errs_and_what_to_label_next():
    assert sentences(verdict_of_manifest(MANIFEST)) == [
        "Switch on “bug” and “docs”; leave “area: backend” and “rare” as suggestions; switch off "
        "“security”, which depends on more than the text.",
        "Of 100 new issues the bot labels 62; about 4 in 100 of its labels are wrong (at most 9, "
        "with 90 % confidence).",
        "Label next: “area: backend” (43 to 210 more), “rare” (more; too few to say how many).",
    ]


def test_the_manifest_of_an_older_release_has_a_verdict_too():
    older = {key: value for key, value in MANIFEST.items() if key != "issues_labelled"}
    lines = sentences(verdict_of_manifest(older))
    assert lines[1].startswith("About 4 in 100 of its labels are wrong")


def test_where_nothing_is_promised_nothing_is_to_be_switched_on():
    verdict = verdict_of_manifest({"target": 0.95, "labels": [row("bug", 9)]})
    assert sentences(verdict)[0] == (
        "Switch on no label yet: none keeps the promise that 95 in 100 will be right; leave “bug” "
        "as suggestions."
    )


def test_of_many_labels_the_sentence_names_some():
    labels = tuple(LabelOutlook(f"l{n}", 50 - n, "suggest") for n in range(34))
    first = sentences(ReleaseVerdict(0.9, labels))[0]
    assert "“l4” and 29 more" in first
    assert "l5" not in first


def test_the_configuration_can_be_copied_as_it_is():
    data = yaml.safe_load(configuration(verdict_of_manifest(MANIFEST)))
    assert data["mode"] == "suggest"
    assert data["labels"]["bug"] == {"mode": "apply"}
    assert set(data["labels"]) == {"bug", "docs", "security"}
    names = ('on: "x" #1', "no")
    odd = ReleaseVerdict(0.9, tuple(LabelOutlook(name, 9, "apply") for name in names))
    assert set(yaml.safe_load(configuration(odd))["labels"]) == set(names)
    watching = yaml.safe_load(configuration(verdict_of_manifest(MANIFEST), watch=True))
    assert watching == {"version": 1, "mode": "shadow", "precision": 0.9}


def test_missing_examples_are_a_range_where_the_data_support_one():
    assert (
        missing_in_words(LabelOutlook("a", 9, "suggest", missing_at_least=7)) == "at least 7 more"
    )
    assert missing_in_words(LabelOutlook("a", 3, "suggest")) == "more; too few to say how many"
    few = Evidence.of(np.linspace(1, 0, 50), np.arange(50) < 5)
    assert few.missing_range(0.9, 5).at_least is None
    clean = Evidence.of(np.linspace(1, 0, 400), np.arange(400) < 30)
    missing = clean.missing_range(0.9, 30)
    assert 0 < missing.at_least <= missing.at_most <= FAR
    noise = Evidence.of(np.linspace(1, 0, 400), np.arange(400) % 10 == 0)
    assert noise.missing_range(0.9, 40).at_least > FAR


def test_what_depends_on_more_than_the_text_is_off_by_its_wording_unless_evidence_speaks():
    rows = [
        row("good first issue", 12),
        row("priority: high", 40, missing_at_least=300),
        row("duplicate", 60, missing_at_least=20, missing_at_most=90),
        row("stale", 60, 0.7),
        row("bug", 12),
    ]
    outlook = verdict_of_manifest({"target": 0.9, "labels": rows})
    assert outlook.names("off") == ("priority: high", "good first issue")
    assert outlook.names("suggest") == ("duplicate", "bug")
    assert outlook.names("apply") == ("stale",)
