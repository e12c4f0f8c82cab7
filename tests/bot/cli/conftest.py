"""The command line run in this process, on a data folder of the test's own, with a tiny encoder."""

from __future__ import annotations

import logging
import os
import shutil
import string
from typing import TYPE_CHECKING

import pytest
from fakes_cli import REPO, WORDS, Terminal, issue_file, sixty

from bot.cli import opening
from bot.process.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    """A command sets up the process's logs; the next test must not find them."""
    before, umask = logging.getLogger().handlers[:], os.umask(0o022)
    yield
    os.umask(umask)
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = before
    opening.debug = False


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, data_dir: Path, encoder_folder: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setenv("ISSUE_TAGGER_DATA_DIR", str(data_dir))
    monkeypatch.setenv("ISSUE_TAGGER_ENCODER", str(encoder_folder))
    monkeypatch.setenv("ISSUE_TAGGER_DEVICE", "cpu")
    monkeypatch.setenv("ISSUE_TAGGER_RUNTIME", "torch")  # comparing them takes seconds
    # whether this machine happens to reach the hub must not change what is tested
    monkeypatch.setattr("bot.container.to_tune", lambda *_: None)
    monkeypatch.setattr("bot.container.to_entail", lambda *_: None)
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one narrow layer with random weights, as `save_pretrained` leaves it."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models") / "encoder"
    folder.mkdir()
    letters = string.ascii_lowercase + string.digits
    words = sorted({word for each in WORDS.values() for word in each})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *letters, *(f"##{one}" for one in letters), *words, ".", ","]
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Path:
    """A data folder with sixty issues and an active release, to be copied and not used."""
    from datetime import UTC, datetime

    from bot.container import build
    from bot.learning.retraining import RetrainRequest, retrain
    from bot.learning.workspace import Workspace
    from bot.model_serving.release_archive import ReleaseArchive
    from bot.process.settings import load_settings
    from bot.repositories.importing import ImportRequest, import_files

    folder = tmp_path_factory.mktemp("trained")
    settings = load_settings(data_dir=folder, encoder=str(encoder_folder), device="cpu")
    installation = build(settings)
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.container.to_tune", lambda *_: None)
        patch.setattr("bot.container.to_entail", lambda *_: None)
        installation.store.migrate()
        import_files(
            installation.store, REPO, ImportRequest([issue_file(folder, *sixty())]), now=now
        )
        resources = installation.resources()
        archive = ReleaseArchive(settings.releases_folder)
        retrain(Workspace(installation.store, resources, archive, now), RetrainRequest(REPO))
        installation.close()
    return folder


@pytest.fixture
def trained(trained_folder: Path, data_dir: Path) -> Path:
    """The test's own data folder with sixty issues and an active release."""
    shutil.copytree(trained_folder, data_dir)
    return data_dir
