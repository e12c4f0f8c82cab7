"""What `contrastive` promises beyond the contract of every strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tiny_bodies
import torch
from hypothesis import given
from hypothesis import strategies as st

from tagger.domain.issue import IssueText, TrainingSet
from tagger.domain.strategy import Resources
from tagger.errors import ModelNotFound, NothingToLearnFrom, ReleaseDamaged
from tagger.strategies.contrastive import Contrastive, heads
from tagger.training.contrastive_tuning import (
    MAX_ANCHORS,
    Anchors,
    ContrastiveRecipe,
    TunedHeads,
    anchor_loss,
    issue_loss,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.encoders.encoder import Encoder


def no_encoder() -> Encoder:
    raise AssertionError("contrastive has a body of its own and asks no encoder")


@pytest.fixture
def resources(bert_folder: Path) -> Resources:
    return Resources(encoder=no_encoder, encoder_model=bert_folder, device="cpu")


def unit(rows: list[list[float]]) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


def test_learns_to_tell_labels_apart(resources: Resources) -> None:
    learned = Contrastive(resources).fit(tiny_bodies.issues(120))
    unseen = tiny_bodies.issues(60, seed=9)
    scores = learned.score(unseen.issues)
    for label, carried in enumerate(unseen.targets.T):  # which is which, wherever .5 lies
        above = scores[carried, label][:, None] > scores[~carried, label]
        assert above.mean() > 0.7


def test_any_architecture_serves(any_folder: Path) -> None:
    train = tiny_bodies.issues(40)
    learned = Contrastive(Resources(encoder=no_encoder, encoder_model=any_folder, device="cpu"))
    scores = learned.fit(train).score(train.issues)
    assert scores[train.targets].mean() > scores[~train.targets].mean() + 0.05


def test_tunes_the_other_transformer_where_the_encoder_has_no_folder(bert_folder: Path) -> None:
    shared = Resources(encoder=no_encoder, bert_model=bert_folder, device="cpu")
    assert Contrastive(shared).fit(tiny_bodies.issues(6)).model_ is not None


def test_says_which_settings_are_missing() -> None:
    with pytest.raises(ModelNotFound, match="ISSUE_TAGGER_ENCODER"):
        Contrastive(Resources(encoder=no_encoder)).fit(tiny_bodies.issues(10))


def test_refuses_an_empty_training_set(resources: Resources) -> None:
    with pytest.raises(NothingToLearnFrom, match="labelled issue"):
        Contrastive(resources).fit(tiny_bodies.issues(10).subset([]))


def test_labels_without_contrast_get_their_smoothed_share_and_need_no_model() -> None:
    train = tiny_bodies.issues(4)
    targets = np.tile([True, False], (4, 1))
    learned = Contrastive(Resources(encoder=no_encoder)).fit(
        TrainingSet(train.labels, train.numbers, train.issues, targets)
    )
    assert learned.score(train.issues[:1]) == pytest.approx(np.array([[0.9, 0.1]]))


def test_two_issues_alike_with_different_labels_and_odd_texts_are_scored(
    resources: Resources,
) -> None:
    train = tiny_bodies.issues(3)
    odd = TrainingSet(
        train.labels,
        (1, 2, 3),
        (IssueText("same"), IssueText("same"), IssueText("")),
        np.array([[True, False], [False, True], [False, False]]),
    )
    scores = Contrastive(resources).fit(odd).score([IssueText(""), IssueText("я" * 100_000)])
    assert np.isfinite(scores).all()


def test_same_seed_same_scores_and_another_seed_others(resources: Resources) -> None:
    train = tiny_bodies.issues(30)
    first, again = (Contrastive(resources, seed=5).fit(train).score(train.issues) for _ in "ab")
    other = Contrastive(resources, seed=6).fit(train).score(train.issues)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_leaves_the_global_generators_alone(resources: Resources) -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()
    Contrastive(resources).fit(tiny_bodies.issues(20))
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before[1])


def test_restored_scores_are_the_same(resources: Resources, tmp_path: Path) -> None:
    train = tiny_bodies.issues(30)
    fitted = Contrastive(resources).fit(train)
    fitted.save(tmp_path)
    restored = Contrastive(Resources(encoder=no_encoder, device="cpu")).restore(tmp_path)
    assert np.array_equal(restored.score(train.issues), fitted.score(train.issues))


@pytest.mark.parametrize("file", ["labels.safetensors", "model/head.safetensors"])
def test_a_damaged_release_is_refused(resources: Resources, tmp_path: Path, file: str) -> None:
    Contrastive(resources).fit(tiny_bodies.issues(30)).save(tmp_path)
    (tmp_path / file).write_bytes(b"damaged")
    with pytest.raises(ReleaseDamaged, match="safetensors"):
        Contrastive(resources).restore(tmp_path)


def test_progress_is_told_to_the_end(bert_folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    shared = Resources(
        encoder=no_encoder,
        encoder_model=bert_folder,
        device="cpu",
        progress=lambda *step: told.append(step),
    )
    Contrastive(shared).fit(tiny_bodies.issues(20))
    assert told[-1] == ("contrastive tuning", told[-1][2], told[-1][2])


def test_issues_with_labels_in_common_are_drawn_together() -> None:
    targets = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    apart = unit([[1, 0], [0, 1], [1, 0.1], [0.1, 1]])
    together = unit([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    assert issue_loss(together, targets, 0.1) < issue_loss(apart, targets, 0.1)


def test_more_labels_in_common_attract_more() -> None:
    targets = torch.tensor([[1.0, 1, 0], [1, 1, 0], [1, 0, 1]])
    nearer_the_same = unit([[1, 0, 0], [1, 0.1, 0], [0, 0, 1]])
    nearer_the_other = unit([[1, 0, 0], [0, 0, 1], [1, 0.1, 0]])
    assert issue_loss(nearer_the_same, targets, 0.3) < issue_loss(nearer_the_other, targets, 0.3)


def test_issues_are_drawn_to_their_labels_wordings() -> None:
    anchors, targets = unit([[1, 0], [0, 1]]), torch.tensor([[1.0, 0], [0, 1]])
    right, wrong = unit([[1, 0], [0, 1]]), unit([[0, 1], [1, 0]])
    assert anchor_loss(right, anchors, targets, 0.1) < anchor_loss(wrong, anchors, targets, 0.1)


@pytest.mark.parametrize("targets", [torch.zeros(3, 2), torch.eye(3, 2)])
def test_a_batch_without_a_pair_gives_no_loss_and_a_clean_gradient(targets: torch.Tensor) -> None:
    vectors = unit([[1, 0], [0, 1], [1, 1]]).requires_grad_()
    loss = issue_loss(vectors, targets, 0.1)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(vectors.grad).all()


@given(st.integers(1, 100_000))
def test_the_budget_of_pairs_bounds_the_steps(n_issues: int) -> None:
    recipe = ContrastiveRecipe()
    steps = recipe.steps(n_issues)
    assert steps >= 1
    assert steps * recipe.batch_size**2 <= recipe.pairs


def test_a_step_shows_the_batchs_labels_first_and_a_bounded_number() -> None:
    owner = np.repeat(np.arange(200), 2)
    present = np.zeros(200, dtype=bool)
    present[[3, 77, 199]] = True
    labels, rows = Anchors(10, owner, np.random.default_rng(0)).draw(present)
    assert {3, 77, 199} <= set(labels.tolist())
    assert len(labels) == MAX_ANCHORS
    assert ((rows - 10) // 2 == labels).all()


def test_a_wording_helps_a_label_with_a_single_issue() -> None:
    rng = np.random.default_rng(0)
    issues = unit(rng.normal(size=(12, 8)).tolist()).numpy()
    targets = np.zeros((12, 2), dtype=bool)
    targets[0, 0] = targets[5:, 1] = True
    anchors = np.eye(2, 8, dtype=np.float32)
    weights, bias = heads(TunedHeads(issues, anchors, ()), targets, np.arange(2))
    at_wordings = anchors @ weights.T + bias
    assert at_wordings.argmax(axis=0).tolist() == [0, 1]
