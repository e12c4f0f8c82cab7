"""What words say for each label: Naive Bayes' log odds, and how well variants of it do unseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from tagger.statistics.calibration import SharedCalibration
from tagger.statistics.variant_selection import learnable, skill
from tagger.text.augmentation import augmented
from tagger.text.bag_of_words import BagOfWords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.strategy import Scores
    from tagger.text.augmentation import Kind
    from tagger.text.bag_of_words import Weighing

    Odds = NDArray[np.float64]
    """*Shape:* (n_labels, n_words): log odds that a word stands in a text with the label."""
    Evidence = NDArray[np.float64]
    """*Shape:* (n_issues, n_labels): log odds of all words, 0 where nothing was learned."""

COPIES = 2
"""Augmented copies of each labelled issue."""

LENGTH_POWER = 0.5
"""Evidence is divided by the number of words to this power. Words are not independent: a text
four times as long does not know its label four times as surely, as Naive Bayes believes."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to be naive.

    :ivar weighing: what stands for a word in a text; presence is binarised multinomial.
    :ivar kind: "multinomial" lets the label's share speak, "complement" the words alone.
    :ivar smoothing: pretended occurrences of each word on either side.
    :ivar augment: how the training texts are multiplied, None: not at all.
    """

    weighing: Weighing = "presence"
    kind: Literal["multinomial", "complement"] = "multinomial"
    smoothing: float = 0.2
    augment: Kind | None = None


@dataclass(frozen=True)
class Corpus:
    """The labelled issues as counted words, with their augmented copies where there are any.

    :ivar counts: sparse, *Shape:* (n_issues, n_words)
    :ivar copies: sparse, *Shape:* (n_issues * COPIES, n_words), an issue's side by side.
    """

    words: BagOfWords
    counts: Any
    copies: Any | None

    @classmethod
    def of(
        cls, texts: Sequence[str], kind: Kind | None, *, seed: int, masked_lm: Path | None
    ) -> Self:
        """Count the texts' words, those that only copies bring included."""
        made: list[str] = []
        if kind is not None:
            made = augmented(texts, kind, copies=COPIES, seed=seed, masked_lm=masked_lm)
        words = BagOfWords().fit([*texts, *made])
        return cls(words, words.count(texts), words.count(made) if made else None)

    def training(self, weighing: Weighing) -> tuple[NDArray[np.int_], Any]:
        """Issues, then their copies, weighed: which issue each row is, and the matrix."""
        rows = np.arange(self.counts.shape[0])
        if self.copies is None:
            return rows, self.words.weigh(self.counts, weighing)
        from scipy.sparse import vstack

        everything = vstack([self.counts, self.copies]).tocsr()
        rows = np.concatenate([rows, np.repeat(rows, COPIES)])
        return rows, self.words.weigh(everything, weighing)


def learn(variant: Variant, matrix: Any, targets: NDArray[np.bool_]) -> Any:
    """One fitted classifier a label, through scikit-multilearn's `BinaryRelevance`.

    :param matrix: weighed words, sparse. *Shape:* (n_texts, n_words)
    :param targets: *Shape:* (n_texts, n_labels), each label with texts for and against.
    """
    from scipy.sparse import csr_matrix
    from sklearn.naive_bayes import ComplementNB, MultinomialNB
    from skmultilearn.problem_transform import BinaryRelevance

    kind = MultinomialNB if variant.kind == "multinomial" else ComplementNB
    relevance = BinaryRelevance(kind(alpha=variant.smoothing), require_dense=[False, True])
    return relevance.fit(csr_matrix(matrix), targets.astype(int))  # it knows no sparse arrays


def learned_odds(relevance: Any) -> Odds:
    """The words' log odds in fitted classifiers. The prior, which only one kind has, is left out.

    Read from the classifiers' state, since their probabilities round to 0 and 1.
    """
    likelihoods = (classifier.feature_log_prob_ for classifier in relevance.classifiers_)
    return np.stack([likelihood[1] - likelihood[0] for likelihood in likelihoods])


