"""What beside the data decides a cell: the code of this package and the libraries under it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tagger

LIBRARIES = ("faiss-cpu", "numpy", "scikit-learn", "scikit-multilearn", "torch", "transformers")

_SHOWS_ONLY = "evaluation/report/"
"""The report draws what cells hold, and changes none."""


@cache
def method_fingerprint() -> str:
    """SHA-256 over the sources that make scores and the versions of what they stand on.

    Cells of two methods are not mixed: a run is resumed only with the code that began it.
    """
    root = Path(tagger.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix in {".py", ".json"} and not name.startswith(_SHOWS_ONLY):
            digest.update(name.encode())
            digest.update(path.read_bytes())
    digest.update(repr([(name, _version(name)) for name in LIBRARIES]).encode())
    return digest.hexdigest()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
