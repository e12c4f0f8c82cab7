"""What a release says of an issue: each label's score, cut and decision, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = Literal["apply", "suggest", "abstain"]

SAYS_NOTHING = "says nothing"
"""What stands in a member's place where an issue has no content that any could go by."""

UNFAMILIAR = "unlike what was learned from"
"""What stands there where a score would do to set a label, but the issue is of another kind."""

BASE = "base"
"""Among the parts of a score: what no member moved, the label's frequency and its rivals."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled issue that speaks for or against a label; `similarity` in [-1, 1]."""

    number: int
    title: str
    labels: tuple[str, ...]
    similarity: float


@dataclass(frozen=True, slots=True)
class LabelDecision:
    """One label of one issue.

    :ivar score: calibrated probability that the label belongs.
    :ivar cut: the score from which the label is applied, or, where its precision cannot be
        promised, suggested.
    :ivar decided_by: the member that weighed most, `SAYS_NOTHING`, or `UNFAMILIAR`.
    :ivar votes: each member's own calibrated probability.
    :ivar neighbours: nearest labelled issues that carry the label, then the nearest without it.
        None that is no nearer than chance has it.
    :ivar parts: what `BASE` and each member add to the score's log odds; the sum is the score's.
    """

    name: str
    score: float
    cut: float
    decision: Verdict
    decided_by: str
    votes: Mapping[str, float] = field(default_factory=dict)
    neighbours: tuple[Neighbour, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def says_nothing(self) -> bool:
        """Whether the issue has no content: then every label abstains, whatever its score."""
        return self.decided_by == SAYS_NOTHING

    def without(self, number: int) -> Self:
        """Without the issue of this number among the neighbours: none is its own precedent."""
        neighbours = tuple(neighbour for neighbour in self.neighbours if neighbour.number != number)
        return replace(self, neighbours=neighbours)

    def as_json(self) -> dict[str, Any]:
        """As in `tag --json` (six decimals: two runs print the same)."""
        return {
            "name": self.name,
            "score": round(self.score, 6),
            "cut": round(self.cut, 6),
            "decision": self.decision,
            "decided_by": self.decided_by,
            "votes": {name: round(score, 6) for name, score in self.votes.items()},
            "neighbours": [
                {
                    "number": neighbour.number,
                    "title": neighbour.title,
                    "labels": list(neighbour.labels),
                    "similarity": round(neighbour.similarity, 6),
                }
                for neighbour in self.neighbours
            ],
            "parts": {name: round(part, 6) for name, part in self.parts.items()},
        }


@dataclass(frozen=True, slots=True)
class Policy:
    """What a maintainer asks of decisions; it may change without training anew.

    :ivar precision: target precision by label name, in (0, 1); `default_precision` for the rest.
    :ivar exclusive: groups of label names of which an issue gets one at most.
    """

    default_precision: float = 0.9
    precision: Mapping[str, float] = field(default_factory=dict)
    exclusive: tuple[tuple[str, ...], ...] = ()

    def target(self, label: str) -> float:
        return self.precision.get(label, self.default_precision)