def word_odds(matrix: Any, targets: NDArray[np.bool_], smoothing: float) -> Odds:
    """What `learned_odds` of `learn` gives, for all labels at once and a hundred times faster.

    Parameters as of `learn`; a label without texts for or against it gets zeros.
    """
    carried = np.asarray((matrix.T @ targets.astype(np.float64)).T)
    missing = np.asarray(matrix.sum(axis=0)).reshape(1, -1) - carried
    odds = _log_shares(carried, smoothing) - _log_shares(missing, smoothing)
    odds[~learnable(targets)] = 0.0
    return odds


def _log_shares(counts: NDArray[np.float64], smoothing: float) -> Odds:
    smoothed = np.maximum(counts, 0.0) + smoothing  # a difference of floats may be -1e-17
    logs: Odds = np.log(smoothed) - np.log(smoothed.sum(axis=1, keepdims=True))
    return logs


def evidence(odds: Odds, matrix: Any, weighing: Weighing) -> Evidence:
    """What all words of each text say together, evened out by length.

    :param matrix: weighed words, sparse. *Shape:* (n_issues, n_words)
    """
    log_odds: Evidence = np.asarray(matrix @ odds.T)
    if weighing == "tfidf":  # of unit length already
        return log_odds
    lengths = np.asarray(matrix.sum(axis=1)).reshape(-1, 1)
    return log_odds / (1.0 + lengths) ** LENGTH_POWER


class HeldOut:
    """Variants compared on folds held out.

    :param corpora: by augmentation, of the same issues.
    :param targets: *Shape:* (n_issues, n_labels), each label with issues for and against.
    :param share: the labels' smoothed shares. *Shape:* (n_labels,)
    :param folds: rows of each fold, together all rows.
    """

    def __init__(
        self,
        corpora: Mapping[Kind | None, Corpus],
        targets: NDArray[np.bool_],
        share: NDArray[np.float32],
        folds: Sequence[NDArray[np.int_]],
    ) -> None:
        self._corpora = corpora
        self._targets = targets
        self._share = share
        self._folds = folds
        self._known: dict[tuple[str, float, str | None], Evidence] = {}

    def skill(self, variant: Variant) -> float:
        """Skill of the variant's scores; see `tagger.statistics.variant_selection.skill`."""
        return skill(self._targets, self.scores(variant))

    def scores(self, variant: Variant) -> Scores:
        """Tempered scores of each issue from the other folds. *Shape:* (n_issues, n_labels)"""
        return self.calibration(variant).apply(self._evidence(variant), self._share)

    def calibration(self, variant: Variant) -> SharedCalibration:
        """The curve for this variant's evidence on the folds."""
        use_share, log_odds = variant.kind == "multinomial", self._evidence(variant)
        if log_odds.any():
            return SharedCalibration.fit(log_odds, self._share, self._targets, use_share=use_share)
        rows, matrix = self._corpora[variant.augment].training(variant.weighing)
        odds = word_odds(matrix, self._targets[rows], variant.smoothing)
        usual = float(evidence(odds, matrix, variant.weighing).std())  # too few to hold any out
        return SharedCalibration(scale=usual or 1.0, prior=float(use_share))

    def _evidence(self, variant: Variant) -> Evidence:
        """Evidence of each fold's issues from the other folds'; both kinds' is the same."""
        key = (variant.weighing, variant.smoothing, variant.augment)
        if key not in self._known:
            self._known[key] = self._judged(variant)
        return self._known[key]

    def _judged(self, variant: Variant) -> Evidence:
        zeros = np.zeros(self._targets.shape)
        rows, matrix = self._corpora[variant.augment].training(variant.weighing)
        for fold in self._folds:
            rest = ~np.isin(rows, fold)
            odds = word_odds(matrix[rest], self._targets[rows[rest]], variant.smoothing)
            zeros[fold] = evidence(odds, matrix[fold], variant.weighing)
        return zeros
