"""What training lowers: binary cross-entropy that does not forget the rare labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOUND = 10.0
"""A positive weighs at most this much more than a negative."""


def positive_weights(targets: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much more a positive weighs than a negative, for each label.

    The square root of negatives over positives, bounded. The full ratio makes one rare issue drown
    its batch; no weight at all leaves a label of 2 % to be forgotten in the first epochs. Measured
    on 480 issues with ten labels: average precision by label .650 → .661, over all pairs .890 →
    .888. (Mikolov et al. 2013 temper word frequencies by the same root.)

    :param targets: *Shape:* (n_issues, n_labels)
    :returns: *Shape:* (n_labels,), each in [1, `BOUND`].
    """
    positives = targets.sum(axis=0)
    ratio = (len(targets) - positives) / np.maximum(positives, 1)
    weights: NDArray[np.float32] = np.clip(np.sqrt(ratio), 1.0, BOUND).astype(np.float32)
    return weights


def weighted_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Mean binary cross-entropy over issues and labels.

    :param logits: *Shape:* (n_issues, n_labels)
    :param targets: *Shape:* (n_issues, n_labels), in [0, 1]; soft ones serve distillation.
    :param weights: *Shape:* (n_labels,), see `positive_weights`.
    """
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)
