"""The chain: all strategies as one, each label served by those that know it at its count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from tagger.chain.checkpoints import Checkpoints
from tagger.chain.familiarity import NEAREST
from tagger.chain.precision_guarantee import DEFAULT_TARGET
from tagger.chain.saved_chain import restore_chain, save_chain
from tagger.domain.issue import IssueText
from tagger.strategies.knn import NearestNeighbours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import ClassVar

    from numpy.typing import NDArray

    from tagger.chain.learned_chain import LearnedChain
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources, Scores, Strategy
    from tagger.strategies.candidates import CandidatePrediction, FittedMember


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

    learned_: LearnedChain

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

    @classmethod
    def of(cls, learned: LearnedChain, resources: Resources, *, seed: int) -> Self:
        """A chain that was trained otherwise than by `fit`."""
        chain = cls(resources, seed=seed)
        chain.learned_ = learned
        return chain

    def fit(self, train: TrainingSet) -> Self:
        """See `ChainTrainer.train`."""
        from tagger.chain.chain_trainer import ChainTrainer  # with all that only training needs

        trainer = ChainTrainer(self.resources, self.seed, self.members, self.checkpoints)
        self.learned_ = trainer.train(train)
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """Calibrated probabilities; see `Strategy.score`."""
        return self.learned_.cascade.predict(issues).scores

    def decide(self, issues: Sequence[IssueText]) -> NDArray[np.bool_]:
        """Labels for the best F1. *Shape:* (n_issues, n_labels)"""
        return self.predict(issues).decided

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        """Scores, labels for the best F1, and labels applied under the usual promise."""
        from tagger.strategies.candidates import CandidatePrediction

        learned = self.learned_
        prediction = learned.cascade.predict(issues)
        scores = prediction.scores
        decided = scores >= prediction.thresholds
        if learned.always_labelled and len(issues):
            without = np.flatnonzero(~decided.any(axis=1))
            decided[without, scores[without].argmax(axis=1)] = True
        applied = scores >= learned.promised_thresholds(DEFAULT_TARGET)
        return CandidatePrediction(scores, decided, applied & self._familiar(issues)[:, None])

    def _familiar(self, issues: Sequence[IssueText]) -> NDArray[np.bool_]:
        """Which issues are of the kind that was learned from. *Shape:* (n_issues,)"""
        knn = self.member("knn")
        if self.learned_.familiarity.least is None or not isinstance(knn, NearestNeighbours):
            return np.ones(len(issues), dtype=bool)
        return np.array(
            [
                self.learned_.familiarity.is_familiar([each.similarity for each in neighbours])
                for neighbours in knn.neighbours(issues, NEAREST)
            ],
            dtype=bool,
        )

    def fitted_members(self) -> Mapping[str, FittedMember]:
        """For the evaluation: members as candidates of their own."""
        from tagger.strategies.candidates import FittedMember

        return {
            member.name: FittedMember(member.strategy, member.out_of_fold, member.fit_seconds)
            for member in self.learned_.cascade.members
            if member.strategy.needs_examples
        }

    def warm_up(self) -> None:
        """Have what every issue goes through ready to answer; dearer members load when asked."""
        for member in self.learned_.cascade.first_asked():
            member.strategy.score([IssueText("warm up")])

    def member(self, name: str) -> Strategy | None:
        """The fitted strategy of this name, None where the chain has none."""
        members = self.learned_.cascade.members
        return next((member.strategy for member in members if member.name == name), None)

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        save_chain(self.learned_, folder)

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        self.learned_ = restore_chain(folder, self.resources, seed=self.seed)
        return self
