"""Texts that say nothing are told from short reports, by what the repository itself has taught."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tagger.chain.contentless import ContentCheck
from tagger.domain.issue import IssueText, Label, TrainingSet

BOILERPLATE = "A clear and concise description of what is wrong."
SUBJECTS = ("harbour", "anchor", "rudder", "sail", "engine", "compass")
FAULTS = ("leaks", "crashes", "freezes", "typo", "startup", "README")


@pytest.fixture(scope="module")
def learned() -> TrainingSet:
    """Seventy-two issues on boats, each with the template's sentence."""
    issues = tuple(
        IssueText(f"The {subject} {fault}", f"{BOILERPLATE}\n\nMy {subject} {fault} every {day}.")
        for subject in SUBJECTS
        for fault in FAULTS
        for day in ("morning", "evening")
    )
    targets = np.arange(len(issues) * 2).reshape(-1, 2) % 3 == 0
    return TrainingSet((Label("bug"), Label("docs")), tuple(range(len(issues))), issues, targets)


@pytest.fixture(scope="module")
def check(learned) -> ContentCheck:
    return ContentCheck.fit(learned)


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("", ""),
        ("Test", ""),
        ("?", "..."),
        ("@maintainer", "please @somebody-else help"),
        ("😀🎉🔥", ":tada:"),
        ("[Bug]: ", "### What happened?\n\n_No response_\n\n- [ ] I searched"),
        ("+1", "1234"),
        ("https://example.com/harbour/leaks", ""),
        ("issue", "![harbour](https://example.com/anchor.png)"),
        ("asdf", "qwpoeiru xmcnvb"),
        ("Lorem ipsum", "Duis aute irure dolor in reprehenderit in voluptate velit"),
        ("Bug report", BOILERPLATE),
        ("Mañana iremos", "a la playa con los niños"),
    ],
)
def test_says_nothing(check, title, body):
    assert check.says_nothing(IssueText.of(title, body))


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Crash on startup", ""),
        ("Docs typo in README", ""),
        ("harbour", ""),
        ("[Bug]: anchor", "_No response_"),
        ("Test of the rudder", BOILERPLATE),
        ("El harbour no funciona", "Desde ayer el harbour y el compass no hacen nada de nada"),
    ],
)
def test_a_short_report_says_something(check, title, body):
    assert not check.says_nothing(IssueText.of(title, body))


def test_a_language_that_was_learned_says_something(learned):
    spanish = tuple(IssueText(f"La vela no carga {n % 3}", "no carga la vela") for n in range(72))
    check = ContentCheck.fit(replace(learned, unlabelled=spanish))
    assert not check.says_nothing(IssueText("La vela no carga"))


def test_few_texts_silence_no_word(learned):
    check = ContentCheck.fit(learned.subset(range(8)))
    assert not check.says_nothing(IssueText("Schiff ahoi"))
    assert check.says_nothing(IssueText("Test", "@maintainer"))


def test_a_repository_whose_issues_share_no_words_silences_none(learned):
    strange = tuple(IssueText(f"{chr(97 + n // 9) * 4}{chr(97 + n % 9)}kp", "") for n in range(72))
    check = ContentCheck.fit(replace(learned, issues=strange))
    assert not check.says_nothing(IssueText("Schiff ahoi"))


def test_chance_is_what_unrelated_issues_have_in_common(learned, resources):
    check = ContentCheck.fit(learned, resources.encoder())
    assert not check.by_chance(1.0)
    assert check.by_chance(-1.0)
    assert -1 < check.chance < 1


def test_without_an_encoder_no_neighbour_is_chance(check):
    assert not check.by_chance(-1.0)


def test_it_is_kept_whole(check, learned, resources):
    for each in (check, ContentCheck(), ContentCheck.fit(learned, resources.encoder())):
        assert ContentCheck.from_json(json.loads(json.dumps(each.as_json()))) == each


def test_where_nothing_was_measured_only_texts_without_words_say_nothing():
    check = ContentCheck()
    assert check.says_nothing(IssueText("Test"))
    assert not check.says_nothing(IssueText("Schiff ahoi"))
    assert not check.by_chance(0.0)
