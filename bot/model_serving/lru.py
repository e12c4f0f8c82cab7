"""Which releases are in memory: the least recently used go when there is no room for another."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.process import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Loaded = TypeVar("Loaded")

_PAGES = Path("/proc/self/statm")
_PAGE_BYTES = 4096


@dataclass(frozen=True)
class _Entry(Generic[Loaded]):
    value: Loaded
    size: int


class ReleaseLru(Generic[Loaded]):
    """What is loaded for each key, such as a repository, within a bound. Not thread-safe.

    :param bound: bytes of all that is loaded together; one that is larger by itself is kept alone.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._kept: OrderedDict[Hashable, _Entry[Loaded]] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of all that is loaded."""
        return sum(entry.size for entry in self._kept.values())

    @property
    def values(self) -> tuple[Loaded, ...]:
        """All that is loaded, the least recently used first."""
        return tuple(entry.value for entry in self._kept.values())

    def get(self, key: Hashable) -> Loaded | None:
        """What is loaded for a repository, which is thereby used."""
        entry = self._kept.get(key)
        if entry is None:
            return None
        self._kept.move_to_end(key)
        return entry.value

    def drop(self, key: Hashable) -> None:
        """Unload what is there for a repository, if anything is; its memory goes back."""
        if self._kept.pop(key, None) is not None:
            memory.give_back()

    def load(self, key: Hashable, size: int, load: Callable[[], Loaded]) -> Loaded:
        """Make room, load, and keep in place of what was there for the repository before.

        Room is made before, lest there be both for a moment. Where the loading fails, the
        repository keeps what it had.

        :param size: bytes expected; where the process grows by more, that counts.
        """
        self._make_room(size, key)
        memory.trim()  # else what was free before would make the release look small
        before = resident_bytes()
        value = load()
        memory.give_back()  # what the loading needed for a moment is no part of it
        grown = resident_bytes() - before
        self.drop(key)
        self._kept[key] = _Entry(value, max(size, grown))
        self._make_room(0, key)
        return value

    def _make_room(self, size: int, spared: Hashable) -> None:
        others = [key for key in self._kept if key != spared]
        for key in others:
            if self.size + size <= self._bound:
                return
            self.drop(key)


def bytes_on_disk(folder: Path) -> int:
    """Sizes of all files below a folder: about what they take once loaded."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def resident_bytes() -> int:
    """Memory that this process holds; 0 where the system does not say."""
    try:
        return int(_PAGES.read_text("ascii").split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
