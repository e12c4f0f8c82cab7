"""One stage of the chain: some members, how they are weighed, and cuts on the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import expit

from tagger.chain.blend import Blend
from tagger.chain.members import EVIDENCE_FROM, counts, labels_per_issue, shares
from tagger.domain.decision import BASE
from tagger.statistics.expected_f1 import best_expected_f1, micro_share
from tagger.statistics.log_odds import UsualLogOdds, feature_names, stack
from tagger.statistics.stratification import FOLDS_FROM, stratified_folds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tagger.chain.members import Member
    from tagger.chain.prior import DiscriminantWeights, Prior
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Scores
    from tagger.statistics.log_odds import Features

    Array = NDArray[np.float64]

CROSS_FOLDS = 5

CUTS_ON = 256
"""Issues on which cuts for F1 are chosen, at least, where there are so many texts."""


@dataclass
class StagePrediction:
    """What a stage says of issues, and why. *Shape of all:* (n_issues, n_labels)

    :ivar scores: calibrated probabilities.
    :ivar thresholds: for the best F1; of the stage that spoke last on the issue.
    :ivar decided_by: the member that moved the score most.
    :ivar votes: for each issue, each member's own probabilities. *Shape:* (n_labels,)
    :ivar parts: for each issue, what each member and `BASE` add to the log odds of the score.
        *Shape:* (n_labels,)
    :ivar n_scored: how many of the issues each member scored.
    """

    scores: Scores
    thresholds: Array
    decided_by: NDArray[np.str_]
    votes: list[dict[str, Array]]
    parts: list[dict[str, Array]]
    n_scored: dict[str, int] = field(default_factory=dict)

    @classmethod
    def blank(cls, n_issues: int, n_labels: int) -> Self:
        """Nothing said yet."""
        shape = (n_issues, n_labels)
        return cls(
            np.zeros(shape, dtype=np.float32),
            np.zeros(shape),
            np.full(shape, "", dtype=object),
            [{} for _ in range(n_issues)],
            [{} for _ in range(n_issues)],
        )

    def replace(self, rows: NDArray[np.int_], later: StagePrediction) -> None:
        """Let a later stage's word stand for these issues."""
        self.scores[rows], self.thresholds[rows] = later.scores, later.thresholds
        self.decided_by[rows] = later.decided_by
        for row, votes, parts in zip(rows, later.votes, later.parts, strict=True):
            self.votes[row], self.parts[row] = votes, parts


@dataclass(frozen=True)
class Stage:
    """Members weighed together.

    :ivar members: names, in order of cost.
    :ivar usual: by member.
    :ivar thresholds: for the best F1. *Shape:* (n_labels,)
    :ivar alone: each member's own discriminant, for its vote.
    :ivar out_of_fold: calibrated probabilities of the training issues; None where there are too
        few of them, or where a member was too dear to be judged on them.
        *Shape:* (n_issues, n_labels)
    """

    members: tuple[str, ...]
    usual: Mapping[str, UsualLogOdds]
    blend: Blend
    thresholds: Array
    alone: Mapping[str, DiscriminantWeights]
    out_of_fold: Array | None

    @classmethod
    def fit(cls, members: Sequence[Member], train: TrainingSet, prior: Prior) -> Self:
        """Weigh fitted members by the prior and, where there are enough issues, by evidence."""
        names = tuple(member.name for member in members)
        usual = {member.name: UsualLogOdds.of(member.unseen) for member in members}
        n_positive, share = counts(train), shares(train)
        blend = Blend.from_prior(prior, feature_names(names), n_positive, share)
        reference = stack({member.name: member.reference for member in members}, usual)
        features = _out_of_fold_features(members, usual)
        out_of_fold = None
        if features is not None and len(train) >= EVIDENCE_FROM:
            out_of_fold = _cross_adapted(blend, features, train.targets)
            blend = blend.adapted(features, train.targets)
        elif len(train):  # with none the prior is better left alone: docs/benchmarks.md
            blend = blend.matched(reference, labels_per_issue(train))
        return cls(
            names,
            usual,
            blend,
            best_expected_f1(
                _for_cuts(out_of_fold, blend.probabilities(reference)), micro_share(len(train))
            ),
            {name: prior.weigh(feature_names((name,)), n_positive) for name in names},
            out_of_fold if len(train) >= FOLDS_FROM else None,
        )

    def features(self, scores: Mapping[str, Scores]) -> Features:
        return stack(scores, self.usual)

    def opinion(self, scores: Mapping[str, Scores]) -> StagePrediction:
        """From the members' scores of some issues."""
        features = self.features(scores)
        probabilities = self.blend.probabilities(features).astype(np.float32)
        influence = self.blend.influence(features)
        added = {name: influence[..., n] for n, name in enumerate(self.members)}
        return StagePrediction(
            probabilities,
            np.tile(self.thresholds, (len(probabilities), 1)),
            np.array(self.members, dtype=object)[np.abs(influence).argmax(axis=-1)],
            _by_issue(self._votes(scores), len(probabilities)),
            _by_issue({BASE: self.blend.base(features), **added}, len(probabilities)),
        )

    def _votes(self, scores: Mapping[str, Scores]) -> dict[str, Array]:
        """Each member's own calibrated probability, as if it were the only one."""
        odds = {
            name: self.alone[name].log_odds(usual_log_odds.features(scores[name]), self.blend.share)
            for name, usual_log_odds in self.usual.items()
        }
        return {name: expit(value) for name, value in odds.items()}


def _by_issue(values: Mapping[str, Array], n_issues: int) -> list[dict[str, Array]]:
    return [{name: value[row] for name, value in values.items()} for row in range(n_issues)]


def _out_of_fold_features(
    members: Sequence[Member], usual: Mapping[str, UsualLogOdds]
) -> Features | None:
    """Features of the training issues; None where a member has no scores of them without them."""
    scores = {
        member.name: member.out_of_fold for member in members if member.out_of_fold is not None
    }
    return stack(scores, usual) if len(scores) == len(members) else None


def _cross_adapted(prior: Blend, features: Features, truth: NDArray[np.bool_]) -> Array:
    """Probabilities of issues that neither the members nor the correction have learned from."""
    odds = np.empty(truth.shape)
    for fold in stratified_folds(truth, CROSS_FOLDS, seed=0):
        rest = np.setdiff1d(np.arange(len(truth)), fold)
        odds[fold] = prior.adapted(features[rest], truth[rest]).probabilities(features[fold])
    return odds


def _for_cuts(out_of_fold: Array | None, reference: Array) -> Array:
    """Labelled issues first: unlabelled ones may be those that nobody knew what to do with."""
    if out_of_fold is None:
        return reference
    missing = max(0, CUTS_ON - len(out_of_fold))
    return np.concatenate([out_of_fold, reference[:missing]])
