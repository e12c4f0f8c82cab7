"""Converted networks on disk: each under the digest of all that decides its numbers."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tagger.errors import ReleaseDamaged
from tagger.persistence import file_digest, load_json
from tagger.runtimes.devices import sums_overflow_in_8_bits

if TYPE_CHECKING:
    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import Network

LIBRARIES = ("torch", "transformers", "onnxruntime", "onnx")


def converted(network: Network, runtime: Runtime, folder: Path) -> Path:
    """The network as an ONNX file in `folder`, made now unless it is there and whole.

    The file appears under its name only once it was compared with PyTorch; `.json` beside it says
    how far the two are apart, and the file's digest.

    :raises ModelRefused: it cannot be exported, or the copy computes something else.
    """
    file = folder / f"{_name(network, runtime)}.onnx"
    if file.is_file() and _is_whole(file):
        return file
    from tagger.runtimes.conversion import convert  # which needs PyTorch, as a whole file does not

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".converting-") as aside:
        made = convert(network, runtime, Path(aside))
        made.with_suffix(".json").replace(file.with_suffix(".json"))
        made.replace(file)  # last, for its name is the sign that all is there
    return file


def parity(file: Path) -> float:
    """Relative error of a converted file against PyTorch in float32, as measured then."""
    return float(load_json(file.with_suffix(".json"))["relative_error"])


def _is_whole(file: Path) -> bool:
    """Whether it is what was compared; a copy of before digests were recorded is made anew."""
    try:
        return load_json(file.with_suffix(".json")).get("sha256") == file_digest(file)
    except ReleaseDamaged:
        return False


def _name(network: Network, runtime: Runtime) -> str:
    made_by = [f"{name} {version(name)}" for name in LIBRARIES]
    bits = ["7 bits"] if "int8" in runtime and sums_overflow_in_8_bits() else []
    text = "\n".join([network.digest, runtime, *made_by, *bits])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
