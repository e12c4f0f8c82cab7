"""How learned state lies on disk: JSON and safetensors; never pickle."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_json(path: Path, value: object) -> None:
    """Write JSON that is the same byte for byte for equal values."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def load_json(path: Path) -> dict[str, Any]:
    """Read what `save_json` wrote from a mapping.

    :raises ReleaseDamaged: the file is missing, is not JSON, or is not an object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseDamaged(path.parent, f"{path.name}: {error}") from error
    if not isinstance(value, dict):
        raise ReleaseDamaged(
            path.parent, f"{path.name} holds {type(value).__name__}, not an object"
        )
    return value


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as safetensors (https://huggingface.co/docs/safetensors)."""
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def load_arrays(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """Read arrays, of which `names` must be there.

    :raises ReleaseDamaged: the file is missing, broken, or lacks one of `names`.
    """
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ReleaseDamaged(path.parent, f"{path.name}: {error}") from error
    if missing := sorted(set(names) - arrays.keys()):
        raise ReleaseDamaged(path.parent, f"{path.name} lacks {', '.join(missing)}")
    return arrays
