"""Zero-shot: labels from their wording alone, before anybody has labelled an issue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, Self, cast

import numpy as np
from safetensors.numpy import load_file, save_file

from tagger.errors import NothingToLearnFrom, ReleaseDamaged
from tagger.likeness import Lexicon, Likeness, Scale
from tagger.wordings import background, usual_share, wordings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.issue import IssueText, Label, TrainingSet
    from tagger.likeness import Matrix
    from tagger.strategy import Resources, Scores

Route = Literal["entailment", "cloze", "encoder"]

SEPARATION = 1.5
"""Distance in standard deviations between issues with and without a label, taken for granted."""

ENOUGH_TEXTS = 32
"""Below this the corpus is filled up with phrases of common labels: a spread of 3 texts is none."""


class Judge(Protocol):
    """One route: how much an issue sounds like each label, in units of its own."""

    corpus_limit: ClassVar[int]
    """Texts worth learning from: more cost time and change nothing."""

    def learn(self, labels: Sequence[Label], corpus: Sequence[IssueText]) -> Self: ...

    def raw(self, issues: Sequence[IssueText]) -> Matrix:
        """*Shape:* (n_issues, n_labels)"""
        ...

    def save(self, folder: Path) -> None: ...

    def restore(self, folder: Path) -> Self: ...


class ByEncoder:
    """Label wordings against issues through the sentence encoder and by their words."""

    corpus_limit: ClassVar[int] = 1000

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def learn(self, labels: Sequence[Label], corpus: Sequence[IssueText]) -> Self:
        encoder = self._resources.encoder()
        said = [wordings(label) for label in labels]
        flat = encoder.encode([wording for each in said for wording in each])
        ends = np.cumsum([len(each) for each in said])[:-1]
        vectors = encoder.encode([issue.full for issue in corpus])
        texts = [_read(issue) for issue in corpus]
        self._likeness = Likeness.learn(said, np.split(flat, ends), texts, vectors)
        return self

    def raw(self, issues: Sequence[IssueText]) -> Matrix:
        vectors = self._resources.encoder().encode([issue.full for issue in issues])
        return self._likeness.raw([_read(issue) for issue in issues], vectors)

    def save(self, folder: Path) -> None:
        learned = self._likeness
        save_file(
            {
                "anchors": learned.anchors,
                "heads": learned.heads,
                "weights": learned.lexicon.weights,
                "vector_mean": learned.vector_scale.mean,
                "vector_spread": learned.vector_scale.spread,
                "term_mean": learned.term_scale.mean,
                "term_spread": learned.term_scale.spread,
            },
            folder / "likeness.safetensors",
        )
        (folder / "terms.json").write_text(json.dumps(learned.lexicon.terms), encoding="utf-8")

    def restore(self, folder: Path) -> Self:
        arrays = load_file(folder / "likeness.safetensors")
        terms = tuple(json.loads((folder / "terms.json").read_text(encoding="utf-8")))
        self._likeness = Likeness(
            anchors=arrays["anchors"],
            vector_scale=Scale(arrays["vector_mean"], arrays["vector_spread"]),
            lexicon=Lexicon(terms, arrays["weights"]),
            term_scale=Scale(arrays["term_mean"], arrays["term_spread"]),
            heads=arrays["heads"],
        )
        return self


class ZeroShot:
    """Scores from label wordings, standardised by label and weighed by the label's usual share.

    Raw likeness is not comparable between labels, so that each label is measured against how a
    corpus of the repository's own texts usually scores for it; then Bayes' rule with two normal
    distributions `SEPARATION` apart turns it and the label's usual share into a probability.
    Labels of the training set are not looked at, only its texts.

    :param route: which way to judge; None takes entailment or cloze where
        `resources.zero_shot_model` allows it and the encoder elsewhere.
    :ivar route_: the way that was taken.
    """

    name: ClassVar[str] = "zero-shot"
    needs_examples: ClassVar[bool] = False

    def __init__(self, resources: Resources, *, seed: int = 0, route: Route | None = None) -> None:
        self.resources = resources
        self.seed = seed
        self.route = route

    def fit(self, train: TrainingSet) -> Self:
        if not train.labels:
            raise NothingToLearnFrom("zero-shot got no labels; expected at least one label name")
        self.route_: Route = self.route or "encoder"
        self._judge = self._open(self.route_)
        corpus = self._corpus(train, self._judge.corpus_limit)
        self._judge.learn(train.labels, corpus)
        self._scale = Scale.of(self._judge.raw(corpus))
        shares = np.array([usual_share(label) for label in train.labels])
        self._prior = np.log(shares / (1 - shares)).astype(np.float32)
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        if not issues:
            return np.zeros((0, len(self._prior)), dtype=np.float32)
        unusual = self._scale(self._judge.raw(issues))
        logits = self._prior + SEPARATION * unusual - SEPARATION**2 / 2
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)

    def save(self, folder: Path) -> None:
        (folder / "route.json").write_text(json.dumps({"route": self.route_}), encoding="utf-8")
        learned = {"mean": self._scale.mean, "spread": self._scale.spread, "prior": self._prior}
        save_file(learned, folder / "scale.safetensors")
        self._judge.save(folder)

    def restore(self, folder: Path) -> Self:
        try:
            facts = json.loads((folder / "route.json").read_text(encoding="utf-8"))
            self.route_ = cast("Route", facts["route"])
            learned = load_file(folder / "scale.safetensors")
            self._scale = Scale(learned["mean"], learned["spread"])
            self._prior = learned["prior"]
            self._judge = self._open(self.route_).restore(folder)
        except (OSError, ValueError, KeyError) as error:
            raise ReleaseDamaged(folder, f"zero-shot cannot be read ({error})") from error
        return self

    def _open(self, route: Route) -> Judge:
        if route == "encoder":
            return ByEncoder(self.resources)
        raise ValueError(f"route is {route!r}, expected encoder")

    def _corpus(self, train: TrainingSet, limit: int) -> list[IssueText]:
        """Texts that say what is usual here: unlabelled ones first, distinct, a seeded sample."""
        from tagger.issue import IssueText

        rng = np.random.default_rng(self.seed)
        texts = [text for text in dict.fromkeys(train.unlabelled) if text.full]
        corpus = [texts[row] for row in sorted(rng.permutation(len(texts))[:limit])]
        if len(corpus) < limit:
            rest = [text for text in dict.fromkeys(train.issues) if text.full]
            corpus += [
                rest[row] for row in sorted(rng.permutation(len(rest))[: limit - len(corpus)])
            ]
        if len(corpus) < ENOUGH_TEXTS:
            corpus += [IssueText(phrase) for phrase in background()[:limit]]
        return corpus


def _read(issue: IssueText) -> str:
    """What the lexicon reads: the title twice, and the body's beginning."""
    return f"{issue.title}\n{issue.full[:4000]}"
