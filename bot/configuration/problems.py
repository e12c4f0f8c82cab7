"""One problem of a configuration file, as a person and a check run's annotation need it."""

from __future__ import annotations

import re
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The way from the top of the file to a value: keys, and positions in lists."""

_BARE = re.compile(r"[\w-]+")
_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, where, and what was expected instead.

    :ivar line: counted from 1.
    :ivar key: the value's place written for people (`labels."good first issue".mode`), "" for the
        whole file.
    :ivar message: a sentence without its subject, such as "unknown key; did you mean 'mode'?".
    """

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.line}: {self.key}" if self.key else f"{self.line}"
        return f"{where}: {self.message}"


def written(path: Path) -> str:
    """A path for people: `ignore.titles[2]`, with quotes where a key would be misread."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            bare = shortened(step) if _BARE.fullmatch(step) else f'"{shortened(step)}"'
            text += f".{bare}" if text else bare
    return text


def shortened(text: str) -> str:
    """At most 60 characters: a problem quotes what was got, not a page of it."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
