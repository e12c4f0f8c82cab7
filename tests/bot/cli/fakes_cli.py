"""Commands run in the tests' own process, and issues whose words say which label fits."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bot.cli import app

if TYPE_CHECKING:
    from pathlib import Path

REPO = "octo/lab"
WORDS = {
    "bug": ("crash", "error", "broken", "fails"),
    "docs": ("manual", "typo", "guide", "explain"),
    "speed": ("slow", "memory", "minute", "fast"),
}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        assert self.out, self.err
        return json.loads(self.out)


class Terminal:
    """Runs commands as the console script does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Ended:
        self._monkeypatch.setattr(sys, "argv", ["issue-tagger", *map(str, arguments)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            app.run()
        captured = self._capsys.readouterr()
        return Ended(int(ending.value.code or 0), captured.out, captured.err)


def row(number: int, *labels: str, **fields: Any) -> dict[str, Any]:
    """An issue whose words say which label fits."""
    words = [word for label in labels for word in WORDS.get(label, ())]
    chosen = [words[(number + place) % len(words)] for place in range(3)] if words else ["hello"]
    return {
        "number": number,
        "title": f"{' '.join(chosen)} in part {number}",
        "body": f"It is about {' and '.join(reversed(chosen))}.",
        "labels": [{"name": label} for label in labels],
        "state": "open",
        "created_at": f"2026-01-{number % 28 + 1:02}T00:00:00Z",
        **fields,
    }


def issue_file(folder: Path, *rows: object, name: str = "issues.jsonl") -> Path:
    """A file for `import`; a string is a line as it is."""
    file = folder / name
    lines = (one if isinstance(one, str) else json.dumps(one) for one in rows)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def sixty() -> list[dict[str, Any]]:
    """Issues of three labels, and some without."""
    labels = [("bug",), ("docs",), ("speed",), ("bug", "speed"), ()]
    return [row(number, *labels[number % len(labels)]) for number in range(1, 61)]
