"""Who is compared: strategies by name, and what they may offer beyond the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tagger.strategies import TUNING, create

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tagger.domain.issue import IssueText
    from tagger.domain.strategy import Resources, Scores, Strategy
    from tagger.statistics.metrics import Decisions

    Curve = tuple[tuple[float, float], ...]
    """(step, loss) pairs, in the order of the steps."""


@dataclass(frozen=True)
class Candidate:
    """One row of the comparison: a strategy of the product, or a rival.

    :ivar make: gives an unfitted strategy for a seed.
    :ivar flat: learns nothing from labelled issues: scored once for each test set, drawn flat.
    :ivar tuning: a fit takes long: fewer folds for its thresholds, see `n_folds`.
    """

    name: str
    make: Callable[[int], Strategy]
    flat: bool = False
    tuning: bool = False


@dataclass(frozen=True)
class CandidatePrediction:
    """What a strategy says of issues. *Shape of each:* (n_issues, n_labels)

    :ivar scores: in [0, 1].
    :ivar decided: the labels it would give for the best F1.
    :ivar applied: the labels it would set under its promise of precision; None: it makes none.
    """

    scores: Scores
    decided: Decisions
    applied: Decisions | None = None


@runtime_checkable
class ThresholdedStrategy(Protocol):
    """A strategy that chooses its own cuts."""

    def decide(self, issues: Sequence[IssueText]) -> Decisions:
        """The labels it would give for the best F1. *Shape:* (n_issues, n_labels)"""
        ...


@runtime_checkable
class FullPredictor(Protocol):
    """A strategy that gives scores, decisions and promised decisions in one pass."""

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction: ...


@runtime_checkable
class StepwiseStrategy(Protocol):
    """A strategy that was trained in steps."""

    @property
    def curves_(self) -> Mapping[str, Curve]:
        """Loss over steps, by name."""
        ...


@dataclass(frozen=True)
class FittedMember:
    """A member of a fitted ensemble, with what its own row in the comparison needs.

    :ivar out_of_fold: its scores of the training issues, each from a fit without that issue;
        None where there were too few issues for folds.
    :ivar fit_seconds: for the fit on all training issues.
    """

    strategy: Strategy
    out_of_fold: Scores | None
    fit_seconds: float


@runtime_checkable
class Ensemble(Protocol):
    """A strategy whose fitted members may serve as candidates, so that none is fitted twice."""

    def fitted_members(self) -> Mapping[str, FittedMember]: ...


def candidates(names: Sequence[str], resources: Resources) -> tuple[Candidate, ...]:
    """Contestants from the registry.

    :raises UnknownStrategy: with the names there are.
    """
    return tuple(_registered(name, resources) for name in names)


def _registered(name: str, resources: Resources) -> Candidate:
    strategy = create(name, resources)
    chooses = isinstance(strategy, (ThresholdedStrategy, FullPredictor))
    return Candidate(
        name,
        lambda seed: create(name, resources, seed=seed),
        flat=not strategy.needs_examples and not chooses,
        tuning=name in TUNING,
    )
