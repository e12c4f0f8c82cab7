"""The two objectives of adaptation, each on a corpus with something to learn."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tiny_bodies
import torch

from tagger.training.adaptation import POINTS, AdaptationSettings, _curve
from tagger.training.body_adaptation import CannotAdapt
from tagger.training.budget import StepBudget
from tagger.training.masked_language import MaskedLanguage, TiedHead
from tagger.training.title_body import TitleBody

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")
LONG = StepBudget(epochs=12, batch_size=16, max_tokens=24)


@pytest.mark.parametrize("objective", [MaskedLanguage, TitleBody])
def test_the_loss_falls_and_the_weights_move(
    bert_folder: Path, objective: type[MaskedLanguage | TitleBody]
) -> None:
    pupil = objective(bert_folder, CPU)
    before = {name: each.clone() for name, each in pupil.body.state_dict().items()}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        losses = pupil.adapt(tiny_bodies.unlabelled(160), LONG, seed=0)
    assert np.mean(losses[-20:]) < np.mean(losses[:20])
    assert any(not torch.equal(each, before[name]) for name, each in pupil.body.named_parameters())


def test_a_head_that_the_checkpoint_brings_is_kept(tmp_path: Path) -> None:
    with_head = tiny_bodies.seeded(tiny_bodies.masked_bert)
    folder = tiny_bodies.save(with_head, tmp_path / "masked")
    pupil = MaskedLanguage(folder, CPU)
    assert not pupil._fresh
    bare = tiny_bodies.save(tiny_bodies.seeded(tiny_bodies.bert), tmp_path / "bare")
    assert MaskedLanguage(bare, CPU)._fresh


def test_a_tied_head_guesses_with_the_input_embeddings() -> None:
    embeddings = torch.nn.Embedding(11, 8)
    head = TiedHead(embeddings)
    assert head(torch.zeros(5, 8)).shape == (5, 11)
    assert not any(each is embeddings.weight for each in head.parameters())


def test_a_model_without_masks_cannot_guess_them(tmp_path: Path) -> None:
    folder = tiny_bodies.save(tiny_bodies.seeded(tiny_bodies.gpt), tmp_path / "gpt")
    with pytest.raises(CannotAdapt, match="gpt2"):
        MaskedLanguage(folder, CPU)


def _adapt_apart(base: Path, cache: Path, made: Path) -> None:
    """Runs in a process of its own: adapts, and notes which objectives it was at."""
    steps: set[str] = set()
    workshop = AdaptationSettings(base, cache, CPU, LONG, lambda step, *_: steps.add(step))
    bodies, impossible = workshop.adapt(tiny_bodies.unlabelled(160))
    assert list(bodies) == ["masked-language", "title-body"]
    assert not impossible
    mine = sorted(step for step in steps if step.startswith("adapting"))
    (made / str(os.getpid())).write_text("\n".join(mine))


@pytest.mark.slow
def test_two_processes_share_the_objectives(bert_folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    fresh = multiprocessing.get_context("spawn")
    given = (bert_folder, tmp_path / "shelf", made)
    both = [fresh.Process(target=_adapt_apart, args=given) for _ in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    steps = [step for path in made.iterdir() for step in path.read_text().splitlines()]
    assert sorted(steps) == ["adapting (masked-language)", "adapting (title-body)"]


def test_one_pair_has_no_negatives(bert_folder: Path) -> None:
    with pytest.raises(CannotAdapt, match="expected at least 2"):
        TitleBody(bert_folder, CPU).adapt(tiny_bodies.unlabelled(1), LONG, seed=0)


@pytest.mark.parametrize("n", [0, 1, 7, POINTS, 3 * POINTS + 1])
def test_a_curve_has_at_most_so_many_points_and_ends_at_the_last_step(n: int) -> None:
    curve = _curve([1.0] * n)
    assert len(curve) == min(n, POINTS)
    assert not n or curve[-1] == (n, 1.0)
