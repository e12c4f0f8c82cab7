"""Tuned members on the model server: found by digest among the releases that serve."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from bot.container import Container
from bot.model_server import loading
from bot.model_server.tuned_networks import LOOKED_AGAIN, TunedNetworks
from bot.model_serving.remote_runner import ModelServerClient
from bot.model_serving.served_networks import RowsRequest, ServedNetworks
from bot.process.settings import Settings
from store.records import ReleaseRecord
from tagger.releases.release import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from store.database import Store
    from tagger.training.tuned_model import TunedModel

NOW = datetime(2026, 3, 1, tzinfo=UTC)
REPO = "acme/rocket"
TEXTS = ["a crash", "the guide has a typo in it", "slow"]


class Machines:
    """A worker and a model server that share a database and a place for releases."""

    def __init__(self, store: Store, url: str, folder: Path, encoder_folder: Path) -> None:
        self.store = store
        self.encoder_folder = encoder_folder
        self.worker, self.server = (
            Container(
                Settings(
                    data_dir=folder / name,
                    database_url=url,
                    releases_url=str(folder / "shared"),
                    encoder=str(encoder_folder),
                    device="cpu",
                )
            )
            for name in ("worker", "server")
        )
        with store.begin() as work:
            self.repository = work.repositories.get_or_create(REPO, now=NOW).id
        self.now = 0.0
        self.tuned = TunedNetworks(self.server, lambda: self.now)
        self.networks = ServedNetworks(
            lambda *_: pytest.fail("none is always served"), self.tuned.find
        )
        self.answers: list[str] = []
        self.client = ModelServerClient(
            "http://models", transport=httpx.MockTransport(self._answer)
        )

    def serve(self, name: str, seed: int) -> Path:
        """Train, keep and promote a release with a tuned member; the member's folder here."""
        location = f"{REPO}/{name}"
        release = self.worker.archive.folder / location
        (release / "chain" / "model").mkdir(parents=True)
        tuned(self.encoder_folder, seed).save(release / "chain" / "model")
        files = {
            path.relative_to(release).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in release.rglob("*")
            if path.is_file()
        }
        made = Manifest(name, REPO, NOW, (), (), 0, 0.9, 0, "f", {}, {}, (), files)
        (release / "manifest.json").write_text(json.dumps(made.as_json()))
        self.worker.archive.keep(location)
        with self.store.begin() as work:
            record = ReleaseRecord(name, NOW, location, made.digest, {})
            work.releases.add(self.repository, record)
            work.releases.promote(self.repository, name, NOW)
        return release / "chain" / "model"

    def opened(self, folder: Path, *, remote: bool) -> TunedModel:
        from dataclasses import replace

        from tagger.training.tuned_model import TunedModel

        there = self.client.open if remote else None
        resources = self.worker.resources(tuning=False, runtime="torch")
        return TunedModel.restore(folder, replace(resources, open_runner=there))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self.networks.run([RowsRequest.from_json(json.loads(request.content))])[0]
        self.answers.append("rows" if "rows" in answer else next(iter(answer)))
        return httpx.Response(200, json=answer)


def tuned(encoder_folder: Path, seed: int) -> TunedModel:
    import torch

    from tagger.domain.strategy import Resources
    from tagger.encoders.loading import load
    from tagger.training.classifier import TextClassifier
    from tagger.training.tokens import TokenReader
    from tagger.training.tuned_model import TunedModel

    tokenizer, body = load(encoder_folder, torch.float32, torch.device("cpu"))
    classifier = TextClassifier(body, 3)
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(3, 32)), rng.normal(size=3)
    classifier.set_head(weights.astype(np.float32), bias.astype(np.float32))
    unused = Resources(encoder=lambda: pytest.fail("no encoder is needed"), device="cpu")
    return TunedModel.of(TokenReader(tokenizer, 32), classifier, unused)


@pytest.fixture
def machines(
    store: Store, database_url: str, tmp_path: Path, encoder_folder: Path
) -> Iterator[Machines]:
    made = Machines(store, database_url, tmp_path, encoder_folder)
    yield made
    made.worker.close()
    made.server.close()


def test_the_server_fetches_the_release_and_gives_the_same_numbers(machines: Machines) -> None:
    folder = machines.serve("r1", seed=1)
    there, here = (machines.opened(folder, remote=remote) for remote in (True, False))
    assert np.abs(there.score(TEXTS) - here.score(TEXTS)).max() < 1e-3
    assert set(machines.answers) == {"rows"}
    assert (machines.server.archive.folder / REPO / "r1" / "manifest.json").is_file()


def test_a_release_that_serves_since_is_found_without_a_restart(machines: Machines) -> None:
    machines.opened(machines.serve("r1", seed=1), remote=True).score(TEXTS)
    folder = machines.serve("r2", seed=2)
    early = machines.opened(folder, remote=True)
    here = machines.opened(folder, remote=False)
    assert np.abs(early.score(TEXTS) - here.score(TEXTS)).max() < 1e-6
    assert machines.answers[-1] == "unknown"  # it looked a moment ago
    machines.now += LOOKED_AGAIN
    late = machines.opened(folder, remote=True)
    assert np.abs(late.score(TEXTS) - here.score(TEXTS)).max() < 1e-3
    assert machines.answers[-1] == "rows"


def test_a_copy_that_is_damaged_on_the_server_is_not_computed_with(machines: Machines) -> None:
    folder = machines.serve("r1", seed=1)
    release = machines.server.archive.folder / REPO / "r1"
    shutil.copytree(machines.worker.archive.folder / REPO / "r1", release)
    head = release / "chain" / "model" / "head.safetensors"
    head.write_bytes(head.read_bytes()[:-1] + b"?")
    there, here = (machines.opened(folder, remote=remote) for remote in (True, False))
    assert np.abs(there.score(TEXTS) - here.score(TEXTS)).max() < 1e-6
    assert set(machines.answers) == {"unknown"}


def test_without_a_database_it_serves_what_it_always_serves(
    tmp_path: Path, encoder_folder: Path
) -> None:
    settings = Settings(data_dir=tmp_path, encoder=str(encoder_folder), device="cpu")
    networks = loading.load_networks(settings, ["torch"], "cpu")
    ids = np.ones((1, 4), dtype=np.int64)
    asked = [RowsRequest(digest, "torch", ids, ids, None) for digest, _ in networks.served]
    assert all("rows" in answer for answer in networks.run(asked))
    unknown = networks.run([RowsRequest("another", "torch", ids, ids, None)])
    assert unknown == [{"unknown": "another"}]
