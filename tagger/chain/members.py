"""The chain's members: each fitted on all issues, and scored on issues it has not learned from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from tagger.chain.prior import NOTHING, FeatureMoments
from tagger.domain.issue import IssueText
from tagger.errors import NotMeasured, UnknownStrategy
from tagger.label_semantics.prompts import usual_share
from tagger.statistics.stratification import FOLDS_FROM, n_folds, stratified_folds
from tagger.strategies import REGISTRY, TUNING, create

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tagger.chain.checkpoints import Checkpoints
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources, Scores, Strategy

CHEAP = ("zero-shot", "linear", "naive-bayes", "knn")
"""Members that share the encoder's one vector an issue: milliseconds. Zero-shot is one of them
unless a model of its own judges each label, see `cost`."""

DEAR = {"contrastive": 1, "adapted": 96}
"""Members that run a transformer of their own, and the labelled issues from which they join.
With fewer, on two repositories, `adapted` made the chain no better and its training twice as long.
`fine-tuned` is `adapted` without its adaptation, and a member where it is asked for only: the two
would say the same."""

EVIDENCE_FROM = 8
"""Labelled issues from which members that score them on the way are judged by these scores."""

REFERENCE = 256
"""Unlabelled texts on which members are measured beside the labelled ones."""

USUAL_CARDINALITY = 1.2
"""Labels on a labelled issue, where there are none to count."""

CARDINALITY_WEIGHT = 8.0

SHARE_WEIGHT = 4.0
"""Issues that a label's usual share counts for beside the labelled ones."""


@runtime_checkable
class ScoresItself(Protocol):
    """A strategy whose fit yields out-of-fold scores on the way, at no further cost."""

    out_of_fold_: Scores


@runtime_checkable
class ScoresLabelByLabel(Protocol):
    """A strategy that may run a transformer once for every wording of every label."""

    judges_each_label: bool


@dataclass(frozen=True)
class Member:
    """A fitted member.

    :ivar out_of_fold: scores of the training issues, each from a fit without it; None where
        there are too few issues for folds.
    :ivar reference: scores of the reference texts.
    :ivar fit_seconds: of the fit on all issues.
    """

    name: str
    strategy: Strategy
    out_of_fold: Scores | None
    reference: Scores
    fit_seconds: float

    @property
    def cost(self) -> int:
        """0 shares the encoder's vector, 1 runs a transformer once, 2 once for each wording."""
        if isinstance(self.strategy, ScoresLabelByLabel) and self.strategy.judges_each_label:
            return 2
        return 0 if self.name in CHEAP else 1

    @property
    def unseen(self) -> Scores:
        """All scores of issues that the member did not learn from; at least one row."""
        rows = [part for part in (self.out_of_fold, self.reference) if part is not None]
        return np.concatenate(rows)


def available(resources: Resources, n_issues: int) -> tuple[str, ...]:
    """Members that the models at hand allow and that so many labelled issues are worth.

    In order of cost; only such whose prior was measured.
    """
    if resources.bert_model is None:
        return CHEAP
    prior = FeatureMoments.shipped()
    dear = [name for name, least in DEAR.items() if n_issues >= least and prior.knows(name)]
    return (*CHEAP, *dear)


def check_measured(names: Sequence[str]) -> None:
    """Refuse members that the chain cannot weigh.

    :raises UnknownStrategy: there is no such strategy.
    :raises NotMeasured: nobody has measured its prior.
    """
    for name in names:
        if name not in REGISTRY:
            raise UnknownStrategy(name, REGISTRY)
    prior = FeatureMoments.shipped()
    measured = [name for name in REGISTRY if prior.knows(name)]
    if missing := [name for name in names if name not in measured]:
        raise NotMeasured(missing, measured)


def reference_texts(train: TrainingSet) -> tuple[IssueText, ...]:
    """Texts that stand for the issues to come and that nobody learns from, where there are any."""
    learned = set(train.issues)
    texts = [text for text in (train.recent or train.unlabelled) if text not in learned]
    return tuple(texts[:REFERENCE]) or train.issues[:REFERENCE] or (IssueText(""),)


def shares(train: TrainingSet) -> NDArray[np.float64]:
    """Each label's share of issues, with its usual share as `SHARE_WEIGHT` issues more."""
    usual = np.array([usual_share(label) for label in train.labels])
    return np.asarray((train.positives + SHARE_WEIGHT * usual) / (len(train) + SHARE_WEIGHT))


def labels_per_issue(train: TrainingSet) -> float:
    """How many labels an issue carries, with the usual number as `CARDINALITY_WEIGHT` issues."""
    total = float(train.targets.sum()) + CARDINALITY_WEIGHT * USUAL_CARDINALITY
    return min(total / (len(train) + CARDINALITY_WEIGHT), len(train.labels) / 2)


def counts(train: TrainingSet) -> NDArray[np.float64]:
    """Each label's positive examples, or `NOTHING` where no issue is labelled at all."""
    if not len(train):
        return np.full(len(train.labels), NOTHING)
    return train.positives.astype(np.float64)


def fit_member(
    name: str,
    train: TrainingSet,
    reference: Sequence[IssueText],
    resources: Resources,
    seed: int,
    checkpoints: Checkpoints,
) -> Member:
    """Fit one member and score what it has not seen; checkpointed steps are not redone."""

    def unfitted() -> Strategy:
        return create(name, resources, seed=seed)

    step = "zero-shot by the encoder" if name == "zero-shot" and not resources.entail else name
    start = time.perf_counter()
    strategy = checkpoints.strategy(
        f"{step} fitted", lambda: unfitted().fit(train), lambda folder: unfitted().restore(folder)
    )
    seconds = time.perf_counter() - start
    return Member(
        name,
        strategy,
        _out_of_fold(strategy, train, resources, seed, checkpoints),
        checkpoints.scores(f"{step} on reference", lambda: strategy.score(reference)),
        seconds,
    )


def _out_of_fold(
    strategy: Strategy,
    train: TrainingSet,
    resources: Resources,
    seed: int,
    checkpoints: Checkpoints,
) -> Scores | None:
    if not strategy.needs_examples:
        return strategy.score(train.issues) if len(train) else None
    if isinstance(strategy, ScoresItself) and len(train) >= EVIDENCE_FROM:
        return strategy.out_of_fold_
    if len(train) < FOLDS_FROM:
        return None
    name = strategy.name
    scores = np.empty(train.targets.shape, dtype=np.float32)
    folds = stratified_folds(train.targets, n_folds(len(train), tuning=name in TUNING), seed)
    for done, fold in enumerate(folds):
        resources.progress(f"{name}, scores on issues held out", done, len(folds))
        held_out = _HeldOut(name, train, fold, resources, seed)
        scores[fold] = checkpoints.scores(f"{name} without fold {done}", held_out.scores)
    return scores


@dataclass(frozen=True)
class _HeldOut:
    """One fold, and a fit on all the others."""

    name: str
    train: TrainingSet
    fold: NDArray[np.int_]
    resources: Resources
    seed: int

    def scores(self) -> Scores:
        rest = np.setdiff1d(np.arange(len(self.train)), self.fold)
        fitted = create(self.name, self.resources, seed=self.seed).fit(self.train.subset(rest))
        return fitted.score([self.train.issues[row] for row in self.fold])
