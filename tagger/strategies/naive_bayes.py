"""Naive Bayes: which words speak for a label, learned for each label by itself."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, load_json, save_arrays, save_json
from tagger.statistics.calibration import SharedCalibration
from tagger.statistics.stratification import stratified_folds
from tagger.statistics.variant_selection import (
    clearly_best,
    learnable,
    require_examples,
    smoothed_share,
)
from tagger.text.augmentation import has_masked_lm_head
from tagger.text.bag_of_words import BagOfWords
from tagger.text.word_log_odds import Corpus, HeldOut, Variant, evidence, learn, learned_odds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores
    from tagger.text.augmentation import Kind
    from tagger.text.bag_of_words import Weighing
    from tagger.text.word_log_odds import Odds

Augment = Literal["auto", "none", "words", "characters", "context"]

AUGMENT_BELOW = 64
"""Labelled issues up to which "auto" tries augmentation: it pays where words are few."""

WEIGHINGS: tuple[Weighing, ...] = ("presence", "counts", "tfidf")
SMOOTHINGS = (0.02, 0.05, 0.2, 1.0)
KINDS: tuple[Literal["multinomial", "complement"], ...] = ("multinomial", "complement")


class NaiveBayes:
    """One Naive Bayes classifier a label, through scikit-multilearn's `BinaryRelevance`.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Implementing a naive Bayesline"; Rennie et al., "Tackling the Poor Assumptions of
    Naive Bayes Text Classifiers" (ICML 2003) for the complement. Of two classes the complement of
    one is the other, so that for a single label the two kinds differ by the prior and nothing
    else, and one fit serves to compare both.

    Weighing, kind, smoothing and augmentation are chosen by their skill on folds held out. The
    classifiers' own probabilities are close to 0 or 1 whatever they know, so the evidence is
    tempered: evened out by length, then scaled on the same folds. All of this needs the words' log
    odds in the classifiers and nothing else of them.

    :ivar variant_: what was chosen.
    :ivar skill_: its skill on folds held out; 0 where there were too few issues to hold out.
    :ivar out_of_fold_: scores of the training issues, each from folds without it; not kept in a
        release. *Shape:* (n_issues, n_labels)
    """

    name: ClassVar[str] = "naive-bayes"
    needs_examples: ClassVar[bool] = True

    names_: tuple[str, ...]
    live_: NDArray[np.bool_]
    share_: NDArray[np.float32]
    words_: BagOfWords
    odds_: Odds | None
    calibration_: SharedCalibration
    variant_: Variant
    skill_: float
    out_of_fold_: Scores

    def __init__(self, resources: Resources, *, seed: int = 0, augment: Augment = "auto") -> None:
        self.resources = resources
        self.seed = seed
        self.augment = augment

    def fit(self, train: TrainingSet) -> Self:
        """Choose the variant and learn the words; see `Strategy.fit`.

        :raises ModelRefused: `augment="context"` without a model that has a masked-LM head.
        """
        require_examples(train)
        targets = np.array(train.targets, dtype=bool)
        self.names_ = train.names
        self.live_, self.share_ = learnable(targets), smoothed_share(targets)
        corpora = self._corpora([issue.full for issue in train.issues])
        self.words_, self.odds_ = corpora[None].words, None
        self.variant_, self.calibration_, self.skill_ = Variant(), SharedCalibration(), 0.0
        self.out_of_fold_ = np.tile(self.share_, (len(train), 1))
        if self.words_.words_ and self.live_.any():
            self._learn(corpora, targets[:, self.live_])
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """See `Strategy.score`."""
        scores = np.tile(self.share_, (len(issues), 1))
        if self.odds_ is not None and issues:
            counts = self.words_.count([issue.full for issue in issues])
            weighing = self.variant_.weighing
            log_odds = evidence(self.odds_, self.words_.weigh(counts, weighing), weighing)
            scores[:, self.live_] = self.calibration_.apply(log_odds, self.share_[self.live_])
        return scores

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        self.words_.save(folder)
        learned = {"live": self.live_, "share": self.share_}
        if self.odds_ is not None:
            learned["odds"] = self.odds_
        save_arrays(folder / "labels.safetensors", learned)
        state = {
            "labels": self.names_,
            "variant": asdict(self.variant_),
            "tempering": asdict(self.calibration_),
            "skill": self.skill_,
            "learned": self.odds_ is not None,
        }
        save_json(folder / "naive-bayes.json", state)

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        state = load_json(folder / "naive-bayes.json")
        learned = load_arrays(folder / "labels.safetensors", "live", "share")
        self.words_ = BagOfWords().restore(folder)
        self.live_, self.share_ = learned["live"].astype(bool), learned["share"]
        try:
            self.names_ = tuple(state["labels"])
            self.variant_, self.skill_ = Variant(**state["variant"]), float(state["skill"])
            self.calibration_ = SharedCalibration(**state["tempering"])
            self.odds_ = learned["odds"] if state["learned"] else None
        except (KeyError, TypeError, ValueError) as error:
            raise ReleaseDamaged(folder, f"naive-bayes.json: {error!r}") from error
        return self

    def _corpora(self, texts: Sequence[str]) -> dict[Kind | None, Corpus]:
        """The issues as words: plain, and with each augmentation to try."""
        kinds = (None, *self._augmentations(len(texts)))
        masked_lm = self.resources.bert_model
        return {kind: Corpus.of(texts, kind, seed=self.seed, masked_lm=masked_lm) for kind in kinds}

    def _augmentations(self, n_issues: int) -> tuple[Kind, ...]:
        """Those to try, or the one that was asked for."""
        if self.augment == "none" or (self.augment == "auto" and n_issues > AUGMENT_BELOW):
            return ()
        if self.augment != "auto":
            return (self.augment,)
        context = has_masked_lm_head(self.resources.bert_model)
        return ("words", "characters", "context") if context else ("words", "characters")

    def _learn(self, corpora: dict[Kind | None, Corpus], targets: NDArray[np.bool_]) -> None:
        """Choose the variant on folds held out, temper it on the same, learn from all issues."""
        n_folds = min(len(targets), 5 if len(targets) <= 200 else 3)
        folds = stratified_folds(targets, n_folds, self.seed)
        held_out = HeldOut(corpora, targets, self.share_[self.live_], folds)
        self.variant_ = self._choose(held_out, tuple(corpora), len(targets))
        self.skill_ = held_out.skill(self.variant_)
        self.calibration_ = held_out.calibration(self.variant_)
        self.out_of_fold_[:, self.live_] = held_out.scores(self.variant_)
        corpus = corpora[self.variant_.augment]
        rows, matrix = corpus.training(self.variant_.weighing)
        self.words_ = corpus.words
        self.odds_ = learned_odds(learn(self.variant_, matrix, targets[rows]))

    def _choose(
        self, held_out: HeldOut, augmentations: Sequence[Kind | None], n_issues: int
    ) -> Variant:
        """Weighing, smoothing and kind first; then augmentation where it is left to choose."""
        literal = augmentations[-1] if self.augment not in {"auto", "none"} else None
        default = Variant(augment=literal)
        plain = [
            replace(default, weighing=weighing, smoothing=smoothing, kind=kind)
            for weighing in WEIGHINGS
            for smoothing in SMOOTHINGS
            for kind in KINDS
        ]
        best = clearly_best(default, plain, held_out.skill, n_held_out=n_issues)
        if literal is not None:
            return best
        more = [replace(best, augment=kind) for kind in augmentations if kind is not None]
        return clearly_best(best, more, held_out.skill, n_held_out=n_issues)
