"""Devices: where models are computed, what is fast there, how much fits in a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tagger.errors import DeviceMissing

if TYPE_CHECKING:
    from tagger.runtimes import Runtime

TOKENS_PER_BATCH = {"cpu": 4096, "cuda": 131_072}


def choose_device(name: str) -> torch.device:
    """The device by its setting: "auto" is CUDA where there is one.

    :raises DeviceMissing: CUDA was asked for and there is none.
    """
    there = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if there else "cpu"
    if name not in TOKENS_PER_BATCH:
        raise ValueError(f"device is {name!r}, expected auto, cpu or cuda")
    if name == "cuda" and not there:
        raise DeviceMissing(
            "ISSUE_TAGGER_DEVICE is cuda, but this PyTorch finds no CUDA device here; set it to "
            "auto or cpu, or install a build of PyTorch with CUDA and the GPU's driver"
        )
    return torch.device(name)


def vector_instructions() -> str:
    """The widest vectors that PyTorch computes with on this processor, such as AVX2."""
    return torch.backends.cpu.get_cpu_capability()


def sums_overflow_in_8_bits() -> bool:
    """Whether this processor adds products of 8-bit numbers in 16 bits, where two can overflow.

    So do x86 processors without VNNI; weights of 7 bits are then exact again. Source: ONNX Runtime,
    *Quantize ONNX models*, "When and why do I need to try U8U8?".
    """
    abilities = torch.cpu.get_capabilities()
    wide = ("avx512_vnni", "avx_vnni", "amx_int8")
    return abilities.get("architecture") == "x86_64" and not any(map(abilities.get, wide))


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether matrices multiply in bfloat16 natively: elsewhere it is emulated and slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))


def usual_runtime(device: torch.device) -> Runtime:
    """What needs no measurement: PyTorch, in bfloat16 where the device multiplies in it."""
    return "torch-bf16" if has_fast_bfloat16(device) else "torch"
