"""What `import` takes of memory and time for an export of any size.

    python docs/benchmarks/import_memory.py --megabytes 1000 --shape pretty

Writes an array of made-up issues in GitHub's REST shape to a folder of its own, imports it with the
command in a process of its own, and prints that process's peak memory and its time. The folder goes
when it is done. `--shape`: pretty (an indented array), array (on one line), lines, object (one
answer of a search), csv.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = "measured/large"
LABELS = ("bug", "docs", "speed", "c: Ui")
WORDS = ("crash", "saving", "the", "lamp", "when", "slow", "manual", "über", "missing", "a")
ADDRESSES = ("labels_url", "comments_url", "events_url", "html_url", "timeline_url")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--shape", choices=sorted(_WRITERS), default="pretty")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="issue-tagger-import-") as folder:
        file = Path(folder) / "issues"
        issues = _written(file, arguments.megabytes * 1_000_000, arguments.shape)
        figures = {"shape": arguments.shape, "issues": issues, "file_mb": _megabytes(file)}
        print(json.dumps({**figures, **_imported(file, Path(folder) / "data")}))


def _imported(file: Path, data: Path) -> dict[str, Any]:
    """What the command said and took: seconds, and MB at most."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "bot.cli", "import", str(file), "--repo", REPOSITORY, "--json"],
        env={**os.environ, "ISSUE_TAGGER_DATA_DIR": str(data)},
        check=True,
        capture_output=True,
        text=True,
    )
    answer = json.loads(done.stdout)
    return {
        "shape_told": answer["files"][0]["shape"],
        "new": answer["new"],
        "seconds": round(time.monotonic() - began, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 // 1_000_000,
    }


def _megabytes(file: Path) -> int:
    return file.stat().st_size // 1_000_000


def _written(file: Path, size: int, shape: str) -> int:
    """A file of about so many bytes; returns how many issues are in it."""
    with file.open("w", encoding="utf-8", newline="") as out:
        return _WRITERS[shape](out, size)


def _issues() -> Iterator[dict[str, Any]]:
    """Issues with bodies of 0 to 6 KB, and the fields that nobody needs."""
    chance = random.Random(0)
    number = 0
    while True:
        number += 1
        words = chance.choices(WORDS, k=chance.randint(0, 1000))
        labels = chance.sample(LABELS, chance.randint(0, 2))
        base = f"https://api.github.test/repos/{REPOSITORY}/issues/{number}"
        yield {
            "number": number,
            "title": " ".join(chance.choices(WORDS, k=6)),
            "body": " ".join(words),
            "labels": [
                {"id": 1, "name": name, "color": "f00", "default": False} for name in labels
            ],
            "user": {"login": "ada", "id": 5, "type": "User"},
            "state": "open",
            "created_at": "2026-01-01T00:00:00Z",
            **{name: f"{base}/{name}" for name in ADDRESSES},
        }


def _joined(out: TextIO, size: int, between: str, indent: int | None) -> int:
    count = 0
    for issue in _issues():
        if count:
            out.write(between)
        out.write(json.dumps(issue, indent=indent))
        count += 1
        if count % 100 == 0 and out.tell() >= size:
            break
    return count


def _pretty(out: TextIO, size: int) -> int:
    out.write("[\n")
    count = _joined(out, size, ",\n", 2)
    out.write("\n]\n")
    return count


def _array(out: TextIO, size: int) -> int:
    out.write("[")
    count = _joined(out, size, ",", None)
    out.write("]")
    return count


def _object(out: TextIO, size: int) -> int:
    out.write('{"total_count": 1, "items": [')
    count = _joined(out, size, ",", None)
    out.write("]}")
    return count


def _lines(out: TextIO, size: int) -> int:
    return _joined(out, size, "\n", None)


def _csv(out: TextIO, size: int) -> int:
    names = ("number", "title", "body", "labels", "state", "created_at")
    writer = csv.writer(out)
    writer.writerow(names)
    for count, issue in enumerate(_issues(), 1):
        labels = ",".join(label["name"] for label in issue["labels"])
        writer.writerow([{**issue, "labels": labels}[name] for name in names])
        if count % 100 == 0 and out.tell() >= size:
            return count
    return 0


_WRITERS = {"pretty": _pretty, "array": _array, "object": _object, "lines": _lines, "csv": _csv}

if __name__ == "__main__":
    main()
