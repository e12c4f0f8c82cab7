"""`IssueTagger`: the chain as a scikit-learn classifier, for whoever has texts and labels.

>>> from tagger import IssueTagger
>>> texts = [("Crash on save", "Traceback: KeyError"), "Explain the cache in the guide"] * 4
>>> targets = [["bug"], ["docs"]] * 4
>>> model = IssueTagger(labels=["bug", "docs"]).fit(texts, targets)
>>> model.predict(["Saving fails with a KeyError"])
[('bug',)]
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Self
from weakref import finalize

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from tagger.domain.decision import Policy
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources
from tagger.errors import NothingToLearnFrom, TaggerError
from tagger.persistence import load_json, save_json
from tagger.releases.release import Release, ReleaseOrder, train_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from tagger.domain.decision import LabelDecision

    Text = str | tuple[str, str]
    """A whole text, or title and body."""

QUICK = ("zero-shot", "linear", "naive-bayes", "knn")
"""Members that train in seconds; `strategies=None` takes all that the models at hand allow."""

PARAMETERS = "estimator.json"
RELEASE = "release"
REPOSITORY = "local/model"


class IssueTagger(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # sklearn ships no types
    """Labels texts from a handful of examples, and says how sure it is.

    :param labels: names, or `Label`s with descriptions, which are learned from as well; None: the
        names in the targets, sorted.
    :param precision: give only labels that are right so often, as far as the examples can promise
        it; None: what is best for F1.
    :param strategies: the chain's members by name.
    :param resources: models to draw on; None: the bundled encoder on the processor.
    :ivar labels_: names, in the order of the columns of `predict_proba`.
    """

    def __init__(
        self,
        labels: Sequence[str | Label] | None = None,
        *,
        precision: float | None = None,
        strategies: Sequence[str] | None = QUICK,
        seed: int = 0,
        resources: Resources | None = None,
    ) -> None:
        self.labels = labels
        self.precision = precision
        self.strategies = strategies
        self.seed = seed
        self.resources = resources

    def fit(
        self,
        texts: Sequence[Text],
        targets: Sequence[Sequence[str]] | ArrayLike,
        *,
        unlabelled: Sequence[Text] = (),
    ) -> Self:
        """Learn from labelled texts, and from others that nobody labelled.

        :param targets: a list of labels for each text, or a 0/1 matrix of shape
            (n_texts, n_labels); `predict` answers in the same form.
        :raises NothingToLearnFrom: no labels.
        :raises TaggerError: texts and targets do not fit, or a target names no label.
        """
        labels, matrix, self.as_matrix_ = _targets(self.labels, targets, len(texts))
        train = TrainingSet(
            labels,
            tuple(range(1, len(texts) + 1)),
            tuple(_text(text) for text in texts),
            matrix,
            unlabelled=tuple(_text(text) for text in unlabelled),
        )
        folder = Path(mkdtemp(prefix="issue-tagger-"))
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        resources = self.resources or bundled()
        order = ReleaseOrder(REPOSITORY, folder, seed=self.seed)
        manifest = train_release(order, train, resources, self.strategies)
        return self._opened(order.folder / manifest.id, resources)

    def predict(self, texts: Sequence[Text]) -> list[tuple[str, ...]] | NDArray[np.int_]:
        """Labels of each text: tuples of names, or a 0/1 matrix where `fit` was given one."""
        decided = self._decided([_text(text) for text in texts])
        if self.as_matrix_:
            return decided.astype(int)
        return [tuple(np.array(self.labels_)[row].tolist()) for row in decided]

    def predict_proba(self, texts: Sequence[Text]) -> NDArray[np.float32]:
        """Calibrated probabilities. *Shape:* (n_texts, n_labels)"""
        scores: NDArray[np.float32] = self._fitted().predict([_text(t) for t in texts]).scores
        return scores

    def explain(self, text: Text) -> tuple[LabelDecision, ...]:
        """Every label by falling probability: decision, threshold, precedents, members' votes."""
        return self._fitted().tag([_text(text)], self._policy())[0]

    def save(self, folder: str | Path) -> None:
        """Write all that was learned into a folder, without a pickle.

        :raises TaggerError: something else is there already.
        """
        target, release = Path(folder), self._fitted()
        if target.exists() and any(target.iterdir()):
            raise TaggerError(f"{target} is not empty; give a folder that is not there yet")
        shutil.copytree(release.folder, target / RELEASE)
        strategies = None if self.strategies is None else list(self.strategies)
        parameters = {"precision": self.precision, "seed": self.seed, "strategies": strategies}
        save_json(target / PARAMETERS, {**parameters, "as_matrix": self.as_matrix_})

    @classmethod
    def load(cls, folder: str | Path, resources: Resources | None = None) -> Self:
        """Open what `save` wrote; every file is checked against its digest first.

        :raises ReleaseDamaged: a file is missing or has changed.
        """
        facts = load_json(Path(folder) / PARAMETERS)
        as_matrix = facts.pop("as_matrix")
        tagger = cls(**facts, resources=resources)
        tagger.as_matrix_ = as_matrix
        return tagger._opened(Path(folder) / RELEASE, resources or bundled())

    def _opened(self, folder: Path, resources: Resources) -> Self:
        self.release_ = Release.open(folder, resources)
        self.labels_ = self.release_.names
        self.classes_ = np.array(self.labels_)
        return self

    def _fitted(self) -> Release:
        with suppress(AttributeError):
            return self.release_
        raise NotFittedError("call fit, or load what was saved, before asking for labels")

    def _policy(self) -> Policy:
        return Policy() if self.precision is None else Policy(self.precision)

    def _decided(self, issues: Sequence[IssueText]) -> NDArray[np.bool_]:
        release = self._fitted()
        if self.precision is None:
            return release.decide(issues)
        applied = [
            {label.name for label in labels if label.decision == "apply"}
            for labels in release.tag(issues, self._policy())
        ]
        return np.array([[name in names for name in self.labels_] for names in applied], dtype=bool)


