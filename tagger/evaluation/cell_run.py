"""One slice, one seed: fit each strategy once, set thresholds on the training side, judge it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tagger.evaluation.cells import CellResult, OutOfScope
from tagger.evaluation.cost import measured
from tagger.statistics.f1_thresholds import (
    Thresholds,
    choose_thresholds,
    out_of_fold_scores,
    plain_thresholds,
)
from tagger.statistics.stratification import n_folds
from tagger.strategies.candidates import (
    CandidatePrediction,
    Ensemble,
    FittedMember,
    FullPredictor,
    StepwiseStrategy,
    ThresholdedStrategy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Scores, Strategy
    from tagger.evaluation.cells import CellKey
    from tagger.strategies.candidates import Candidate, Curve


@dataclass(frozen=True)
class Outcome:
    """What one candidate did on one slice."""

    strategy: str
    judgement: CandidatePrediction
    fit_seconds: float
    predict_seconds: float
    peak_memory_mb: float
    curves: Mapping[str, Curve]
    foreign: OutOfScope | None = None

    def cell(self, key: CellKey, n_train: int, numbers: tuple[int, ...]) -> CellResult:
        """The outcome as it is kept."""
        return CellResult(
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
            foreign=self.foreign,
        )


@dataclass(frozen=True)
class _Fitted:
    member: FittedMember
    peak_memory_mb: float


def evaluate_cell(
    candidates: Sequence[Candidate],
    train: TrainingSet,
    test: TrainingSet,
    seed: int,
    foreign: Sequence[IssueText] = (),
) -> Iterator[Outcome]:
    """Fit and judge candidates on one slice, each outcome as soon as it is there.

    Ensembles are fitted first and lend their fitted members to the candidates of those names;
    their own outcome comes last, so that an ensemble that is done has all its members done.

    :param foreign: issues of another repository, which should get no label.
    """
    made = {candidate.name: candidate.make(seed) for candidate in candidates}
    fitted: dict[str, _Fitted] = {}
    ensembles = [name for name, strategy in made.items() if isinstance(strategy, Ensemble)]
    for name in ensembles:
        fitted[name] = _fit(made[name], train)
        for member, lent in _lent(fitted[name]).items():
            fitted.setdefault(member, lent)
    for candidate in sorted(candidates, key=lambda candidate: candidate.name in ensembles):
        name = candidate.name
        if name not in fitted:
            fitted[name] = _fit(made[name], train)
        judge = _Judge(candidate, fitted[name], train, seed)
        yield judge.outcome(test.issues, foreign)


def _fit(strategy: Strategy, train: TrainingSet) -> _Fitted:
    with measured() as cost:
        strategy = strategy.fit(train)
    return _Fitted(FittedMember(strategy, None, cost.seconds), cost.peak_memory_mb)


def _lent(ensemble: _Fitted) -> dict[str, _Fitted]:
    strategy = ensemble.member.strategy
    members = strategy.fitted_members() if isinstance(strategy, Ensemble) else {}
    return {name: _Fitted(member, ensemble.peak_memory_mb) for name, member in members.items()}


@dataclass(frozen=True)
class _Judge:
    """One fitted candidate, asked about issues that it has not seen."""

    candidate: Candidate
    fitted: _Fitted
    train: TrainingSet
    seed: int

    def outcome(self, issues: Sequence[IssueText], foreign: Sequence[IssueText]) -> Outcome:
        strategy, member = self.fitted.member.strategy, self.fitted.member
        with measured() as cost:
            answer = self._ask(issues)
        prediction = self._decided(issues, answer)
        scope = self._decided(foreign, self._ask(foreign)) if foreign else None
        return Outcome(
            self.candidate.name,
            prediction,
            member.fit_seconds,
            cost.seconds,
            max(self.fitted.peak_memory_mb, cost.peak_memory_mb),
            strategy.curves_ if isinstance(strategy, StepwiseStrategy) else {},
            OutOfScope.of(scope.decided, scope.applied) if scope else None,
        )

    def _ask(self, issues: Sequence[IssueText]) -> CandidatePrediction | Scores:
        strategy = self.fitted.member.strategy
        if isinstance(strategy, FullPredictor):
            return strategy.predict(issues)
        return strategy.score(issues)

    def _decided(
        self, issues: Sequence[IssueText], answer: CandidatePrediction | Scores
    ) -> CandidatePrediction:
        strategy = self.fitted.member.strategy
        if isinstance(answer, CandidatePrediction):
            return answer
        if isinstance(strategy, ThresholdedStrategy):
            return CandidatePrediction(answer, strategy.decide(issues))
        return CandidatePrediction(answer, self._thresholds.decide(answer))

    @cached_property
    def _thresholds(self) -> Thresholds:
        return _thresholds(self.candidate, self.fitted.member, self.train, self.seed)


def _thresholds(
    candidate: Candidate, member: FittedMember, train: TrainingSet, seed: int
) -> Thresholds:
    """Cuts from the training slice only; where it is too small to be cut in folds, plain ones."""
    scores = None if candidate.flat else member.out_of_fold
    if scores is None and not candidate.flat:
        scores = out_of_fold_scores(
            lambda: candidate.make(seed),
            train,
            seed=seed,
            folds=n_folds(len(train), tuning=candidate.tuning),
        )
    return (
        plain_thresholds(len(train.labels))
        if scores is None
        else choose_thresholds(train.targets, scores)
    )
