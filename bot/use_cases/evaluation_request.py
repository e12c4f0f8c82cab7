"""What an evaluation was asked for: enough for another process to work on the same cells."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from tagger.evaluation.slices import SplitPlan

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """How issues are parted, who is scored, how often.

    :ivar strategies: by name.
    :ivar labels: the label set; None: every label of the repository.
    :ivar seeds: drawn anew so many times, with seeds from 0 up.
    """

    plan: SplitPlan
    strategies: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    seeds: int = 5

    def to_json(self) -> dict[str, Any]:
        """A document that `of_json` reads back."""
        plan = asdict(self.plan) | {"holdout": sorted(self.plan.holdout)}
        return {
            "plan": plan | {"slices": list(self.plan.slices)},
            "strategies": list(self.strategies),
            "labels": None if self.labels is None else list(self.labels),
            "seeds": self.seeds,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        given = dict(document["plan"])
        holdout, slices = frozenset(given.pop("holdout")), tuple(given.pop("slices"))
        labels = document["labels"]
        return cls(
            SplitPlan(**given, slices=slices, holdout=holdout),
            tuple(document["strategies"]),
            None if labels is None else tuple(labels),
            int(document["seeds"]),
        )
