"""Models of transformers, read from checked folders: safetensors only, no remote code, no noise."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

CHARACTERS_PER_TOKEN = 24
"""Characters read for each token kept: enough for long words, and a pasted log is not tokenised."""

PASSING = ("_name_or_path", "transformers_version", "torch_dtype", "dtype")
"""Fields of a model's config that change no number it computes."""


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
