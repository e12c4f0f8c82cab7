"""Vectors of issues laid out in two dimensions: by UMAP where it is installed, else by PCA."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MapPoints:
    """Where issues lie, and how that was found.

    :ivar points: *Shape:* (n_issues, 2), in [0, 1]
    :ivar method: in words, for the reader.
    """

    points: NDArray[np.float64]
    method: str


def places(vectors: NDArray[Any], seed: int = 0) -> MapPoints:
    """Lay vectors out so that what is alike lies close.

    :param vectors: *Shape:* (n_issues, width)
    """
    if find_spec("umap") and len(vectors) > 15:
        return MapPoints(_fitted(_umap(vectors, seed)), "UMAP, McInnes et al. 2018")
    how = "principal components; install umap-learn for a map that shows clusters better"
    return MapPoints(_fitted(_principal(vectors)), how)


def _umap(vectors: NDArray[Any], seed: int) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # it misses TensorFlow, which is not used
        umap = import_module("umap")
    mapper = umap.UMAP(metric="cosine", random_state=seed, n_jobs=1)
    laid: NDArray[Any] = mapper.fit_transform(vectors)
    return laid


def _principal(vectors: NDArray[Any]) -> NDArray[Any]:
    """The first two principal components, signs fixed so that a map does not flip between runs."""
    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    _, _, axes = np.linalg.svd(centred.astype(float), full_matrices=False)
    two = axes[:2]
    two = two * np.sign(two[np.arange(len(two)), np.abs(two).argmax(axis=1)])[:, None]
    laid: NDArray[Any] = centred @ two.T
    return np.pad(laid, ((0, 0), (0, 2 - laid.shape[1])))


def _fitted(points: NDArray[Any]) -> NDArray[np.float64]:
    """Into the unit square; a hundredth at each end is cut off, or one outlier would rule."""
    if not len(points):
        return np.zeros((0, 2))
    low, high = np.quantile(points, [0.005, 0.995], axis=0)
    spread = np.where(high > low, high - low, 1.0)
    return np.asarray(np.clip((points - low) / spread, 0, 1), dtype=float)
