"""What an evaluation was asked for: enough for another process to work on the same cells."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from tagger.evaluation.slices import SplitPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.learning.training_data import ConfirmAfter
    from store.records import TargetKind


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """How issues are parted, who is scored, how often.

    :ivar strategies: by name; None: all that have their models here.
    :ivar labels: the label set; None: every label of the repository.
    :ivar seeds: drawn anew so many times, with seeds from 0 up.
    :ivar confirm_after_days: a bot's label that stood so many days until `as_of` counts as
        confirmed; 0: only what a person did counts; None: as the repository's file says.
    :ivar as_of: aware; None: now.
    :ivar target: what is scored: issues, or pull requests by themselves.
    :ivar foreign: another stored repository whose issues should get no label; None: none.
    """

    plan: SplitPlan
    strategies: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    seeds: int = 5
    confirm_after_days: int | None = None
    as_of: datetime | None = None
    foreign: str | None = None
    target: TargetKind = "issues"

    @property
    def confirm_after(self) -> ConfirmAfter:
        """As `training_data` takes it."""
        if self.confirm_after_days is None:
            return "as configured"
        return timedelta(days=self.confirm_after_days) or None

    def to_json(self) -> dict[str, Any]:
        """A document that `of_json` reads back."""
        plan = asdict(self.plan) | {"holdout": sorted(self.plan.holdout)}
        return {
            "plan": plan | {"slices": list(self.plan.slices)},
            "strategies": list(self.strategies or ()),
            "labels": None if self.labels is None else list(self.labels),
            "seeds": self.seeds,
            "confirm_after_days": self.confirm_after_days,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "foreign": self.foreign,
            "target": self.target,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        plan = dict(document["plan"])
        holdout, slices = frozenset(plan.pop("holdout")), tuple(plan.pop("slices"))
        labels, as_of = document["labels"], document.get("as_of")
        return cls(
            SplitPlan(**plan, slices=slices, holdout=holdout),
            tuple(document["strategies"]),
            None if labels is None else tuple(labels),
            int(document["seeds"]),
            document.get("confirm_after_days"),
            datetime.fromisoformat(as_of) if as_of else None,
            document.get("foreign"),
            document.get("target", "issues"),
        )
