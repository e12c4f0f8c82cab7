"""The student as it lies on disk and scores: weights of eight bits, tokenizer, head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.distillation.int8_weights import pack, unpack
from tagger.encoders.loading import quiet
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, save_arrays
from tagger.training.classifier import TextClassifier
from tagger.training.training_loop import seeded
from tagger.training.tuned_model import TunedModel, read_reader
from tagger.training.tuned_weights import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.distillation.int8_weights import Arrays
    from tagger.domain.strategy import Resources
    from tagger.training.tokens import TokenReader

WEIGHTS = "weights.int8.safetensors"
HEAD = "head.safetensors"


class PackedWeights:
    """A classifier's weights in eight bits: a `TunedWeights` that runtimes build from.

    :ivar size: bytes of the body's weights.
    """

    def __init__(self, packed: Arrays, head: Arrays, config: Any) -> None:
        self.packed = packed
        self._head = head
        self._config = config
        self.n_labels = len(head["bias"])
        self.size = sum(array.nbytes for array in packed.values())
        self.digest = digest_of({**packed, **head}, config)

    def build(self, dtype: torch.dtype) -> TextClassifier:
        """See `TunedWeights.build`. The same numbers each time, whatever was built before."""
        from transformers import AutoModel

        make: Any = AutoModel
        with quiet(), seeded(0, torch.device("cpu")):
            body = make.from_config(self._config, trust_remote_code=False)
        classifier = TextClassifier(body, self.n_labels)
        weights = {
            name: torch.from_numpy(np.array(each)) for name, each in unpack(self.packed).items()
        }
        classifier.body.load_state_dict(weights)
        classifier.set_head(self._head["weight"], self._head["bias"])
        classifier.body.to(dtype)
        return classifier.eval()

    def save(self, folder: Path) -> None:
        """See `TunedWeights.save`."""
        with quiet():
            self._config.save_pretrained(folder)
        save_arrays(folder / WEIGHTS, self.packed)
        save_arrays(folder / HEAD, self._head)


class SmallModel(TunedModel):
    """Texts in, probabilities out, from weights that were rounded to eight bits.

    It scores with the rounded weights from the moment it is made, so that whatever is measured on
    it holds for the one that is restored.
    """

    _weights: PackedWeights

    @classmethod
    def of(
        cls, reader: TokenReader, classifier: TextClassifier, resources: Resources
    ) -> SmallModel:
        """Round a trained classifier's weights."""
        weights = classifier.body.state_dict()
        packed = pack({name: each.float().cpu().numpy() for name, each in weights.items()})
        tensors = {"weight": classifier.head.weight, "bias": classifier.head.bias}
        head = {name: each.detach().cpu().numpy() for name, each in tensors.items()}
        return cls(reader, PackedWeights(packed, head, classifier.body.config), resources)

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return self._weights.size

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The body's weights as they are scored with, but for the runtime's own precision."""
        return unpack(self._weights.packed)

    @classmethod
    def restore(cls, folder: Path, resources: Resources) -> SmallModel:
        """Read what `save` wrote; no network is asked.

        :raises ReleaseDamaged: a file is missing or cannot be read.
        """
        from transformers import AutoConfig

        reader, _ = read_reader(folder, WEIGHTS)
        head, packed = load_arrays(folder / HEAD, "weight", "bias"), load_arrays(folder / WEIGHTS)
        try:
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
            return cls(reader, PackedWeights(packed, head, config), resources, lasting=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ReleaseDamaged(folder, f"the student cannot be read ({error})") from error
