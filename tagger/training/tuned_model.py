"""A fine-tuned classifier with its tokenizer: scores texts, lies on disk, comes back the same."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch

from tagger.encoders.loading import load_tokenizer, quiet
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_json, save_json
from tagger.runtimes.devices import usual_runtime
from tagger.runtimes.onnx_static_int8 import TEXTS
from tagger.runtimes.opening import open_runner
from tagger.runtimes.runner import Network, run_rows
from tagger.training.tokens import TokenReader
from tagger.training.tuned_weights import WeightsInMemory, WeightsOnDisk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tagger.domain.strategy import Resources
    from tagger.runtimes.runner import Runner
    from tagger.training.classifier import TextClassifier
    from tagger.training.tuned_weights import TunedWeights


class TunedModel:
    """Texts in, probabilities out, in the runtime that `resources` names.

    The network is built when it is first asked: of a release's tuned models most see few issues,
    and none before the first.

    :param lasting: whether it will be opened again, so that a converted copy is worth keeping and a
        model server may have it; the many models of folds and trials are not.
    :ivar reader: tokenizer and limit.
    :ivar n_labels: width of the answer.
    """

    def __init__(
        self,
        reader: TokenReader,
        weights: TunedWeights,
        resources: Resources,
        *,
        lasting: bool = False,
    ) -> None:
        self.reader = reader
        self.n_labels = weights.n_labels
        self._weights = weights
        self._resources = resources
        self._lasting = lasting
        self._cache = resources.cache if lasting else None

    @classmethod
    def of(
        cls, reader: TokenReader, classifier: TextClassifier, resources: Resources
    ) -> TunedModel:
        """From a classifier that was just trained, which is not to be trained further."""
        return cls(reader, WeightsInMemory(classifier), resources)

    @property
    def network(self) -> Network:
        """What it computes with, in no runtime yet."""
        return Network(
            self._weights.digest,
            self._weights.build,
            len(self.reader.tokenizer),
            samples=self.reader.read(TEXTS),
        )

    @cached_property
    def _runner(self) -> Runner:
        device = self._resources.device
        runtime = self._resources.runtime or usual_runtime(device)
        opener = self._resources.open_runner if self._lasting else None
        return (opener or open_runner)(self.network, runtime, device, self._cache)

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probability of each label. *Shape:* (n_texts, n_labels), in [0, 1]."""
        logits = run_rows(
            self._runner, self.reader.read(texts), self.n_labels, filler=self.reader.filler
        )
        scores: NDArray[np.float32] = torch.sigmoid(torch.from_numpy(logits)).numpy()
        return scores

    def save(self, folder: Path) -> None:
        """Write body and tokenizer as transformers does, beside them head and limit."""
        self._weights.save(folder)
        save_reader(self.reader, folder, self._weights.digest)

    @classmethod
    def restore(cls, folder: Path, resources: Resources) -> TunedModel:
        """Read what `save` wrote, all but the body's weights; no network is asked.

        :raises ReleaseDamaged: a file is missing or cannot be read.
        """
        reader, digest = read_reader(folder, "model.safetensors")
        return cls(reader, WeightsOnDisk(folder, digest), resources, lasting=True)


def save_reader(reader: TokenReader, folder: Path, digest: str = "") -> None:
    """Write a tokenizer as transformers does, with its limit and the names of its files.

    It remembers how it last cut a text, and would write that down, but differently once it has
    been read from a file: it forgets first, so that a restored model writes what it was read from.

    :param digest: of the weights beside it.
    """
    if reader.tokenizer.is_fast:
        reader.tokenizer.backend_tokenizer.no_truncation()
    with quiet():
        written = reader.tokenizer.save_pretrained(folder)
    files = sorted(name for name in map(_name, written) if (folder / name).is_file())
    record = {"max_tokens": reader.max_tokens, "files": files, "digest": digest}
    if reader.question:
        record["question"] = reader.question
    save_json(folder / "reader.json", record)


def read_reader(folder: Path, weights: str) -> tuple[TokenReader, str]:
    """The tokenizer with its limit, and the weights' digest, empty where none was written.

    Every file that was written must be there: transformers would make do with what it finds, such
    as an empty tokenizer.

    :param weights: the file that holds the model's weights.
    :raises ReleaseDamaged: a file is missing, or the record is not as it was written.
    """
    record = load_json(folder / "reader.json")
    limit, files = record.get("max_tokens"), record.get("files")
    if not isinstance(limit, int) or not isinstance(files, list):
        raise ReleaseDamaged(
            folder, f"reader.json holds {sorted(record)}, expected max_tokens, files"
        )
    for name in ("config.json", weights, *files):
        if not (folder / name).is_file():
            raise ReleaseDamaged(folder, f"{name} is missing")
    try:
        reader = TokenReader(load_tokenizer(folder), limit, str(record.get("question", "")))
        return reader, str(record.get("digest", ""))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ReleaseDamaged(folder, f"the tokenizer cannot be read ({error})") from error


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
