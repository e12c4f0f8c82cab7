"""The sentence encoder that runs a Hugging Face model: mean-pooled, unit length, in batches."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.runtimes.devices import choose_device, usual_runtime
from tagger.runtimes.onnx_static_int8 import TEXTS
from tagger.runtimes.opening import open_runner
from tagger.runtimes.runner import Network, run_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tagger.encoders.encoder import Vectors
    from tagger.encoders.model_sources import ModelSource
    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import RunnerOpener

CHARACTERS_PER_TOKEN = 24
"""Characters read for each token kept: enough for long words, and a pasted log is not tokenised."""

WINDOW = 4096
"""Texts tokenised and sorted at a time: memory stays flat however many there are."""

PASSING = ("_name_or_path", "transformers_version", "torch_dtype", "dtype")
"""Fields of a model's config that change no number it computes."""

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
    :param cache: folder for converted weights; None converts anew each time.
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
        from transformers import AutoConfig

        on = choose_device(device)
        self.runtime: Runtime = runtime or usual_runtime(on)
        config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
        self._tokenizer = load_tokenizer(source.folder)
        self._max_tokens = min(max_tokens, position_limit(config))
        self._filler = filler_token(self._tokenizer)
        self.width = int(config.hidden_size)
        space = _space(source, self._max_tokens)
        self.identity = f"{space}:{IDENTITIES.get(self.runtime, self.runtime)}"
        network = Network(
            space,
            lambda dtype: SentenceModel(load_body(source.folder, dtype)),
            config.vocab_size,
            samples=self._tokenise(TEXTS),
        )
        self._runner = opener(network, self.runtime, on, cache)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, in their order. *Shape:* (n_texts, width), rows of unit length."""
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        for start in range(0, len(texts), WINDOW):
            tokens = self._tokenise(texts[start : start + WINDOW])
            vectors[start : start + len(tokens)] = run_rows(
                self._runner, tokens, self.width, filler=self._filler
            )
        return vectors

    def _tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        limit = self._max_tokens * CHARACTERS_PER_TOKEN
        encoded = self._tokenizer(
            [text[:limit] for text in texts],
            truncation=True,
            max_length=self._max_tokens,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        # a decoder's tokenizer adds no special tokens: an empty text would have nothing to pool
        return [list(ids) or [self._filler] for ids in encoded["input_ids"]]


class SentenceModel(torch.nn.Module):
    """A transformer under its pooling: ids and mask in, unit vectors out.

    :ivar body: any `AutoModel` with a `last_hidden_state`.
    """

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = without_pooler(body)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """*Shape:* (n_rows, n_tokens) twice, then (n_rows, width), float32, unit length."""
        return mean_pool(self.body(input_ids=ids, attention_mask=mask).last_hidden_state, mask)


def mean_pool(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of the states that the mask keeps, scaled to unit length; summed in float32.

    :param states: *Shape:* (n_rows, n_tokens, width)
    :param mask: *Shape:* (n_rows, n_tokens), 1 for a real token and 0 for padding.
    :returns: *Shape:* (n_rows, width), float32.
    """
    weights = mask.unsqueeze(-1).to(torch.float32)
    mean = (states.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
    return torch.nn.functional.normalize(mean, dim=1)


def load(folder: Path, dtype: torch.dtype, device: torch.device) -> tuple[Any, Any]:
    """Tokenizer and headless model from a checked folder: safetensors only, no remote code."""
    return load_tokenizer(folder), load_body(folder, dtype).to(device)


def load_tokenizer(folder: Path) -> Any:
    """A checked folder's tokenizer."""
    from transformers import AutoTokenizer

    with quiet():
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def load_body(folder: Path, dtype: torch.dtype) -> Any:
    """A checked folder's headless model, on the processor and ready to score."""
    from transformers import AutoModel

    with quiet():
        model = AutoModel.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=dtype
        )
    return model.eval()


def without_pooler(body: Any) -> Any:
    """The same body without the [CLS] pooler, which nothing here reads.

    Where a checkpoint has none, transformers would make one of random numbers and keep it.
    """
    if getattr(body, "pooler", None) is not None:
        body.pooler = None
    return body


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' bars and notes off stderr, where the product draws its own."""
    logging: Any = import_module("transformers.utils.logging")  # ships no types

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def position_limit(config: Any) -> int:
    """Tokens that the model has positions for; RoBERTa's kind loses those up to its pad token."""
    limit = getattr(config, "max_position_embeddings", None)
    if not isinstance(limit, int) or limit < 1:
        return 1 << 30
    offset_kinds = {"roberta", "xlm-roberta", "camembert", "longformer", "mpnet"}
    return limit - 2 if config.model_type in offset_kinds else limit


def filler_token(tokenizer: Any) -> int:
    """The id that padding is made of: pad, else end of text, else any (it is masked out)."""
    candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
    return int(next(token for token in candidates if token is not None))


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
