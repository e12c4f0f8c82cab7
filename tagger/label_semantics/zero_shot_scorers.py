"""Zero-shot scorers: how much an issue sounds like each label, by one kind of model each."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np

from tagger.errors import ModelNotFound, ModelRefused
from tagger.label_semantics.prompts import hypotheses, verbalizers
from tagger.label_semantics.similarity import LabelSimilarity, Lexicon, Scale
from tagger.persistence import load_arrays, load_json, save_arrays, save_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.domain.issue import IssueText, Label
    from tagger.domain.strategy import Resources
    from tagger.label_semantics.cloze import Cloze
    from tagger.label_semantics.entailment import Entailment
    from tagger.label_semantics.similarity import Matrix

ISSUES_AT_A_TIME = 16
"""Issues a cross-encoder judges between two words to the progress."""

READ_BY_LEXICON = 4000
"""Characters of an issue whose words are compared with the wordings."""


class ZeroShotScorer(Protocol):
    """Raw values are in units of the scorer's own and comparable within a label only."""

    corpus_limit: ClassVar[int]
    """Texts worth learning from: more cost time and change nothing."""

    def learn(self, labels: Sequence[Label], corpus: Sequence[IssueText]) -> Self: ...

    def raw(self, issues: Sequence[IssueText]) -> Matrix:
        """*Shape:* (n_issues, n_labels), higher for a label that fits better."""
        ...

    def save(self, folder: Path) -> None: ...

    def restore(self, folder: Path) -> Self:
        """:raises ReleaseDamaged: a file is missing or cannot be read."""
        ...


class SimilarityScorer:
    """Label wordings against issues through the sentence encoder and by their words."""

    corpus_limit: ClassVar[int] = 1000

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def learn(self, labels: Sequence[Label], corpus: Sequence[IssueText]) -> Self:
        encoder = self._resources.encoder()
        verbalizers_of = [verbalizers(label) for label in labels]
        flat = encoder.encode([verbalizer for each in verbalizers_of for verbalizer in each])
        ends = np.cumsum([len(each) for each in verbalizers_of])[:-1]
        vectors = encoder.encode([issue.full for issue in corpus])
        texts = [_for_lexicon(issue) for issue in corpus]
        self._likeness = LabelSimilarity.learn(verbalizers_of, np.split(flat, ends), texts, vectors)
        return self

    def raw(self, issues: Sequence[IssueText]) -> Matrix:
        vectors = self._resources.encoder().encode([issue.full for issue in issues])
        return self._likeness.raw([_for_lexicon(issue) for issue in issues], vectors)

    def save(self, folder: Path) -> None:
        learned = self._likeness
        arrays = {
            "anchors": learned.anchors,
            "heads": learned.heads,
            "weights": learned.lexicon.weights,
            "vector_mean": learned.vector_scale.mean,
            "vector_spread": learned.vector_scale.spread,
            "term_mean": learned.term_scale.mean,
            "term_spread": learned.term_scale.spread,
        }
        save_arrays(folder / "likeness.safetensors", arrays)
        save_json(folder / "likeness.json", {"terms": learned.lexicon.terms})

    def restore(self, folder: Path) -> Self:
        names = ("anchors", "heads", "weights", "vector_mean", "vector_spread")
        arrays = load_arrays(folder / "likeness.safetensors", *names, "term_mean", "term_spread")
        terms = tuple(load_json(folder / "likeness.json").get("terms", ()))
        self._likeness = LabelSimilarity(
            anchors=arrays["anchors"],
            vector_scale=Scale(arrays["vector_mean"], arrays["vector_spread"]),
            lexicon=Lexicon(terms, arrays["weights"]),
            term_scale=Scale(arrays["term_mean"], arrays["term_spread"]),
            heads=arrays["heads"],
        )
        return self


