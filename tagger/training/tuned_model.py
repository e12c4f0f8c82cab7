"""A fine-tuned classifier with its tokenizer: scores texts, lies on disk, comes back the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError

from tagger.batching import Batch, pad, plan
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, load_json, save_arrays, save_json
from tagger.training.classifier import TextClassifier
from tagger.training.descent import seeded
from tagger.training.tokens import TokenReader
from tagger.transformer_encoder import (
    TOKENS_PER_BATCH,
    choose_device,
    has_fast_bfloat16,
    load,
    quiet,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class TunedModel:
    """Texts in, probabilities out, in the precision that the processor is fastest in.

    Weights are rounded to float16 once, when the model is made, and kept so on disk: half the
    size, and a restored model scores exactly like the one that was saved (every float16 survives
    the way through bfloat16 and back once it has been through it).

    :ivar reader: tokenizer and limit.
    :ivar classifier: ready to score; not for further training.
    """

    def __init__(self, reader: TokenReader, classifier: TextClassifier) -> None:
        self.reader = reader
        self.classifier = classifier.requires_grad_(requires_grad=False).eval()
        self._device = classifier.head.weight.device
        fast = has_fast_bfloat16(self._device)
        classifier.body.to(torch.float16).to(torch.bfloat16 if fast else torch.float32)

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probability of each label. *Shape:* (n_texts, n_labels), in [0, 1]."""
        tokens = self.reader.read(texts)
        scores = np.zeros((len(texts), self.classifier.head.out_features), dtype=np.float32)
        lengths = [len(ids) for ids in tokens]
        for batch in plan(lengths, budget=TOKENS_PER_BATCH[self._device.type]):
            scores[batch.rows] = self._run(tokens, batch)
        return scores

    @torch.inference_mode()
    def _run(self, tokens: list[list[int]], batch: Batch) -> NDArray[np.float32]:
        ids, mask = pad([tokens[row] for row in batch.rows], batch.width, self.reader.filler)
        logits = self.classifier(
            torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device)
        )
        probabilities: NDArray[np.float32] = torch.sigmoid(logits).cpu().numpy()
        return probabilities

    def save(self, folder: Path) -> None:
        """Write body and tokenizer as transformers does, beside them head and limit."""
        body = self.classifier.body
        weights = {name: each.to(torch.float16) for name, each in body.state_dict().items()}
        with quiet():
            body.save_pretrained(folder, state_dict=weights)
        head = self.classifier.head
        save_arrays(
            folder / "head.safetensors",
            {"weight": head.weight.cpu().numpy(), "bias": head.bias.cpu().numpy()},
        )
        save_reader(self.reader, folder)

    @classmethod
    def restore(cls, folder: Path, device: str = "auto") -> TunedModel:
        """Read what `save` wrote; no network is asked.

        :raises ReleaseDamaged: a file is missing or cannot be read.
        """
        limit = reader_limit(folder, "model.safetensors")
        head = load_arrays(folder / "head.safetensors", "weight", "bias")
        try:
            with seeded(0, torch.device("cpu")):  # transformers makes a pooler of random numbers
                tokenizer, body = load(folder, torch.float32, choose_device(device))
            classifier = TextClassifier(body, len(head["bias"]))
            classifier.set_head(head["weight"], head["bias"])
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ReleaseDamaged(folder, f"the model cannot be read ({error})") from error
        return cls(TokenReader(tokenizer, limit), classifier.to(body.device))


def save_reader(reader: TokenReader, folder: Path) -> None:
    """Write a tokenizer as transformers does, with its limit and the names of its files.

    It remembers how it last cut a text, and would write that down, but differently once it has
    been read from a file: it forgets first, so that a restored model writes what it was read from.
    """
    if reader.tokenizer.is_fast:
        reader.tokenizer.backend_tokenizer.no_truncation()
    with quiet():
        written = reader.tokenizer.save_pretrained(folder)
    files = sorted(name for name in map(_name, written) if (folder / name).is_file())
    save_json(folder / "reader.json", {"max_tokens": reader.max_tokens, "files": files})


def reader_limit(folder: Path, weights: str) -> int:
    """Tokens that a text is cut to, once every file that was written is seen to be there.

    Without this look transformers would make do with what it finds, such as an empty tokenizer.

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
    return limit


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
