"""How a strategy chooses among its own variants: skill on issues that a variant has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tagger.errors import NothingToLearnFrom
from tagger.statistics.metrics import average_precision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet

Variant = TypeVar("Variant")


def require_examples(train: TrainingSet) -> None:
    """Refuse a training set that teaches nothing.

    :raises NothingToLearnFrom: no labels, or no labelled issue.
    """
    if not train.labels:
        raise NothingToLearnFrom("got no labels to learn, expected at least one label")
    if not len(train):
        raise NothingToLearnFrom(
            "got no labelled issue, expected at least one: label a few issues and retrain"
        )


def smoothed_share(targets: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Each label's share of issues with half an issue added on either side (Jeffreys' prior).

    :param targets: *Shape:* (n_issues, n_labels)
    :returns: *Shape:* (n_labels,), inside (0, 1).
    """
    return np.asarray((targets.sum(axis=0) + 0.5) / (len(targets) + 1.0), dtype=np.float32)


def learnable(targets: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Labels that some issues have and some have not. *Shape:* (n_labels,)"""
    positives = targets.sum(axis=0)
    return np.asarray((positives > 0) & (positives < len(targets)))


def skill(truth: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    """Mean of micro and macro average precision, in [0, 1].

    Average precision and not F1, since thresholds are chosen later and elsewhere; and not log loss,
    since calibration is, too. Micro asks whether scores compare across labels, macro whether rare
    labels are ranked at all: the two that F1 is reported in.
    """
    held = truth.any(axis=0)
    if not held.any():
        return 0.0
    macro = average_precision(truth[:, held], scores[:, held].astype(float)).mean()
    micro = average_precision(truth.reshape(-1, 1), scores.reshape(-1, 1).astype(float))[0]
    return float((micro + macro) / 2)


def clearly_best(
    default: Variant,
    variants: Iterable[Variant],
    skill_of: Callable[[Variant], float],
    *,
    n_held_out: int,
) -> Variant:
    """The most skilful variant, but the default unless the gain is clear.

    Two errors stand against a gain. Holding an issue out takes its labels out of the rest as well,
    which moves shares by 1 / n and favours variants that look at few examples; and skill on n
    issues is itself a sample, with an error that falls with sqrt(n). With eight examples nearly
    nothing moves the default, with a thousand nearly all may.
    """
    n = max(1, n_held_out)
    best, gained = default, 3.0 / n + 0.25 / np.sqrt(n)
    usual = skill_of(default)
    for variant in variants:
        gain = skill_of(variant) - usual
        if gain > gained:
            best, gained = variant, gain
    return best
