"""Batches: nothing lost, nothing over budget, padding that depends on the text alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.runtimes.batching import pad, plan

lengths = st.lists(st.integers(0, 300), max_size=60)
budgets = st.integers(1, 2000)


@given(lengths, budgets)
def test_every_row_is_in_exactly_one_batch(lengths, budget):
    rows = [int(row) for batch in plan(lengths, budget=budget) for row in batch.rows]
    assert sorted(rows) == list(range(len(lengths)))


@given(lengths, budgets)
def test_a_batch_keeps_to_the_budget_or_holds_one_row(lengths, budget):
    for batch in plan(lengths, budget=budget):
        assert len(batch.rows) * batch.width <= budget or len(batch.rows) == 1


@given(lengths, budgets, st.integers(1, 64))
def test_width_is_the_rows_own_length_rounded_up(lengths, budget, step):
    for batch in plan(lengths, budget=budget, step=step):
        for row in batch.rows:
            assert batch.width % step == 0
            assert max(lengths[row], 1) <= batch.width < max(lengths[row], 1) + step


@given(lengths, budgets)
def test_the_widest_come_first(lengths, budget):
    widths = [batch.width for batch in plan(lengths, budget=budget)]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("budget", "step"), [(0, 16), (-1, 16), (100, 0)])
def test_a_senseless_budget_is_refused(budget, step):
    with pytest.raises(ValueError, match="at least 1"):
        plan([3], budget=budget, step=step)


def test_padding_is_on_the_right_and_masked():
    ids, mask = pad([[5, 6], [], [7, 8, 9]], width=4, filler=1)
    np.testing.assert_array_equal(ids, [[5, 6, 1, 1], [1, 1, 1, 1], [7, 8, 9, 1]])
    np.testing.assert_array_equal(mask, [[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0]])
