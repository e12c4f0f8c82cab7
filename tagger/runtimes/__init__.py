"""Runtimes: what the product's transformers are computed with, by name.

Comes in from: encoders, label semantics, training and releases. PyTorch and ONNX Runtime behind
one `Runner`, in full precision or eight bits; `choice` measures which one a release keeps.
"""

from __future__ import annotations

from typing import Literal, get_args

Runtime = Literal["torch", "torch-bf16", "torch-int8", "onnx", "onnx-int8", "onnx-int8-static"]
"""PyTorch in float32, in bfloat16, or with 8-bit linear layers; ONNX Runtime likewise, in 8 bits
with scales of activations found at each call or, static, beforehand."""

RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)

ON_CPU_ONLY: tuple[Runtime, ...] = ("torch-int8", "onnx", "onnx-int8", "onnx-int8-static")
"""Runtimes that compute on the processor wherever there is a GPU as well."""

BY_SETTING_ONLY: tuple[Runtime, ...] = ("onnx-int8-static",)
"""Runtimes that a release never chooses by itself: what they cost depends on the texts."""
