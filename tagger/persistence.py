"""How learned state lies on disk: JSON, safetensors and skops files; never pickle."""

from __future__ import annotations

import hashlib
import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

TRUSTED_TYPES = frozenset(
    {
        "skmultilearn.problem_transform.br.BinaryRelevance",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.naive_bayes.ComplementNB",
        "sklearn.naive_bayes.MultinomialNB",
    }
)
"""The classes that an estimator's file may name, beside arrays and plain containers."""

PLAIN_TYPES = frozenset(
    {f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "str", "tuple")}
    | {f"numpy.{name}" for name in ("bool", "dtype", "float32", "float64", "int64", "ndarray")}
)


_PLACE = re.compile(r'(?<="__id__": )\d+|(?<="file": ")\d+(?=\.npy")|\A\d+(?=\.npy\Z)')
"""Where an object lay in memory, as skops writes it: in its schema, and as an array's file name."""


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


def save_estimator(path: Path, estimator: object) -> None:
    """Write a scikit-learn estimator with skops (https://skops.readthedocs.io), compressed.

    Equal estimators give equal files: skops names parts by their place in memory and stamps them
    with the time; here they are numbered in their order, and the time is left out.
    """
    from skops.io import dumps

    numbers: dict[str, str] = {}

    def numbered(place: re.Match[str]) -> str:
        return numbers.setdefault(place[0], str(len(numbers)))

    with ZipFile(BytesIO(dumps(estimator))) as made, ZipFile(path, "w") as settled:
        schema = _PLACE.sub(numbered, made.read("schema.json").decode())
        parts = {"schema.json": schema.encode()} | {
            _PLACE.sub(numbered, name): made.read(name)
            for name in sorted(made.namelist())
            if name != "schema.json"
        }
        for name, content in sorted(parts.items()):
            settled.writestr(ZipInfo(name), content, compress_type=ZIP_DEFLATED)


def load_estimator(path: Path) -> Any:
    """Read an estimator made of nothing but `TRUSTED_TYPES`, arrays and plain containers.

    :raises ReleaseDamaged: the file is missing, broken, or names another class.
    """
    from skops.io import load

    check_estimator(path)
    try:
        return load(path, trusted=sorted(TRUSTED_TYPES))
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ReleaseDamaged(path.parent, f"{path.name}: {error}") from error


def check_estimator(path: Path) -> None:
    """Refuse an estimator's file that `load_estimator` would refuse, without reading its arrays.

    Needs no skops, which by itself trusts every estimator of scikit-learn and imports them all:
    1.5 s and 200 MB that a service which only scores can do without.

    :raises ReleaseDamaged: the file is missing, broken, or names another class.
    """
    try:
        strangers = sorted(_types_named(path) - TRUSTED_TYPES - PLAIN_TYPES)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ReleaseDamaged(path.parent, f"{path.name}: {error}") from error
    if strangers:
        raise ReleaseDamaged(path.parent, f"{path.name} names {', '.join(strangers)}")


def _types_named(path: Path) -> set[str]:
    """Every class that a skops file would build, read from its schema without building any."""
    with ZipFile(path) as archive:
        pending: list[Any] = [json.loads(archive.read("schema.json"))]
    names: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if "__class__" in node:
                names.add(f"{node.get('__module__')}.{node['__class__']}")
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return names
