"""Compress: the student of the active release passes the gate or is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import CommandRefused
from bot.learning.compressing import CompressRequest, compress
from bot.learning.retraining import RetrainRequest, retrain
from bot.learning.workspace import Workspace
from bot.model_serving.release_archive import ReleaseArchive
from store.records import IssueRecord
from tagger.compression.compressing import CompressionGoal
from tagger.domain.strategy import Resources
from tagger.encoders.encoder import CachedEncoder, MemoryVectors
from tagger.encoders.model_sources import locate
from tagger.encoders.transformer import TransformerEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.learning.gating import Retrained
    from store.database import Store

REPO = "octo/school"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = {"bug": "crash error broken", "docs": "manual typo guide", "speed": "slow memory minute"}
KNOWN = tuple(word for words in WORDS.values() for word in words.split())


def body(folder: Path, vocabulary: Sequence[str]) -> Path:
    """A BERT of two narrow layers that knows these words and no other."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir()
    words = folder / "vocab.txt"
    words.write_text("\n".join(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *vocabulary)))
    config = BertConfig(
        vocab_size=5 + len(vocabulary), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=32,
        initializer_range=0.2,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(words)).save_pretrained(folder)
    return folder


@pytest.fixture
def able(tmp_path: Path) -> Resources:
    """Resources whose encoder knows every word, and whose start for a student does."""
    folder = body(tmp_path / "encoder", KNOWN)
    encoder = CachedEncoder(TransformerEncoder(locate(str(folder)), device="cpu"), MemoryVectors())
    return Resources(encoder=lambda: encoder, encoder_model=folder, device="cpu")


@pytest.fixture
def school(store: Store, able: Resources, tmp_path: Path) -> Store:
    """A release that serves, learned from 300 issues whose words say their label."""
    names = list(WORDS)
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=NOW)
        issues = []
        for number in range(1, 301):
            label = names[number % 3]
            words = WORDS[label].split()
            title = f"{words[number % 2]} {words[2]} number{number}"
            filed = NOW + timedelta(minutes=number)
            issues.append(IssueRecord(number, title, "", (label,), filed))
        work.issues.upsert(repository.id, issues)
    cheap = ("zero-shot", "linear", "naive-bayes", "knn")
    workspace = Workspace(store, able, ReleaseArchive(tmp_path / "releases"), NOW)
    retrain(workspace, RetrainRequest(REPO, strategies=cheap))
    return store


def compressed(store: Store, resources: Resources, tmp_path: Path, **goal: object) -> Retrained:
    workspace = Workspace(store, resources, ReleaseArchive(tmp_path / "releases"), NOW)
    wanted = CompressionGoal(trials=0, **goal)  # type: ignore[arg-type]
    return compress(workspace, CompressRequest(REPO, wanted, tmp_path / "studies"))


def states(store: Store) -> list[str]:
    with store.read() as work:
        return [one.state for one in work.releases.list(work.repositories.get(REPO).id)]


def test_a_student_as_good_as_its_teacher_takes_over(
    school: Store, able: Resources, tmp_path: Path
) -> None:
    done = compressed(school, able, tmp_path)
    assert done.promoted, done.gate.reason
    assert done.gate.n_issues > 10
    assert done.manifest.strategies == ("distilled", "knn")
    assert states(school) == ["active", "retired"]


def test_a_student_that_cannot_read_is_refused(
    school: Store, able: Resources, tmp_path: Path
) -> None:
    from dataclasses import replace

    blind = replace(able, encoder_model=body(tmp_path / "blind", ("nothing",)))
    done = compressed(school, blind, tmp_path)
    assert not done.promoted
    assert "worse than the active release" in done.gate.reason
    assert states(school) == ["refused", "active"]


def test_without_a_release_there_is_no_teacher(
    store: Store, able: Resources, tmp_path: Path
) -> None:
    with store.begin() as work:
        work.repositories.get_or_create(REPO, now=NOW)
    with pytest.raises(CommandRefused, match="retrain octo/school makes one"):
        compressed(store, able, tmp_path)
