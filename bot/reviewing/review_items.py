"""One label of one issue as people see it: how likely, what was done, what speaks for and against.

Pure: everything comes from what was stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from store.engine.text import name_key
from store.provenance import answer_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from store.provenance import Act
    from store.records import PredictedLabel, StoredDecision, StoredIssue

Deed = Literal["set", "suggested", "would be set", "would be suggested", "left"]
Standing = Literal["open", "approved", "dismissed"]
DecisionChoice = Literal["approve", "dismiss", "undo"]


@dataclass(frozen=True)
class Precedent:
    """A labelled issue near the one in question; `similarity` in [-1, 1]."""

    number: int
    title: str
    similarity: float


@dataclass(frozen=True)
class ReviewItem:
    """One label of one issue.

    :ivar probability: calibrated, in [0, 1]; `cut`: from which on the bot acts.
    :ivar speaks_for: the nearest issue with the label; `speaks_against`: the nearest without.
    :ivar standing: what people have said to it; `decided_by`: who, where it was said on a page.
    :ivar choices: what may be decided now.
    """

    number: int
    title: str
    label: str
    probability: float
    cut: float
    deed: Deed
    standing: Standing
    decided_by: str
    on_issue: bool
    at: datetime
    speaks_for: Precedent | None
    speaks_against: Precedent | None
    choices: tuple[DecisionChoice, ...]


@dataclass(frozen=True)
class IssueFacts:
    """What the store knows of the issue beside the prediction.

    :ivar acts: its label history.
    :ivar decisions: in force, by folded label.
    """

    issue: StoredIssue
    acts: Sequence[Act]
    decisions: Mapping[str, StoredDecision]
    renames: Mapping[str, str]


def deed_of(label: PredictedLabel) -> Deed:
    """What the bot did about a label, or would have in another mode."""
    if label.action == "set":
        return "set"
    if label.action == "suggested":
        return "suggested"
    if label.decision == "apply":
        return "would be set"
    return "would be suggested" if label.decision == "suggest" else "left"


def review_item(label: PredictedLabel, facts: IssueFacts, at: datetime) -> ReviewItem:
    """One label of a prediction, with what people have said to it since."""
    issue = facts.issue
    name = facts.renames.get(name_key(label.name), label.name)
    key, present = name_key(name), {name_key(each) for each in issue.labels}
    decision = facts.decisions.get(key)
    standing = _standing(key, label, present, facts)
    speaks_for, speaks_against = precedents(label.name, label.neighbours)
    return ReviewItem(
        number=issue.number,
        title=issue.title,
        label=name,
        probability=label.score,
        cut=label.cut,
        deed=deed_of(label),
        standing=standing,
        decided_by=decision.actor if decision else "",
        on_issue=key in present,
        at=at,
        speaks_for=speaks_for,
        speaks_against=speaks_against,
        choices=_choices(standing, decided=decision is not None),
    )


def precedents(
    label: str, neighbours: Iterable[Mapping[str, Any]]
) -> tuple[Precedent | None, Precedent | None]:
    """The nearest issue that carries the label, and the nearest that does not."""
    nearest: dict[bool, Precedent] = {}
    key = name_key(label)
    for neighbour in neighbours:
        carries = key in {name_key(str(name)) for name in neighbour["labels"]}
        precedent = Precedent(
            int(neighbour["number"]), str(neighbour["title"]), float(neighbour["similarity"])
        )
        if carries not in nearest or precedent.similarity > nearest[carries].similarity:
            nearest[carries] = precedent
    return nearest.get(True), nearest.get(False)


def _standing(key: str, label: PredictedLabel, present: set[str], facts: IssueFacts) -> Standing:
    answer, _ = answer_to(key, label.action or "none", present, facts.acts)
    if answer in {"confirmed", "added"}:
        return "approved"
    return "dismissed" if answer in {"removed", "dismissed"} else "open"


def _choices(standing: Standing, *, decided: bool) -> tuple[DecisionChoice, ...]:
    if decided:
        return ("undo",)
    if standing == "approved":
        return ("dismiss",)
    return ("approve",) if standing == "dismissed" else ("approve", "dismiss")
