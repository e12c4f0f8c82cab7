"""Zero-shot: labels from their wording alone, before anybody has labelled an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from scipy.special import expit, logit

from tagger.domain.issue import IssueText
from tagger.errors import NothingToLearnFrom, ReleaseDamaged
from tagger.label_semantics.prompts import background, usual_share
from tagger.label_semantics.similarity import Scale
from tagger.label_semantics.zero_shot_scorers import (
    ClozeScorer,
    EntailmentScorer,
    SimilarityScorer,
    kind_of,
)
from tagger.persistence import load_arrays, load_json, save_arrays, save_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources, Scores
    from tagger.label_semantics.similarity import Matrix
    from tagger.label_semantics.zero_shot_scorers import ZeroShotScorer

Route = Literal["entailment", "cloze", "encoder"]

ROUTES: tuple[Route, ...] = ("entailment", "cloze", "encoder")

SEPARATION = 1.5
"""Distance in standard deviations between issues with and without a label, taken for granted."""

ENOUGH_TEXTS = 32
"""Below this the corpus is filled up with phrases of common labels: a spread of 3 texts is none."""

TRUSTED_TEXTS = 200
"""From this size on a corpus is believed; towards none, evidence counts for half as much."""


class ZeroShot:
    """Scores from label wordings, standardised by label and weighed by the label's usual share.

    Three routes, of which `route_` says which was taken: textual entailment (NLI cross-encoder),
    cloze (masked language model), or the encoder alone. The encoder's similarity costs next to
    nothing and is averaged in on the other two, for small NLI models know little of issues.

    Raw values are not comparable between labels, so each label is measured against what a corpus
    of the repository's own texts usually gets for it; then Bayes' rule with two normal
    distributions some way apart turns that and the label's usual share into a probability.
    Which issue carries which label is never looked at.

    Sources: Yin, Hay, Roth 2019 (entailment, https://arxiv.org/abs/1909.00161), Schick and
    Schütze 2021 (cloze, https://arxiv.org/abs/2001.07676), Gera et al. 2022 (self-training,
    https://arxiv.org/abs/2210.17541); Tunstall, von Werra, Wolf, *Natural Language Processing with
    Transformers* (2022), chapter 9, "Working with no labeled data".

    :param route: which way to judge; None takes what `resources.zero_shot_model` allows, and the
        encoder alone where there is no such model.
    :ivar route_: the way that was taken.
    """

    name: ClassVar[str] = "zero-shot"
    needs_examples: ClassVar[bool] = False

    def __init__(self, resources: Resources, *, seed: int = 0, route: Route | None = None) -> None:
        self.resources = resources
        self.seed = seed
        self.route = route

    def fit(self, train: TrainingSet) -> Self:
        """Learn from the labels' wordings and the texts, labelled or not.

        :raises NothingToLearnFrom: no labels.
        :raises ModelNotFound: the route asked for needs a model that `resources` lacks.
        :raises ModelRefused: the zero-shot model is of the wrong kind.
        """
        if not train.labels:
            raise NothingToLearnFrom("zero-shot got no labels, expected at least one label")
        self.route_: Route = self.route or self._best_route()
        self._scorers = self._open(self.route_)
        self._scales = []
        for scorer in self._scorers:
            corpus = self._corpus(train, scorer.corpus_limit)
            scorer.learn(train.labels, corpus)
            self._scales.append(Scale.of(scorer.raw(corpus)))
        shares = np.array([usual_share(label) for label in train.labels])
        self._prior = logit(shares).astype(np.float32)
        n_texts = len(train.recent) + len(train.unlabelled) + len(train)
        self._separation = SEPARATION * (1 + min(1.0, n_texts / TRUSTED_TEXTS)) / 2
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        if not issues:
            return np.zeros((0, len(self._prior)), dtype=np.float32)
        evidence = self._separation * self._unusual(issues) - self._separation**2 / 2
        logits = self._prior + evidence
        return np.asarray(expit(logits), dtype=np.float32)

    def save(self, folder: Path) -> None:
        facts = {"route": self.route_, "separation": self._separation}
        save_json(folder / "route.json", facts)
        scales = {
            "mean": np.stack([scale.mean for scale in self._scales]),
            "spread": np.stack([scale.spread for scale in self._scales]),
        }
        save_arrays(folder / "scales.safetensors", {**scales, "prior": self._prior})
        for scorer in self._scorers:
            scorer.save(folder)

    def restore(self, folder: Path) -> Self:
        facts = load_json(folder / "route.json")
        route, separation = facts.get("route"), facts.get("separation")
        if route not in ROUTES or not isinstance(separation, float):
            raise ReleaseDamaged(folder, f"route.json: {facts}; expected a route and a separation")
        self.route_, self._separation = route, separation
        arrays = load_arrays(folder / "scales.safetensors", "mean", "spread", "prior")
        self._prior = arrays["prior"]
        self._scales = [
            Scale(mean, spread)
            for mean, spread in zip(arrays["mean"], arrays["spread"], strict=True)
        ]
        self._scorers = [scorer.restore(folder) for scorer in self._open(self.route_)]
        return self

    @property
    def judges_each_label(self) -> bool:
        """Whether a transformer runs for each label's wordings, beside the encoder's one vector."""
        return self.route_ != "encoder"

    @property
    def note(self) -> str:
        """What manifest and reports should say of the route; empty where nothing is amiss."""
        if self.route_ != "encoder" or self.resources.zero_shot_model is not None:
            return ""
        return (
            "zero-shot compares label wordings with issues through the sentence encoder, since no "
            "NLI model was found (ISSUE_TAGGER_ZERO_SHOT_MODEL: a hub name or a folder)"
        )

    def _unusual(self, issues: Sequence[IssueText]) -> Matrix:
        """Standard deviations above the usual, the mean of the scorers'. *Shape:* as `score`."""
        judged = [
            scale(scorer.raw(issues))
            for scorer, scale in zip(self._scorers, self._scales, strict=True)
        ]
        return np.asarray(np.mean(judged, axis=0), dtype=np.float32)

    def _best_route(self) -> Route:
        folder = self.resources.zero_shot_model
        return kind_of(folder) if folder is not None and self.resources.entail else "encoder"

    def _open(self, route: Route) -> list[ZeroShotScorer]:
        beside: dict[Route, type[EntailmentScorer] | type[ClozeScorer]] = {
            "entailment": EntailmentScorer,
            "cloze": ClozeScorer,
        }
        scorers: list[ZeroShotScorer] = [SimilarityScorer(self.resources)]
        return [*scorers, beside[route](self.resources)] if route in beside else scorers

    def _corpus(self, train: TrainingSet, limit: int) -> list[IssueText]:
        """Texts that say what is usual here: distinct, of each kind a seeded sample."""
        corpus = self._sample(train.recent, limit)
        corpus += self._sample(train.unlabelled, limit - len(corpus))
        corpus += self._sample(train.issues, limit - len(corpus))
        if len(corpus) < ENOUGH_TEXTS:
            corpus += [IssueText(phrase) for phrase in background()[:limit]]
        return corpus

    def _sample(self, texts: Sequence[IssueText], limit: int) -> list[IssueText]:
        distinct = [text for text in dict.fromkeys(texts) if text.full]
        chosen = np.random.default_rng(self.seed).permutation(len(distinct))[:limit]
        return [distinct[row] for row in sorted(chosen)]
