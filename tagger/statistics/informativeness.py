"""How much a person's answer about a label of an issue would teach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENOUGH_EXAMPLES = 50
"""Examples with which a label counts half: what it still needs shows in few of its issues."""


def informativeness(
    probabilities: NDArray[np.float64] | float, examples: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Uncertainty sampling (Lewis and Gale 1994), rare labels before common ones.

    :param probabilities: *Shape:* (..., n_labels), in [0, 1]
    :param examples: labelled issues of each label. *Shape:* (n_labels,)
    :returns: of the shape of `probabilities`, in [0, 1]; 1 at a probability of one half for a
        label without examples.
    """
    uncertainty = 4 * probabilities * (1 - probabilities)
    return np.asarray(uncertainty * ENOUGH_EXAMPLES / (ENOUGH_EXAMPLES + examples))
