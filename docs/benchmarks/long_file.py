"""Whether memory stays flat while `tag --file` works through a long file.

    python docs/benchmarks/long_file.py --issues 100000 --work FOLDER

Trains a release of the cheap strategies on the invented repository, writes a file of so many
made-up issues, tags it with the command in a process of its own, and prints that process's memory
after each tenth of the answers, and its peak. FOLDER keeps release and file for another run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from bot.container import build
from bot.demo.material import from_sample
from bot.learning.retraining import RetrainRequest, retrain
from bot.process.settings import environment_of, load_settings
from bot.repositories.importing import import_rows
from tagger.domain.strategy import silent

REPOSITORY = "measured/long"
CHEAP = ("zero-shot", "linear", "naive-bayes", "knn")
MARKS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=100_000)
    parser.add_argument("--strategies", default=",".join(CHEAP), help="of the release")
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    settings = load_settings(data_dir=given.work)
    if not settings.releases_folder.exists():
        _train(given.work, given.strategies.split(","))
    file = _written(given.work, given.issues)
    began = time.monotonic()
    command = [sys.executable, "-m", "bot.cli", "tag", REPOSITORY, "--file", str(file)]
    environment = environment_of(settings)
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, env=environment, text=True
    ) as child:
        marks = _watched(child, given.issues)
        seconds = time.monotonic() - began
    print(json.dumps({"issues": given.issues, "seconds": round(seconds), "mib": marks}, indent=1))
    sys.exit(child.returncode)


def _watched(child: subprocess.Popen[str], total: int) -> dict[str, int]:
    """MiB that the process holds after each tenth of the answers, and the most it ever held."""
    marks: dict[str, int] = {}
    done = 0
    for line in child.stdout or ():
        if line.startswith("#"):
            done += 1
            if done % max(1, total // MARKS) == 0:
                marks[str(done)] = _memory(child.pid, "VmRSS")
                marks["peak"] = _memory(child.pid, "VmHWM")
                print(done, marks[str(done)], file=sys.stderr, flush=True)
    return marks


def _memory(process: int, field: str) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) // 1024


def _train(folder: Path, strategies: list[str]) -> None:
    """In a process of its own, for what training leaves behind is not measured here."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    installation = build(load_settings(data_dir=folder))
    installation.store.migrate()
    material = from_sample(silent)
    now = installation.clock()
    import_rows(installation.store, REPOSITORY, material.known, material.labels, now=now)
    retrain(installation.workspace(), RetrainRequest(REPOSITORY, strategies=strategies))
    installation.close()
    os._exit(0)


def _written(folder: Path, n: int) -> Path:
    """A file of issues whose words come from the invented repository, no two alike."""
    file = folder / f"{n}.jsonl"
    if file.exists():
        return file
    chance = random.Random(0)
    texts = [row.record for row in from_sample(silent).known]
    words = sorted({word for one in texts for word in f"{one.title} {one.body}".split()})
    with file.open("w", encoding="utf-8") as out:
        for number in range(1, n + 1):
            row = {
                "number": number,
                "title": " ".join(chance.choices(words, k=6)),
                "body": " ".join(chance.choices(words, k=chance.randint(0, 12))),
                "labels": [],
                "created_at": "2026-01-01T00:00:00Z",
            }
            out.write(json.dumps(row) + "\n")
    return file


if __name__ == "__main__":
    main()
