"""One process and the releases of many repositories: memory, and the wait for an unloaded one.

    python docs/benchmarks/release_cache.py --repositories 100 --work FOLDER

Trains one release on the invented repository (`--strategies` says of what), gives a copy of its
folder to each repository, and lets every one of them tag an issue, in turn and then at random.
Prints one JSON document. FOLDER keeps the release for another run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.container import build
from bot.demo.material import from_sample
from bot.learning.retraining import RetrainRequest, retrain
from bot.model_serving.lru import resident_bytes
from bot.process.settings import load_settings
from bot.repositories.importing import import_rows
from store.records import ReleaseRecord
from tagger.domain.issue import IssueText
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from bot.container import Container

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRAINED = "measured/trained"
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=100)
    parser.add_argument("--random", type=int, default=60, help="Issues tagged at random then.")
    parser.add_argument("--strategies", default="zero-shot,linear,naive-bayes,knn,contrastive")
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    settings = load_settings(data_dir=given.work)
    given.work.mkdir(parents=True, exist_ok=True)
    trained = _trained(given.work, given.strategies.split(","))
    installation = build(settings)
    installation.store.migrate()
    ids = _copies(installation, trained, given.repositories)
    installation.resources(tuning=False).encoder()
    at_rest = resident_bytes()
    chance = random.Random(0)
    asked = [*ids.items(), *chance.choices(list(ids.items()), k=given.random)]
    answers = [_ask(installation, *one) for one in asked]
    waits = [seconds for seconds, loaded in answers if not loaded]
    ready = [seconds for seconds, loaded in answers if loaded]
    size = sum(path.stat().st_size for path in trained.rglob("*") if path.is_file())
    print(
        json.dumps(
            {
                "repositories": given.repositories,
                "release_mib": round(size / MIB, 1),
                "loaded_at_the_end": len(installation.cache.loaded),
                "at_rest_mib": round(at_rest / MIB),
                "at_the_end_mib": round(resident_bytes() / MIB),
                "peak_mib": round(_peak() / MIB),
                # it also imports the libraries, which `serve` does before it is ready
                "very_first_seconds": round(waits[0], 3),
                "first_issue_of_an_unloaded_one": _summary(waits[1:]),
                "issue_of_a_loaded_one": _summary(ready),
            },
            indent=1,
        )
    )


def _trained(work: Path, strategies: list[str]) -> Path:
    """The folder of a release of the invented repository, trained unless it is there."""
    settings = load_settings(data_dir=work / "trained")
    found = sorted((settings.releases_folder / TRAINED).glob("2*"))
    if found:
        return found[-1]
    # in a process of its own: training leaves memory behind that serving does not need
    child = os.fork()
    if not child:
        _train(work / "trained", strategies)
        os._exit(0)
    os.waitpid(child, 0)
    return max((settings.releases_folder / TRAINED).glob("2*"))


def _train(folder: Path, strategies: list[str]) -> None:
    installation = build(load_settings(data_dir=folder))
    installation.store.migrate()
    material = from_sample(silent)
    import_rows(installation.store, TRAINED, material.known, material.labels, now=NOW)
    workspace = replace(installation.workspace(), now=NOW)
    retrain(workspace, RetrainRequest(TRAINED, strategies=strategies))
    installation.close()


def _copies(installation: Container, trained: Path, n: int) -> dict[str, int]:
    """Repositories with a copy of the release each, which serves: release's id → repository's."""
    manifest = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))
    ids = {}
    for number in range(n):
        name, release = f"measured/r{number}", f"{trained.name}-{number}"
        folder = installation.settings.releases_folder / name / trained.name
        if not folder.exists():
            shutil.copytree(trained, folder, copy_function=os.link)
        with installation.store.begin() as work:
            repository = work.repositories.get_or_create(name, now=NOW)
            ids[release] = repository.id
            if work.releases.active(repository.id) is None:
                location = f"{name}/{trained.name}"
                record = ReleaseRecord(release, NOW, location, manifest["digest"], manifest)
                work.releases.add(repository.id, record)
                work.releases.promote(repository.id, release, NOW + timedelta(seconds=1))
    return ids


def _ask(installation: Container, release: str, repository_id: int) -> tuple[float, bool]:
    """Seconds until an issue is tagged, and whether its release was loaded before."""
    was_there = release in installation.cache.loaded
    text = f"sync fails with a conflict, case {time.monotonic_ns()}"  # no vector is kept of it
    began = time.perf_counter()
    found = installation.cache.active(repository_id)
    if found is None:
        raise SystemExit(f"repository {repository_id} has no release")
    found.release.tag([IssueText(text, "It happens when a large folder is shared.")])
    return time.perf_counter() - began, was_there


def _summary(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"n": 0}
    return {
        "n": len(seconds),
        "median_seconds": round(statistics.median(seconds), 3),
        "worst_seconds": round(max(seconds), 3),
    }


def _peak() -> int:
    """The most memory that this process has held."""
    kind = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kind


if __name__ == "__main__":
    main()
