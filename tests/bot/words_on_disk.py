"""Searches every file of an installation for words, also where they lie compressed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING
from zipfile import ZipFile, is_zipfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def files_with(words: Iterable[str], folder: Path) -> set[str]:
    """Names of files below the folder that hold one of the words, in whatever case."""
    wanted = [word.lower().encode() for word in words]
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and any(word in part for part in _parts(path) for word in wanted)
    }


def _parts(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content.lower()
    if is_zipfile(path):
        with ZipFile(path) as archive:
            yield from (archive.read(name).lower() for name in archive.namelist())
    elif content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content).lower()
