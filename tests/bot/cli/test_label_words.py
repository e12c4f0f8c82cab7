"""`tag --explain` on a repository with many labels: short, narrow, and adding up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.cli.issues.label_words import LEGEND, say_all, say_explained, sum_of_parts
from bot.cli.output import say
from bot.labelling.tagging import IssuePrediction
from tagger.domain.decision import BASE, LabelDecision, Neighbour

if TYPE_CHECKING:
    from tagger.domain.decision import Verdict

N_LABELS = 34
TITLE = "Folder watcher on Windows misses files that were renamed while the network was away"


def label(n: int, decision: Verdict, score: float, cut: float = 0.6) -> LabelDecision:
    """A label whose score is what its parts say."""
    name = f"area: part {n}"
    near = (
        Neighbour(100 + n, TITLE, (name, "bug"), 0.61),
        Neighbour(200 + n, TITLE, ("bug",), 0.58),
    )
    parts = {BASE: -2.0, "linear": 2.5, "knn": -0.3, "zero-shot": 0.2, "adapted": 0.1}
    return LabelDecision(name, score, cut, decision, "linear", {}, near, parts)


def issue(number: int, given: int) -> IssuePrediction:
    """An issue with so many labels set or suggested, of a release with 34."""
    labels = [label(0, "apply", 0.9), *(label(n, "suggest", 0.5) for n in range(1, given))]
    labels += [label(given, "abstain", 0.4), label(given + 1, "abstain", 0.31)]
    labels += [label(n, "abstain", 0.001, 0.01) for n in range(len(labels), N_LABELS)]
    return IssuePrediction(number, TITLE, tuple(labels))


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_three_issues_of_34_labels_take_under_40_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for number, given in ((1, 1), (2, 2), (3, 3)):
        say_explained(issue(number, given))
    say(LEGEND)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    if columns >= 80:
        assert len(lines) < 40
    text = " ".join(" ".join(lines).split())
    assert "set area: part 0 0.90 (threshold 0.60 keeps the target precision)" in text
    assert "(threshold 0.60 for the target precision)" in text
    assert "near misses: area: part 1 0.40 (needs 0.60)" in text
    assert "counter-example #200" in text
    assert "31 less likely labels; --all shows them" in text
    assert "0.00" not in text


def test_the_parts_that_are_shown_add_up() -> None:
    shown = sum_of_parts(label(0, "apply", 0.6))
    assert shown == "linear +2.5, knn -0.3, zero-shot +0.2, others +0.1, base -2.0 = +0.5"
    *parts, total = map(float, re.findall(r"[+-]\d+\.\d", shown))
    assert sum(parts) == pytest.approx(total)


def test_all_of_them_are_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    say_all(issue(1, 1))
    assert capsys.readouterr().out.count("base -2.0") == N_LABELS
