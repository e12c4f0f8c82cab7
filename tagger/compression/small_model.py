"""The student as it lies on disk and scores: weights of eight bits, tokenizer, head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.compression.eight_bits import pack, unpack
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, save_arrays
from tagger.training.classifier import TextClassifier
from tagger.training.descent import seeded
from tagger.training.tokens import TokenReader
from tagger.training.tuned_model import TunedModel, reader_limit, save_reader
from tagger.transformer_encoder import choose_device, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.compression.eight_bits import Arrays
    from tagger.strategy import Scores

WEIGHTS = "weights.int8.safetensors"
HEAD = "head.safetensors"


class SmallModel:
    """Texts in, probabilities out, from weights that were rounded to eight bits.

    It scores with the rounded weights from the moment it is made, so that whatever is measured on
    it holds for the one that is restored.

    :ivar size: bytes of its weights.
    """

    def __init__(self, reader: TokenReader, classifier: TextClassifier, packed: Arrays) -> None:
        self._packed = packed
        self._tuned = TunedModel(reader, classifier)

    @classmethod
    def of(cls, reader: TokenReader, classifier: TextClassifier) -> SmallModel:
        """Round a trained classifier's weights, in place."""
        weights = classifier.body.state_dict()
        packed = pack({name: each.float().cpu().numpy() for name, each in weights.items()})
        _fill(classifier.body, packed)
        return cls(reader, classifier, packed)

    @property
    def size(self) -> int:
        return sum(array.nbytes for array in self._packed.values())

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The body's weights as they are scored with, but for the processor's own precision."""
        return unpack(self._packed)

    @property
    def n_outputs(self) -> int:
        return int(self._tuned.classifier.head.out_features)

    def score(self, texts: Sequence[str]) -> Scores:
        """Probability of each label. *Shape:* (n_texts, n_labels), in [0, 1]."""
        return self._tuned.score(texts)

    def save(self, folder: Path) -> None:
        """Write everything that `restore` needs."""
        classifier = self._tuned.classifier
        with quiet():
            classifier.body.config.save_pretrained(folder)
        save_arrays(folder / WEIGHTS, self._packed)
        head = classifier.head
        save_arrays(
            folder / HEAD, {"weight": head.weight.cpu().numpy(), "bias": head.bias.cpu().numpy()}
        )
        save_reader(self._tuned.reader, folder)

    @classmethod
    def restore(cls, folder: Path, device: str = "auto") -> SmallModel:
        """Read what `save` wrote; no network is asked.

        :raises ReleaseDamaged: a file is missing or cannot be read.
        """
        limit = reader_limit(folder, WEIGHTS)
        head, packed = load_arrays(folder / HEAD, "weight", "bias"), load_arrays(folder / WEIGHTS)
        try:
            tokenizer, body = _empty(folder)
            classifier = TextClassifier(body, len(head["bias"]))
            _fill(classifier.body, packed)
            classifier.set_head(head["weight"], head["bias"])
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ReleaseDamaged(folder, f"the student cannot be read ({error})") from error
        return cls(TokenReader(tokenizer, limit), classifier.to(choose_device(device)), packed)


def _empty(folder: Path) -> tuple[Any, Any]:
    """The tokenizer, and a body of the right architecture with weights of no meaning."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    make: Any = AutoModel

    with quiet(), seeded(0, torch.device("cpu")):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        return tokenizer, make.from_config(config, trust_remote_code=False)


def _fill(body: torch.nn.Module, packed: Arrays) -> None:
    weights = {name: torch.from_numpy(np.array(each)) for name, each in unpack(packed).items()}
    body.load_state_dict(weights)
