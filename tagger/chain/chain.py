"""The chain: all strategies as one, each label served by those that know it at its count."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy.special import logit

from tagger.chain.checkpoints import Checkpoints
from tagger.chain.contentless import CONTENTLESS, ContentCheck
from tagger.chain.members import Member, available, check_measured, fit_member, reference_texts
from tagger.chain.precision_guarantee import Evidence
from tagger.chain.prior import FeatureMoments
from tagger.chain.stage import Stage, StagePrediction
from tagger.domain.issue import IssueText
from tagger.errors import NothingToLearnFrom

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources, Scores, Strategy
    from tagger.strategies.candidates import CandidatePrediction, FittedMember

    Array = NDArray[np.float64]
    Ask = Callable[[Member, NDArray[np.int_]], Scores]
    """One member's scores of the issues in these rows."""

DEFAULT_TARGET = 0.9
AGREEMENT = 0.99
"""Share of decisions that dearer members may not change, for an issue to be spared them."""

MARGINS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Distances from the cut, in log odds, tried for sparing issues dearer members."""


class Chain:
    """Naive Bayes, zero-shot, nearest neighbours, linear heads and tuned transformers in one.

    A label without an example is served by zero-shot, one with thousands mostly by what learned
    from them; in between the weights follow from how far each strategy can be trusted at that
    count, first as measured on other repositories, then, as labels arrive, on this one.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, whose decision tree by number of labels is here learned instead of drawn.

    :param members: names of strategies; None takes all that the models at hand allow.
    :param checkpoints: keeps finished steps, so that a killed training goes on.
    """

    name: ClassVar[str] = "chain"
    needs_examples: ClassVar[bool] = False

    def __init__(
        self,
        resources: Resources,
        *,
        seed: int = 0,
        members: tuple[str, ...] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.resources = resources
        self.seed = seed
        self.members = members
        self.checkpoints = checkpoints or Checkpoints(None)
        self.content_ = ContentCheck()

    def fit(self, train: TrainingSet) -> Self:
        """Fit every member, measure it on what it has not seen, weigh, calibrate and cut.

        :raises NothingToLearnFrom: no labels.
        :raises NotMeasured: a member that has no prior.
        """
        if not train.labels:
            raise NothingToLearnFrom("the chain got no labels, expected at least one label")
        fitted = sorted(self._fit_members(train), key=lambda member: member.cost)
        moments = FeatureMoments.shipped()
        stages = [
            Stage.fit([member for member in fitted if member.cost <= cost], train, moments)
            for cost in sorted({member.cost for member in fitted})
        ]
        return self.settle(train, fitted, stages)

    def settle(self, train: TrainingSet, fitted: list[Member], stages: list[Stage]) -> Self:
        """Conclude from fitted members and stages what a chain needs beside them.

        :param fitted: a member that is in no stage is asked for neighbours only.
        :param stages: at least one, in order of cost, each with the members of the one before.
        """
        self.names_ = train.names
        self.fitted_ = fitted
        self.stages_ = stages
        self.margins_ = tuple(self._margin(stage) for stage in stages[:-1])
        self.asked_ = self._asked()
        self.served_by_ = self._served_by()
        self.always_labelled_ = not len(train) or bool(train.targets.any(axis=1).mean() > 0.5)
        neighbours = any(member.name == "knn" for member in fitted)
        self.content_ = ContentCheck.fit(train, self.resources.encoder() if neighbours else None)
        self.evidence_ = self._evidence(train)
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """Calibrated probabilities; see `Strategy.score`."""
        return self.consider(issues).scores

    def decide(self, issues: Sequence[IssueText]) -> NDArray[np.bool_]:
        """Labels for the best F1. *Shape:* (n_issues, n_labels)"""
        return self.predict(issues).decided

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        """Scores, labels for the best F1, and labels applied under the usual promise."""
        from tagger.strategies.candidates import CandidatePrediction

        opinion = self.consider(issues)
        scores, thresholds = opinion.scores, opinion.thresholds
        decided = scores >= thresholds
        if self.always_labelled_ and len(issues):
            without = np.flatnonzero(~decided.any(axis=1))
            decided[without, scores[without].argmax(axis=1)] = True
        return CandidatePrediction(scores, decided, scores >= self.promised_cuts(DEFAULT_TARGET))

    def promised_cuts(self, target: float) -> Array:
        """Cut of each label that keeps the target; infinity where none does."""
        promises = [evidence.promise(target) for evidence in self.evidence_]
        thresholds = [np.inf if promise is None else promise.cut for promise in promises]
        return np.array(thresholds or [np.inf] * len(self.names_))

    def fitted_members(self) -> Mapping[str, FittedMember]:
        """For the evaluation: members as candidates of their own."""
        from tagger.strategies.candidates import FittedMember

        return {
            member.name: FittedMember(member.strategy, member.out_of_fold, member.fit_seconds)
            for member in self.fitted_
            if member.strategy.needs_examples
        }

    def consider(self, issues: Sequence[IssueText]) -> StagePrediction:
        """Ask the cheap members, and dearer ones about issues with a label near its cut."""

        def ask(member: Member, rows: NDArray[np.int_]) -> Scores:
            return member.strategy.score([issues[row] for row in rows])

        opinion, self.seen_ = self._through_stages(len(issues), ask)
        return opinion

    def warm_up(self) -> None:
        """Have what every issue goes through ready to answer; dearer members load when asked."""
        deciding = zip(self.stages_, (*self.margins_, 0.0), strict=True)
        first = next(stage for stage, margin in deciding if not np.isinf(margin))
        for member in self.fitted_:
            if member.name in first.members:
                member.strategy.score([IssueText("warm up")])

    def member(self, name: str) -> Strategy | None:
        """The fitted strategy of this name, None where the chain has none."""
        return next((member.strategy for member in self.fitted_ if member.name == name), None)

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        from tagger.chain.saved_chain import save_chain

        save_chain(self, folder)

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        from tagger.chain.saved_chain import restore_chain

        restore_chain(self, folder)
        return self

    @property
    def _labels(self) -> range:
        return range(len(self.names_))

    def _through_stages(self, n_issues: int, ask: Ask) -> tuple[StagePrediction, dict[str, int]]:
        """What is said of the issues in the end, and how many of them each member scored."""
        rows = np.arange(n_issues)
        scores_of: dict[str, Scores] = {}
        fromkeys = dict.fromkeys(self.stages_[-1].members, 0)
        stage_prediction = StagePrediction.blank(n_issues, len(self.names_))
        for stage, margin in zip(self.stages_, (*self.margins_, 0.0), strict=True):
            if np.isinf(margin):
                continue  # it decides nothing; the next one asks its members too
            for member in self.fitted_:
                if member.name in stage.members and member.name not in scores_of:
                    scores_of[member.name] = ask(member, rows)
                    fromkeys[member.name] = len(rows)
            opinion = stage.opinion(scores_of)
            stage_prediction.replace(rows, opinion)
            undecided = (_distance(opinion.scores, opinion.thresholds) <= margin).any(axis=1)
            if stage is self.stages_[-1] or not undecided.any():
                break
            rows, scores_of = (
                rows[undecided],
                {name: scores[undecided] for name, scores in scores_of.items()},
            )
        return stage_prediction, fromkeys

    def _fit_members(self, train: TrainingSet) -> list[Member]:
        names = self.members or available(self.resources, len(train))
        check_measured(names)
        if not len(train):
            names = ("zero-shot",)
        reference = reference_texts(train)
        fitted = []
        for done, name in enumerate(names):
            self.resources.progress(f"fitting {name}", done, len(names))
            fitted.append(
                fit_member(name, train, reference, self.resources, self.seed, self.checkpoints)
            )
        return fitted

    def _evidence(self, train: TrainingSet) -> tuple[Evidence, ...]:
        """Out-of-fold scores of issues, and scores of texts that ask for no label but get by.

        Those are a twentieth of the issues at most: more than anybody files.
        """
        scores, truth = self.stages_[-1].out_of_fold, train.targets
        if scores is None:
            return ()
        got_by = [text for text in CONTENTLESS if not self.content_.says_nothing(text)]
        if got_by := got_by[: len(train) // 20]:
            scores = np.concatenate([scores, self.score(got_by)])
            truth = np.concatenate([truth, np.zeros((len(got_by), len(self.names_)), bool)])
        return tuple(Evidence.of(scores[:, i], truth[:, i]) for i in self._labels)

    def _margin(self, stage: Stage) -> float:
        """How far from its cut a label must be after this stage to count as decided."""
        last = self.stages_[-1]
        if stage.out_of_fold is None or last.out_of_fold is None:
            return float("inf")
        distance = _distance(stage.out_of_fold, stage.thresholds)
        same = (stage.out_of_fold >= stage.thresholds) == (last.out_of_fold >= last.thresholds)
        for margin in MARGINS:
            far = distance > margin
            if far.any() and same[far].mean() >= AGREEMENT:
                return margin
        return float("inf")

    def _asked(self) -> dict[str, float]:
        """For each member the share of the reference texts that reaches it: cheap ones see all."""
        total = len(self.fitted_[0].reference)
        _, scores_asked = self._through_stages(total, lambda member, rows: member.reference[rows])
        return {name: number / total for name, number in scores_asked.items()}

    def _served_by(self) -> list[str]:
        """For each label the member that moves its score most, over the reference texts."""
        stage = self.stages_[-1]
        scores = {
            member.name: member.reference for member in self.fitted_ if member.name in stage.members
        }
        moved = np.abs(stage.blend.influence(stage.features(scores))).mean(axis=0)
        return [stage.members[best] for best in moved.argmax(axis=-1)]


def _distance(probabilities: NDArray[np.floating], thresholds: Array) -> Array:
    """Distance from the cut in log odds."""
    p = np.clip(probabilities, 1e-6, 1 - 1e-6)
    cut = np.clip(thresholds, 1e-6, 1 - 1e-6)
    return np.asarray(np.abs(logit(p) - logit(cut)))
