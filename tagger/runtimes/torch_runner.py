"""Runner on PyTorch: float32, bfloat16, or linear layers in 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tagger.runtimes.devices import TOKENS_PER_BATCH

if TYPE_CHECKING:
    from tagger.runtimes.runner import Ids, Matrix


class TorchRunner:
    """A module on a device. See `Runner`.

    A row is padded to its own length rounded up and never to its neighbours', and no layer looks
    across rows: its numbers are the same in any company.
    """

    step = 16

    def __init__(
        self, module: torch.nn.Module, device: torch.device, budget: int | None = None
    ) -> None:
        self._module = module.to(device).requires_grad_(requires_grad=False).eval()
        self._device = device
        self.budget = budget or TOKENS_PER_BATCH[device.type]
        self.weight_bytes = sum(
            tensor.numel() * tensor.element_size() for tensor in self._module.state_dict().values()
        )

    @torch.inference_mode()
    def run(self, ids: Ids, mask: Ids, kinds: Ids | None = None) -> Matrix:
        inputs = [ids, mask] if kinds is None else [ids, mask, kinds]
        output = self._module(*(torch.from_numpy(rows).to(self._device) for rows in inputs))
        answer: Matrix = output.float().cpu().numpy()
        return answer