def bundled() -> Resources:
    """The encoder that is installed beside this package, on the processor, and no other model."""
    from tagger.encoders.encoder import CachedEncoder, MemoryVectors
    from tagger.encoders.model_sources import DEFAULT_ENCODER, locate
    from tagger.encoders.transformer import TransformerEncoder

    source = locate(DEFAULT_ENCODER)
    encoder = CachedEncoder(TransformerEncoder(source, device="cpu"), MemoryVectors())
    return Resources(lambda: encoder, bert_model=source.folder, device="cpu")


def _text(text: Text) -> IssueText:
    title, body = (text, "") if isinstance(text, str) else text
    return IssueText.of(title, body)


def _targets(
    labels: Sequence[str | Label] | None, targets: Any, n_texts: int
) -> tuple[tuple[Label, ...], NDArray[np.bool_], bool]:
    """Labels, a boolean matrix of shape (n_texts, n_labels), and whether a matrix was given."""
    if len(targets) != n_texts:
        raise TaggerError(f"got {n_texts} texts and {len(targets)} targets, expected one a text")
    named = None if labels is None else tuple(_label(label) for label in labels)
    as_matrix = _is_matrix(targets)
    if as_matrix:
        matrix = np.asarray(targets, dtype=bool)
        named = named or tuple(Label(f"label {column}") for column in range(matrix.shape[1]))
    else:
        used = sorted({name for row in targets for name in row})
        named = named or tuple(map(Label, used))
        names = [label.name for label in named]
        if unknown := [name for name in used if name not in names]:
            expected = ", ".join(names)
            raise TaggerError(f"targets name {', '.join(unknown)}, expected some of {expected}")
        matrix = np.array([[name in row for name in names] for row in targets], dtype=bool)
    if not named:
        raise NothingToLearnFrom("there are no labels: give some, or targets that have some")
    if matrix.size and matrix.shape[1] != len(named):
        raise TaggerError(
            f"targets have {matrix.shape[1]} columns and there are {len(named)} labels"
        )
    return named, matrix.reshape(n_texts, len(named)), as_matrix


def _is_matrix(targets: Any) -> bool:
    """Whether rows hold zeros and ones, and not names."""
    if isinstance(targets, np.ndarray):
        return True
    return any(not isinstance(value, str) for row in targets for value in row)


def _label(label: str | Label) -> Label:
    return label if isinstance(label, Label) else Label(label)
