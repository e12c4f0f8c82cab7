"""Bodies that are about to be trained: dropout and attention that cost a processor little."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tagger.encoders.loading import load_tokenizer, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
"""What BERT's kind, DistilBERT's and GPT-2's call the share of attention that is dropped."""

LEVELS = 256
"""A byte of randomness an element: shares are kept to a 256th."""


def load_to_train(folder: Path, device: torch.device) -> tuple[Any, Any]:
    """Tokenizer and headless model in float32 from a checked folder, made for training.

    No attention is dropped: on a processor drawing what to drop took a sixth of a training step
    (docs/benchmarks.md). States are dropped as the checkpoint says, by `QuickDropout`.
    """
    from transformers import AutoConfig, AutoModel

    with quiet():
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        dropped = {
            name: getattr(config, name) for name in ATTENTION_DROPOUT if hasattr(config, name)
        }
        for name in dropped:
            setattr(config, name, 0.0)
        body = AutoModel.from_pretrained(
            folder,
            config=config,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
        )
    for name, share in dropped.items():  # what is saved says what the checkpoint said
        setattr(body.config, name, share)
    body = body.to(device).eval()
    if device.type == "cpu":
        drop_quickly(body)
    return load_tokenizer(folder), body


@contextmanager
def attention_in_steps(body: Any) -> Iterator[None]:
    """Attention written out while the block trains: the fused kernel's gradient takes longer.

    An architecture that has no fused kernel stays as it is.
    """
    usual = str(body.config._attn_implementation)
    with quiet():
        body.set_attn_implementation("eager")
    try:
        yield
    finally:
        with quiet():
            body.set_attn_implementation(usual)


def drop_quickly(body: nn.Module) -> None:
    """Put a `QuickDropout` in the place of every `torch.nn.Dropout`, of the same share."""
    for module in list(body.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout):
                setattr(module, name, QuickDropout(child.p))


class QuickDropout(nn.Module):
    """Dropout from a byte of randomness an element, by torch's own generator.

    `torch.nn.Dropout` draws a double for each element, one after the other, on processors that are
    not Intel's: seven milliseconds a million. This takes a tenth of that.

    Source: Srivastava et al. 2014, "Dropout"; kept elements are scaled by the share that is kept,
    rounded as that is, so that the mean stays.

    :ivar p: share that is dropped, in [0, 1]; rounded to a `LEVELS`th.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """As `states` in shape and type."""
        dropped = round(self.p * LEVELS)
        if not self.training or not dropped:
            return states
        if dropped == LEVELS:
            return states * 0
        count = states.numel()
        words = torch.empty(-(-count // 8), dtype=torch.int64, device=states.device)
        drawn = words.random_(-(2**63), None).view(torch.uint8)[:count].view(states.shape)
        kept = (drawn >= dropped).to(states.dtype)
        return states * kept.mul_(LEVELS / (LEVELS - dropped))
