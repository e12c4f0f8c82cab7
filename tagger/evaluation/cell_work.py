"""One slice, one seed: fit each strategy once, choose cuts on the training side, judge the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tagger.evaluation.cells import Cell
from tagger.evaluation.contest import Decider, Ensemble, FittedMember, Judge, Judgement, Tuned
from tagger.evaluation.cutting import Cuts, choose_cuts, out_of_fold_scores, plain_cuts
from tagger.evaluation.measuring import measured
from tagger.evaluation.stratification import n_folds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tagger.evaluation.cells import CellKey
    from tagger.evaluation.contest import Contestant, Curve
    from tagger.issue import TrainingSet
    from tagger.strategy import Strategy


@dataclass(frozen=True)
class Outcome:
    """What one contestant did on one slice."""

    strategy: str
    judgement: Judgement
    fit_seconds: float
    predict_seconds: float
    peak_memory_mb: float
    curves: Mapping[str, Curve]

    def cell(self, key: CellKey, n_train: int, numbers: tuple[int, ...]) -> Cell:
        """The outcome as it is kept."""
        return Cell(
            key=key,
            n_train=n_train,
            numbers=numbers,
            scores=self.judgement.scores,
            decided=self.judgement.decided,
            applied=self.judgement.applied,
            fit_seconds=self.fit_seconds,
            predict_ms_per_issue=1000 * self.predict_seconds / max(len(numbers), 1),
            peak_memory_mb=self.peak_memory_mb,
            curves=self.curves,
        )


@dataclass(frozen=True)
class _Fitted:
    member: FittedMember
    peak_memory_mb: float


def evaluate_cell(
    contestants: Sequence[Contestant], train: TrainingSet, test: TrainingSet, seed: int
) -> Iterator[Outcome]:
    """Fit and judge contestants on one slice, each outcome as soon as it is there.

    Ensembles are fitted first and lend their fitted members to the contestants of those names;
    their own outcome comes last, so that an ensemble that is done has all its members done.
    """
    made = {one.name: one.make(seed) for one in contestants}
    fitted: dict[str, _Fitted] = {}
    ensembles = [name for name, strategy in made.items() if isinstance(strategy, Ensemble)]
    for name in ensembles:
        fitted[name] = _fit(made[name], train)
        for member, lent in _lent(fitted[name]).items():
            fitted.setdefault(member, lent)
    for contestant in sorted(contestants, key=lambda one: one.name in ensembles):
        name = contestant.name
        if name not in fitted:
            fitted[name] = _fit(made[name], train)
        yield _judge(contestant, fitted[name], train, test, seed)


def _fit(strategy: Strategy, train: TrainingSet) -> _Fitted:
    with measured() as cost:
        strategy = strategy.fit(train)
    return _Fitted(FittedMember(strategy, None, cost.seconds), cost.peak_memory_mb)


def _lent(ensemble: _Fitted) -> dict[str, _Fitted]:
    strategy = ensemble.member.strategy
    members = strategy.fitted_members() if isinstance(strategy, Ensemble) else {}
    return {name: _Fitted(one, ensemble.peak_memory_mb) for name, one in members.items()}


def _judge(
    contestant: Contestant, fitted: _Fitted, train: TrainingSet, test: TrainingSet, seed: int
) -> Outcome:
    strategy, issues = fitted.member.strategy, test.issues
    with measured() as cost:
        said = strategy.judge(issues) if isinstance(strategy, Judge) else strategy.score(issues)
    if not isinstance(said, Judgement):
        decides = isinstance(strategy, Decider)
        cuts = None if decides else _cuts(contestant, fitted.member, train, seed)
        decided = cuts.decide(said) if cuts else cast("Decider", strategy).decide(issues)
        said = Judgement(said, decided)
    return Outcome(
        contestant.name,
        said,
        fitted.member.fit_seconds,
        cost.seconds,
        max(fitted.peak_memory_mb, cost.peak_memory_mb),
        strategy.curves_ if isinstance(strategy, Tuned) else {},
    )


def _cuts(contestant: Contestant, member: FittedMember, train: TrainingSet, seed: int) -> Cuts:
    """Cuts from the training slice only; where it is too small to be cut in folds, plain ones."""
    scores = None if contestant.flat else member.out_of_fold
    if scores is None and not contestant.flat:
        scores = out_of_fold_scores(
            lambda: contestant.make(seed),
            train,
            seed=seed,
            folds=n_folds(len(train), tuning=contestant.tuning),
        )
    return plain_cuts(len(train.labels)) if scores is None else choose_cuts(train.targets, scores)
