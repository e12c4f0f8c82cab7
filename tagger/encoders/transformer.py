"""The sentence encoder that runs a Hugging Face model: mean-pooled, unit length, in batches."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from tagger.encoders.loading import PASSING, load_body
from tagger.encoders.model_interface import ModelInterface
from tagger.runtimes.devices import usual_runtime
from tagger.runtimes.onnx_static_int8 import TEXTS
from tagger.runtimes.opening import open_runner
from tagger.runtimes.runner import Network, run_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch

    from tagger.encoders.encoder import Vectors
    from tagger.encoders.model_sources import ModelSource
    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import RunnerOpener

WINDOW = 4096
"""Texts tokenised and sorted at a time: memory stays flat however many there are."""

IDENTITIES: dict[Runtime, str] = {"torch": "float32", "torch-bf16": "bfloat16"}
"""What an identity calls a runtime, where not by its name: vectors kept so far stay valid."""


class TransformerEncoder:
    """Any `AutoModel` as sentence encoder: attention-masked mean of the last layer's states.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Using embeddings as a lookup table"; Reimers and Gurevych, Sentence-BERT
    (https://arxiv.org/abs/1908.10084).

    Decoders serve as well: padding is on the right, where a causal model never looks, and is
    masked out of the mean, so that a model without a pad token needs none.

    A text's vector depends on the text alone: it is padded to its own length rounded up and never
    to its neighbours' (`tagger.runtimes.batching`). 300 real issues, encoded one by one and in
    batches by all-MiniLM-L6-v2 on an AVX-512 processor, came out the same to the bit, in both
    precisions.

    :param runtime: what computes; None: PyTorch in the precision that the device is fastest in.
    :param cache: folder for converted weights and what transformers told of the model; None
        converts and asks anew each time.
    :param opener: of the network; another computes elsewhere.
    :ivar identity: digest of weights, tokenizer, architecture, pooling and length, then a colon
        and the runtime. What stands before the colon names the space: vectors that agree there
        may be compared (bfloat16 against float32: cosine 0.99996), those that agree in full are
        the same.
    :ivar width: length of a vector.
    """

    def __init__(
        self,
        source: ModelSource,
        *,
        device: str = "auto",
        max_tokens: int = 256,
        runtime: Runtime | None = None,
        cache: Path | None = None,
        opener: RunnerOpener = open_runner,
    ) -> None:
        self.runtime: Runtime = runtime or usual_runtime(device)
        interface = ModelInterface.of(source.folder, cache)
        max_tokens = min(max_tokens, interface.positions)
        self._reader = interface.reader(max_tokens, source.folder)
        self._filler = interface.filler
        self.width = interface.width
        space = _space(source, max_tokens)
        self.identity = f"{space}:{IDENTITIES.get(self.runtime, self.runtime)}"
        network = Network(
            space,
            lambda dtype: _network(source.folder, dtype),
            interface.vocabulary,
            samples=self._reader.read(TEXTS),
        )
        self._runner = opener(network, self.runtime, device, cache)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, in their order. *Shape:* (n_texts, width), rows of unit length."""
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        for start in range(0, len(texts), WINDOW):
            tokens = self._reader.read(texts[start : start + WINDOW])
            vectors[start : start + len(tokens)] = run_rows(
                self._runner, tokens, self.width, filler=self._filler
            )
        return vectors


def _network(folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    from tagger.encoders.sentence_model import SentenceModel

    return SentenceModel(load_body(folder, dtype))


def _space(source: ModelSource, max_tokens: int) -> str:
    """Digest of all that decides a vector but the precision it is computed in."""
    config = json.loads((source.folder / "config.json").read_text(encoding="utf-8"))
    for passing in PASSING:
        config.pop(passing, None)
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name in ("tokenizer.json", "vocab.txt"):
        path = source.folder / name
        if path.is_file():
            digest.update(path.read_bytes())
            break
    digest.update(f"{source.digest} mean {max_tokens}".encode())
    return digest.hexdigest()
