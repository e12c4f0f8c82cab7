"""A tuned classifier's weights, in memory or in a folder: built in any precision, saved, named."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from tagger.encoders.loading import PASSING, load_body, quiet
from tagger.encoders.model_sources import weights_digest
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, save_arrays
from tagger.training.classifier import GAP, ClozeClassifier, TextClassifier
from tagger.training.training_loop import seeded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

HEAD = "head.safetensors"
FILES = ("config.json", "model.safetensors", HEAD)


class TunedWeights(Protocol):
    """Where a classifier comes from.

    :ivar digest: of the numbers; the same in memory and once written.
    """

    digest: str
    n_labels: int

    def build(self, dtype: torch.dtype) -> TextClassifier:
        """The classifier with its body in this precision, ready to score."""
        ...

    def save(self, folder: Path) -> None:
        """Write `FILES` into an existing folder."""
        ...


class WeightsInMemory:
    """Of a classifier that was just trained.

    The body is rounded to float16 once and kept so on disk: half the size, and a restored model
    scores exactly like the one that was saved.
    """

    def __init__(self, classifier: TextClassifier) -> None:
        self._classifier = classifier.requires_grad_(requires_grad=False).eval()
        classifier.body.to(torch.float16).to(torch.float32)
        self.n_labels = int(classifier.head.out_features)
        self.digest = _digest(classifier)

    def build(self, dtype: torch.dtype) -> TextClassifier:
        built = copy.deepcopy(self._classifier)
        built.body.to(dtype)
        return built

    def save(self, folder: Path) -> None:
        body = self._classifier.body
        weights = {name: each.to(torch.float16) for name, each in body.state_dict().items()}
        with quiet():
            body.save_pretrained(folder, state_dict=weights)
        save_arrays(folder / HEAD, self._classifier.head_arrays())


class WeightsOnDisk:
    """Of a classifier that `WeightsInMemory` or this class wrote.

    The body's numbers stay there until `build`, which may be hours later: that they are all there
    is looked at at once, and then whether they are still the same.

    :raises ReleaseDamaged: a file is missing, or cannot be read.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        for name in FILES:
            if not (folder / name).is_file():
                raise ReleaseDamaged(folder, f"{name} is missing")
        try:
            with safe_open(folder / "model.safetensors", "np"):  # compares header and length
                pass
        except (OSError, SafetensorError) as error:
            raise ReleaseDamaged(folder, f"model.safetensors: {error}") from error
        self._folder = folder
        self._as_opened = weights_digest(folder)
        self._head = load_arrays(folder / HEAD, "weight", "bias")
        self.n_labels = len(self._head["bias"])
        self.digest = digest

    def build(self, dtype: torch.dtype) -> TextClassifier:
        """See `TunedWeights.build`.

        :raises ReleaseDamaged: the files do not make a model, or not the one that was opened.
        """
        try:
            if weights_digest(self._folder) != self._as_opened:
                raise ReleaseDamaged(self._folder, "model.safetensors has changed since")
            with seeded(0, torch.device("cpu")):  # transformers makes a pooler of random numbers
                body: Any = load_body(self._folder, dtype)
            classifier = self._classifier(body)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ReleaseDamaged(self._folder, f"the model cannot be read ({error})") from error
        classifier.set_head(self._head["weight"], self._head["bias"])
        return classifier.eval()

    def _classifier(self, body: Any) -> TextClassifier:
        if GAP in self._head:
            return ClozeClassifier.of_arrays(body, self.n_labels, self._head)
        return TextClassifier(body, self.n_labels)

    def save(self, folder: Path) -> None:
        for name in FILES:
            shutil.copyfile(self._folder / name, folder / name)


def _digest(classifier: TextClassifier) -> str:
    arrays = {
        name: each.detach().float().cpu().numpy() for name, each in classifier.state_dict().items()
    }
    return digest_of(arrays, classifier.body.config)


def digest_of(arrays: Mapping[str, NDArray[Any]], config: Any) -> str:
    """SHA-256 of weights and architecture, the same for a model and for its copy on disk."""
    fields = {key: value for key, value in config.to_dict().items() if key not in PASSING}
    h_a_s_h = hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode())
    for name, each in sorted(arrays.items()):
        h_a_s_h.update(f"{name} {each.shape}".encode())
        h_a_s_h.update(np.ascontiguousarray(each).tobytes())
    return h_a_s_h.hexdigest()
