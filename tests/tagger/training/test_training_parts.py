"""Batches, masks, schedules, weights, budgets: the pure parts of training."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from tagger.training.budget import StepBudget
from tagger.training.losses import BOUND, positive_weights, weighted_cross_entropy
from tagger.training.masking import continuing_tokens, mask_tokens
from tagger.training.optimisation import SCHEDULES, parameter_groups, rate_factor, rate_for
from tagger.training.title_body import info_nce
from tagger.training.tokens import endless_batches, random_batches
from tagger.training.training_body import QuickDropout
from tagger.training.training_loop import descend, seeded

LENGTHS = some.lists(some.integers(1, 128), min_size=1, max_size=300)


@given(lengths=LENGTHS, size=some.integers(1, 40), seed=some.integers(0, 9))
def test_an_epoch_deals_every_row_once(lengths: list[int], size: int, seed: int) -> None:
    batches = random_batches(lengths, size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert max(map(len, batches)) <= size


def test_rows_of_like_length_share_batches() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 129, size=512)
    batches = random_batches(list(lengths), 16, rng)
    within = np.mean([np.ptp(lengths[batch]) for batch in batches])
    assert within < 0.5 * np.ptp(lengths)


def test_epochs_differ() -> None:
    batches = endless_batches([5] * 20, 20, np.random.default_rng(0))
    first, second = islice(batches, 2)
    assert not np.array_equal(first, second)


def test_no_rows_no_batches() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        next(endless_batches([], 4, np.random.default_rng(0)))


def masked(ids: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return mask_tokens(
        ids, special={0, 2, 3}, mask_id=4, vocabulary=100, rng=np.random.default_rng(seed)
    )


@given(
    rows=some.lists(some.lists(some.integers(0, 99), min_size=5, max_size=5), min_size=1),
    seed=some.integers(0, 99),
)
def test_special_tokens_are_never_hidden_and_the_rest_stays(
    rows: list[list[int]], seed: int
) -> None:
    ids = np.array(rows, dtype=np.int64)
    shown, guessed = masked(ids, seed)
    assert not guessed[np.isin(ids, [0, 2, 3])].any()
    assert np.array_equal(shown[~guessed], ids[~guessed])
    assert guessed.any() == bool((~np.isin(ids, [0, 2, 3])).any())


def test_shares_of_hidden_replaced_and_shown() -> None:
    ids = np.full((400, 100), 50, dtype=np.int64)
    shown, guessed = masked(ids)
    assert guessed.mean() == pytest.approx(0.15, abs=0.01)
    assert (shown[guessed] == 4).mean() == pytest.approx(0.8, abs=0.03)
    assert (shown[guessed] == 50).mean() == pytest.approx(0.1, abs=0.03)


def test_masks_are_fresh_each_time() -> None:
    rng = np.random.default_rng(0)
    ids = np.full((4, 50), 50, dtype=np.int64)
    twice = [mask_tokens(ids, special=(), mask_id=4, vocabulary=100, rng=rng)[1] for _ in range(2)]
    assert not np.array_equal(*twice)


@given(total=some.integers(1, 500))
def test_the_rate_rises_once_and_falls_once(total: int) -> None:
    factors = [rate_factor(step, total) for step in range(total)]
    peak = int(np.argmax(factors))
    assert all(0 < factor <= 1 for factor in factors)
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 40])
def test_every_schedule_warms_up_and_stays_within_the_highest_rate(schedule, total) -> None:
    factors = [rate_factor(step, total, schedule) for step in range(total)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1
    assert total < 40 or factors[0] < 0.5


def test_schedules_go_on_as_their_names_say() -> None:
    ends = {name: [rate_factor(step, 100, name) for step in range(100)][10:] for name in SCHEDULES}
    assert set(ends["constant"]) == {1.0}
    for name in ("linear", "cosine", "polynomial"):
        assert ends[name] == sorted(ends[name], reverse=True)
        assert ends[name][-1] < 0.02
    assert ends["polynomial"][45] < ends["linear"][45] == pytest.approx(ends["cosine"][45])
    rises = [later > earlier for earlier, later in pairwise(ends["restarts"])]
    assert sum(rises) == 2


def test_a_word_is_hidden_whole_or_not_at_all() -> None:
    continues = continuing_tokens(["[PAD]", "un", "##hap", "##py", "[MASK]", "day"])
    ids = np.tile(np.array([1, 2, 3, 5, 1, 2, 0, 3], dtype=np.int64), (200, 1))
    _, guessed = mask_tokens(
        ids,
        special={0, 4},
        mask_id=4,
        vocabulary=6,
        rng=np.random.default_rng(0),
        continues=continues,
    )
    assert (guessed[:, 0] == guessed[:, 1]).all()
    assert (guessed[:, 0] == guessed[:, 2]).all()
    assert (guessed[:, 4] == guessed[:, 5]).all()
    assert (guessed[:, 0] != guessed[:, 4]).any()
    assert guessed[:, [0, 3, 4]].mean() == pytest.approx(0.15, abs=0.05)


def test_words_begin_as_the_vocabulary_marks_them() -> None:
    assert continuing_tokens(["\u0120crash", "es", "\u0120log"]).tolist() == [False, True, False]
    assert continuing_tokens(["crash", "log"]).tolist() == [False, False]


def test_wider_bodies_move_more_slowly_and_narrow_ones_no_faster() -> None:
    assert rate_for(1e-4, 768) == pytest.approx(5e-5)
    assert rate_for(1e-4, 32) == 1e-4


def test_biases_and_norms_do_not_decay() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.LayerNorm(3))
    decaying, sparing = parameter_groups(module.parameters(), rate=1.0, decay=0.01)
    assert [tuple(each.shape) for each in decaying["params"]] == [(3, 3)]
    assert decaying["weight_decay"] == 0.01
    assert len(sparing["params"]) == 3
    assert sparing["weight_decay"] == 0.0


@given(
    columns=some.lists(some.integers(0, 50), min_size=1, max_size=6),
)
def test_rare_labels_weigh_more_within_bounds(columns: list[int]) -> None:
    targets = np.arange(50)[:, None] < np.array(columns)[None, :]
    weights = positive_weights(targets)
    assert ((weights >= 1) & (weights <= BOUND)).all()
    by_count = np.argsort(columns)
    assert (np.diff(weights[by_count]) <= 0).all()


def test_the_loss_is_least_where_soft_targets_are_met() -> None:
    wanted = torch.tensor([[0.3, 0.9]])
    met = weighted_cross_entropy(torch.logit(wanted), wanted, torch.ones(2))
    for off in (-0.5, 0.5):
        assert met < weighted_cross_entropy(torch.logit(wanted) + off, wanted, torch.ones(2))


def test_descent_goes_down_and_stops_when_told() -> None:
    point = torch.nn.Parameter(torch.tensor([3.0]))
    groups = parameter_groups([point], rate=0.1, decay=0.0)
    losses = descend(groups, 50, lambda _: point.square().sum(), finished=lambda done: done == 30)
    assert len(losses) == 30
    assert losses[-1] < losses[0]


def test_a_seeded_block_leaves_the_generator_alone() -> None:
    before = torch.get_rng_state()
    with seeded(4, torch.device("cpu")):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_matching_titles_cost_less_than_shuffled_ones() -> None:
    vectors = torch.eye(6)
    assert info_nce(vectors, vectors) < info_nce(vectors, vectors.roll(1, dims=0))


@given(n=some.integers(1, 10_000), seconds=some.floats(0.1, 1000))
def test_a_budget_bounds_steps_by_epochs_and_by_time(n: int, seconds: float) -> None:
    budget = StepBudget(seconds=seconds, epochs=2, batch_size=32)
    steps = budget.steps(n, 64.0, 1e7)
    assert 1 <= steps <= -(-2 * n // 32)
    assert steps <= StepBudget(seconds=2 * seconds, epochs=2, batch_size=32).steps(n, 64.0, 1e7)


@given(share=some.floats(0.0, 1.0), seed=some.integers(0, 9))
def test_quick_dropout_keeps_the_mean_and_drops_the_share(share: float, seed: int) -> None:
    quick = QuickDropout(share)
    with seeded(seed, torch.device("cpu")):
        dropped = quick(torch.ones(200, 101))
    zero = float((dropped == 0).float().mean())
    assert zero == pytest.approx(share, abs=0.02)
    if zero < 0.98:
        assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02 / (1.01 - zero))


def test_quick_dropout_repeats_with_its_seed_and_is_off_where_nothing_is_trained() -> None:
    quick, states = QuickDropout(0.1), torch.randn(7, 13, requires_grad=True)
    draws = []
    for seed in (1, 1, 2):
        with seeded(seed, torch.device("cpu")):
            draws.append(quick(states))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(quick.eval()(states), states)
    draws[0].sum().backward()
    assert torch.equal(states.grad == 0, draws[0] == 0)
