"""Conversion to ONNX: exported and compared with PyTorch; `converted_files` keeps what is made."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.errors import ModelRefused
from tagger.persistence import file_digest, save_json
from tagger.runtimes.onnx_runner import NAMES, OnnxRunner
from tagger.runtimes.torch_runner import TorchRunner

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import Matrix, Network, Runner

OPSET = 17

LENGTHS = (3, 13, 30)
"""Tokens of the texts that both sides are compared on; none is the length that was traced."""

TOLERANCE: dict[Runtime, float] = {
    "onnx": 1e-3,
    "onnx-int8": 0.35,
    "onnx-int8-static": 0.6,
}
"""Largest relative error against PyTorch in float32. Random tokens are harder on 8 bits than text
is; a conversion that went wrong is off by 1 and more."""


def convert(network: Network, runtime: Runtime, folder: Path) -> Path:
    """Write `model.onnx` and `model.json` into an existing folder; see `converted_files`."""
    module = network.build(torch.float32)
    exported, file = folder / "exported.onnx", folder / "model.onnx"
    try:
        _export(module, network, exported)
        if runtime == "onnx-int8":
            from tagger.runtimes.onnx_int8 import quantise

            quantise(exported, file)
            exported.unlink()
        elif runtime == "onnx-int8-static":
            from tagger.runtimes.onnx_static_int8 import quantise_statically

            quantise_statically(exported, file, _samples(network))
            exported.unlink()
        else:
            exported.rename(file)
        error = _error(TorchRunner(module, torch.device("cpu")), OnnxRunner(file), network)
    except ModelRefused:
        raise
    except Exception as problem:  # exporter and session raise their libraries' own kinds
        raise _refused(runtime, f"{type(problem).__name__}: {problem}") from problem
    if not error <= TOLERANCE[runtime]:
        raise _refused(runtime, f"the copy's numbers are off by {error:.3f} of their size")
    record = {"relative_error": error, "runtime": runtime, "sha256": file_digest(file)}
    save_json(file.with_suffix(".json"), record)
    return file


def _export(module: torch.nn.Module, network: Network, file: Path) -> None:
    """Trace the module; its attention written out, which ONNX Runtime fuses best."""
    body: Any = module.body
    if hasattr(body, "set_attn_implementation"):
        body.set_attn_implementation("eager")
    names = NAMES[: 3 if network.kinds else 2]
    axes = {name: {0: "rows", 1: "tokens"} for name in names}
    with warnings.catch_warnings():
        # of tracing, whose generality `_error` examines, and of the exporter that is to come,
        # which needs one more package
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            _random(network, n_rows=2, n_tokens=24),
            str(file),
            input_names=list(names),
            output_names=["found"],
            dynamic_axes={**axes, "found": {0: "rows"}},
            opset_version=OPSET,
            dynamo=False,
        )


def _error(ours: Runner, theirs: Runner, network: Network) -> float:
    """Largest relative error over texts of several lengths, padded and not."""
    errors = []
    for n_tokens in LENGTHS:
        for n_rows in (1, 2):
            inputs = [tensor.numpy() for tensor in _random(network, n_rows, n_tokens)]
            expected, got = ours.run(*inputs), theirs.run(*inputs)
            errors.append(_relative(expected, got))
    return round(max(errors), 6)


def _relative(expected: Matrix, got: Matrix) -> float:
    if expected.shape != got.shape or not np.isfinite(got).all():
        return float("inf")
    return float(np.linalg.norm(got - expected) / max(float(np.linalg.norm(expected)), 1e-6))


def _random(network: Network, n_rows: int, n_tokens: int) -> tuple[torch.Tensor, ...]:
    """Ids, mask and perhaps types; of several rows the last is padded in its second half."""
    rng = np.random.default_rng(n_tokens)
    ids = torch.from_numpy(rng.integers(0, network.vocabulary, (n_rows, n_tokens)))
    mask = torch.ones_like(ids)
    if n_rows > 1:
        mask[-1, n_tokens // 2 + 1 :] = 0
    kinds = torch.zeros_like(ids)
    kinds[:, n_tokens // 2 :] = 1
    return (ids, mask, kinds) if network.kinds else (ids, mask)


def _samples(network: Network) -> list[dict[str, Any]]:
    """What activations are measured on, text by text."""
    if not network.samples:
        drawn = [_random(network, 2, n_tokens) for n_tokens in (8, 32, 96)]
        return [
            dict(zip(NAMES, (tensor.numpy() for tensor in each), strict=False)) for each in drawn
        ]
    rows = [np.array([list(ids)], dtype=np.int64) for ids in network.samples]
    inputs = [{NAMES[0]: ids, NAMES[1]: np.ones_like(ids)} for ids in rows]
    if network.kinds:
        inputs = [{**each, NAMES[2]: np.zeros_like(each[NAMES[0]])} for each in inputs]
    return inputs


def _refused(runtime: Runtime, why: str) -> ModelRefused:
    return ModelRefused(
        f"a model cannot be run with {runtime}: {why.splitlines()[0]}; set ISSUE_TAGGER_RUNTIME "
        "to torch or torch-bf16"
    )
