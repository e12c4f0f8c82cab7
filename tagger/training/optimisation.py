"""AdamW as BERT is tuned with it: what decays, how the rate rises and falls."""

from __future__ import annotations

from math import cos, pi
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch

WARM_UP = 0.1
"""Share of the steps over which the rate rises from zero."""


USUAL_WIDTH = 384
"""Hidden width of all-MiniLM-L6-v2, on which the learning rates were chosen."""


def rate_for(rate: float, width: int) -> float:
    """A rate chosen at `USUAL_WIDTH`, lowered for wider bodies in proportion.

    Small BERTs take rates of 1e-4 and more, BERT-base is tuned with 2e-5 to 5e-5 (Turc et al.
    2019, "Well-Read Students Learn Better"; Devlin et al. 2019, appendix A.3).
    """
    return rate * min(1.0, USUAL_WIDTH / width)


def parameter_groups(
    parameters: Iterable[torch.nn.Parameter], *, rate: float, decay: float
) -> list[dict[str, Any]]:
    """Two groups: matrices decay, biases and LayerNorms (all that has one dimension) do not.

    Frozen parameters are left out. Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay
    Regularization"; the exemption is BERT's own (google-research/bert, optimization.py).
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = ((matrices, decay), (others, 0.0))
    return [
        {"params": members, "lr": rate, "weight_decay": each} for members, each in groups if members
    ]


Schedule = Literal["constant", "linear", "cosine", "restarts", "polynomial"]
"""How the rate goes on after the warm-up: as it is; down to zero in a line, in half a wave of the
cosine, or with the square of what is left; or in `CYCLES` half waves, each from the top."""

SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)

CYCLES = 3


def rate_factor(step: int, total: int, schedule: Schedule = "linear") -> float:
    """What the rate is multiplied by at a step: linear warm-up, then by the schedule.

    Source: Devlin et al. 2019, BERT, appendix A.2 (linear); Loshchilov and Hutter 2017, "SGDR",
    https://arxiv.org/abs/1608.03983 (cosine, restarts); the names are those of transformers'
    `get_scheduler`.

    :param step: counted from 0, below `total`.
    :returns: in (0, 1].
    """
    warm = max(1, round(WARM_UP * total))
    if step < warm:
        return (step + 1) / warm
    left = (total - step) / max(1, total - warm)
    if schedule == "constant":
        return 1.0
    if schedule == "polynomial":
        return left**2
    if schedule == "cosine":
        return (1 + cos(pi * (1 - left))) / 2
    if schedule == "restarts":
        return (1 + cos(pi * ((CYCLES * (1 - left)) % 1))) / 2
    return left