class EntailmentScorer:
    """One hypothesis for each of a label's wordings; the label's value is the mean of its odds."""

    corpus_limit: ClassVar[int] = 48

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @cached_property
    def _model(self) -> Entailment:
        """Loaded when first asked, so that a release that is only held costs no memory."""
        from tagger.label_semantics.entailment import Entailment
        from tagger.runtimes.opening import open_runner

        resources = self._resources
        return Entailment(
            _folder(resources, "entailment"),
            device=resources.device,
            runtime=resources.runtime,
            cache=resources.cache,
            opener=resources.open_runner or open_runner,
        )

    def learn(self, labels: Sequence[Label], corpus: Sequence[IssueText]) -> Self:  # noqa: ARG002
        self._said = [list(hypotheses(label)) for label in labels]
        self._identity = self._model.identity
        return self

    def raw(self, issues: Sequence[IssueText]) -> Matrix:
        _same_model(self._identity, self._model.identity, "entailment")
        flat = [hypothesis for of_label in self._said for hypothesis in of_label]
        starts = np.cumsum([0] + [len(of_label) for of_label in self._said])
        zeros = np.zeros((len(issues), len(self._said)), dtype=np.float32)
        for start in range(0, len(issues), ISSUES_AT_A_TIME):
            some = slice(start, start + ISSUES_AT_A_TIME)
            self._resources.progress("entailment", start, len(issues))
            odds = self._model.odds([issue.full for issue in issues[some]], flat)
            zeros[some] = np.add.reduceat(odds, starts[:-1], axis=1) / np.diff(starts)
        self._resources.progress("entailment", len(issues), len(issues))
        return zeros

    def save(self, folder: Path) -> None:
        save_json(folder / "entailment.json", {"hypotheses": self._said, "model": self._identity})

    def restore(self, folder: Path) -> Self:
        facts = load_json(folder / "entailment.json")
        self._said, self._identity = facts["hypotheses"], facts["model"]
        return self


class ClozeScorer:
    """How likely a masked language model finds the label's words in a gap after the issue."""

    corpus_limit: ClassVar[int] = 200

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @cached_property
    def _model(self) -> Cloze:
        """Loaded when first asked, so that a release that is only held costs no memory."""
        from tagger.label_semantics.cloze import Cloze

        resources = self._resources
        return Cloze(
            _folder(resources, "cloze"), device=resources.device, runtime=resources.runtime
        )

    def learn(self, labels: Sequence[Label], corpus: Sequence[IssueText]) -> Self:  # noqa: ARG002
        """:raises ModelRefused: a label has no word that the vocabulary holds whole."""
        self._words = [list(self._model.words(verbalizers(label))) for label in labels]
        unsayable = [
            label.name for label, words in zip(labels, self._words, strict=True) if not words
        ]
        if unsayable:
            raise ModelRefused(
                f"the masked language model has no word for {', '.join(unsayable)}; give these "
                "labels a name or description in its language, or use an NLI model"
            )
        self._identity = self._model.identity
        return self

    def raw(self, issues: Sequence[IssueText]) -> Matrix:
        _same_model(self._identity, self._model.identity, "cloze")
        return self._model.log_probabilities([issue.full for issue in issues], self._words)

    def save(self, folder: Path) -> None:
        save_json(folder / "cloze.json", {"words": self._words, "model": self._identity})

    def restore(self, folder: Path) -> Self:
        facts = load_json(folder / "cloze.json")
        self._words, self._identity = facts["words"], facts["model"]
        return self


def kind_of(folder: Path) -> Literal["entailment", "cloze"]:
    """What a model can be asked, by the architecture that its config names.

    :raises ModelNotFound: no readable config.json.
    :raises ModelRefused: neither a sequence classifier nor a masked language model.
    """
    try:
        fields: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        architectures = [str(name) for name in fields.get("architectures") or ()]
    except (OSError, ValueError, AttributeError) as error:
        raise ModelNotFound(f"the zero-shot model in {folder} has no config: {error}") from error
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return "entailment"
    if any(name.endswith("ForMaskedLM") for name in architectures):
        return "cloze"
    raise ModelRefused(
        f"{folder} is {', '.join(architectures) or 'of no named architecture'}; expected an NLI "
        "cross-encoder (…ForSequenceClassification) or a masked language model (…ForMaskedLM)"
    )


def _folder(resources: Resources, what: str) -> Path:
    if resources.zero_shot_model is None:
        raise ModelNotFound(
            f"{what} needs a model and none was found; set ISSUE_TAGGER_ZERO_SHOT_MODEL to a "
            "folder or hub name, or compare through the encoder"
        )
    return resources.zero_shot_model


def _same_model(trained: str, here: str, what: str) -> None:
    if trained != here:
        raise ModelRefused(
            f"the release was made with the {what} model {trained[:12]}, the one at hand is "
            f"{here[:12]}; set ISSUE_TAGGER_ZERO_SHOT_MODEL back, or retrain"
        )


def _for_lexicon(issue: IssueText) -> str:
    """The title twice, and the body's beginning: what is in the title matters most."""
    return f"{issue.title}\n{issue.full[:READ_BY_LEXICON]}"
