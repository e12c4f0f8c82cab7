"""What `fine-tuned` promises beyond the contract of every strategy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tiny_bodies
import torch

from tagger.domain.issue import IssueText, TrainingSet
from tagger.domain.strategy import Resources
from tagger.errors import ModelNotFound, NothingToLearnFrom, ReleaseDamaged
from tagger.strategies.fine_tuned import FineTuned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tagger.encoders.encoder import Encoder


def no_encoder() -> Encoder:
    raise AssertionError("fine-tuning has a body of its own and asks no encoder")


@pytest.fixture
def resources(bert_folder: Path) -> Resources:
    return Resources(encoder=no_encoder, bert_model=bert_folder, device="cpu")


def test_learns_to_tell_labels_apart(resources: Resources) -> None:
    learned = FineTuned(resources).fit(tiny_bodies.issues(120))
    unseen = tiny_bodies.issues(60, seed=9)
    scores = learned.score(unseen.issues)
    assert ((scores > 0.5) == unseen.targets).mean() > 0.7


def test_any_architecture_serves(any_folder: Path) -> None:
    resources = Resources(encoder=no_encoder, bert_model=any_folder, device="cpu")
    train = tiny_bodies.issues(40)
    learned = FineTuned(resources).fit(train)
    scores = learned.score(train.issues)
    assert scores[train.targets].mean() > scores[~train.targets].mean() + 0.05


def test_says_which_setting_is_missing() -> None:
    bare = FineTuned(Resources(encoder=no_encoder))
    with pytest.raises(ModelNotFound, match="ISSUE_TAGGER_BERT_MODEL"):
        bare.fit(tiny_bodies.issues(10))


def test_refuses_an_empty_training_set(resources: Resources) -> None:
    with pytest.raises(NothingToLearnFrom, match="0 labelled issues"):
        FineTuned(resources).fit(tiny_bodies.issues(10).subset([]))


def test_labels_without_contrast_get_their_smoothed_share_and_need_no_model() -> None:
    train = tiny_bodies.issues(4)
    all_or_none = TrainingSet(
        train.labels, train.numbers, train.issues, np.tile([True, False], (4, 1))
    )
    learned = FineTuned(Resources(encoder=no_encoder)).fit(all_or_none)
    assert learned.score(train.issues[:1]) == pytest.approx(np.array([[0.9, 0.1]]))


def test_same_seed_same_scores_and_another_seed_others(resources: Resources) -> None:
    train = tiny_bodies.issues(30)
    first, again = (FineTuned(resources, seed=5).fit(train).score(train.issues) for _ in "ab")
    other = FineTuned(resources, seed=6).fit(train).score(train.issues)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_schedule_that_was_set_is_kept_to(resources: Resources) -> None:
    train = tiny_bodies.issues(30)
    linear, constant = (
        FineTuned(replace(resources, schedule=schedule)).fit(train).score(train.issues)
        for schedule in ("linear", "constant")
    )
    assert not np.array_equal(linear, constant)


def test_leaves_the_global_generators_alone(resources: Resources) -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()
    FineTuned(resources).fit(tiny_bodies.issues(220))
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before[1])


def test_a_score_does_not_depend_on_the_company(resources: Resources) -> None:
    train = tiny_bodies.issues(30)
    learned = FineTuned(resources).fit(train)
    together = learned.score(train.issues)
    alone = np.concatenate([learned.score([issue]) for issue in train.issues])
    assert np.abs(together - alone).max() < 0.01


def test_restored_scores_are_the_saved_ones(resources: Resources, tmp_path: Path) -> None:
    train = tiny_bodies.issues(30)
    learned = FineTuned(resources).fit(train)
    learned.save(tmp_path)
    restored = FineTuned(Resources(encoder=no_encoder, device="cpu")).restore(tmp_path)
    assert np.array_equal(restored.score(train.issues), learned.score(train.issues))
    (tmp_path / "again").mkdir()
    restored.save(tmp_path / "again")
    for name in ("model.safetensors", "head.safetensors", "tokenizer.json", "config.json"):
        first, second = tmp_path / "model" / name, tmp_path / "again" / "model" / name
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("lost", ["model.safetensors", "head.safetensors", "tokenizer.json"])
def test_a_lost_file_is_a_damaged_release(resources: Resources, tmp_path: Path, lost: str) -> None:
    FineTuned(resources).fit(tiny_bodies.issues(12)).save(tmp_path)
    (tmp_path / "model" / lost).unlink()
    with pytest.raises(ReleaseDamaged):
        FineTuned(resources).restore(tmp_path)


def test_cut_weights_are_a_damaged_release(resources: Resources, tmp_path: Path) -> None:
    FineTuned(resources).fit(tiny_bodies.issues(12)).save(tmp_path)
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ReleaseDamaged):
        FineTuned(resources).restore(tmp_path)


@pytest.mark.parametrize(
    "make_text",
    [
        str,
        lambda: "the crash " * 20_000,
        lambda: "сбой при открытии 打开时崩溃 عطل 💥",
        lambda: "\n",
    ],
)
def test_texts_of_any_kind_get_scores(resources: Resources, make_text: Callable[[], str]) -> None:
    learned = FineTuned(resources).fit(tiny_bodies.issues(12))
    scores = learned.score([IssueText(make_text()), IssueText("crash", make_text())])
    assert scores.shape == (2, 2)
    assert np.isfinite(scores).all()


def test_no_issues_no_scores(resources: Resources) -> None:
    assert FineTuned(resources).fit(tiny_bodies.issues(12)).score([]).shape == (0, 2)


def test_two_equal_issues_with_different_labels_are_no_obstacle(resources: Resources) -> None:
    twin = IssueText("crash", "please add support")
    train = TrainingSet(
        tiny_bodies.issues(1).labels, (1, 2), (twin, twin), np.array([[True, False], [False, True]])
    )
    scores = FineTuned(resources).fit(train).score([twin])
    assert scores == pytest.approx(np.full((1, 2), 0.5), abs=0.2)


def test_progress_runs_from_nothing_to_all(bert_folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    resources = Resources(
        encoder=no_encoder,
        bert_model=bert_folder,
        device="cpu",
        progress=lambda *what: told.append(what),
    )
    FineTuned(resources).fit(tiny_bodies.issues(12))
    total = told[0][2]
    assert told == [("fine-tuning", done, total) for done in range(total + 1)]
