"""Slices are nested, never touch the test set or its duplicates, and follow from the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import invented

from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.evaluation.errors import TooFewIssues
from tagger.evaluation.slices import SplitPlan, split
from tagger.statistics.stratification import stratified_folds, stratified_sample
from tagger.text.duplicates import duplicate_groups

DATA = invented(160)
PLANS = st.builds(
    SplitPlan,
    kind=st.sampled_from(["stratified", "temporal"]),
    test_size=st.sampled_from([None, 1, 40, 90]),
    pool=st.sampled_from([None, 9, 64, 100, 500]),
    holdout=st.sampled_from([frozenset(), frozenset(range(3, 60, 2))]),
)


@settings(max_examples=40, deadline=None)
@given(PLANS, st.integers(0, 1000))
def test_slices_are_nested_and_disjoint_from_the_test_set(plan, seed):
    parts = split(DATA, plan, seed)
    assert len(set(parts.test)) == len(parts.test) > 0
    inner = set()
    for one in parts.slices:
        rows = set(one.rows)
        assert inner <= rows
        assert rows.isdisjoint(parts.test)
        assert len(rows) == len(one.rows)
        if one.name != "all":
            assert len(one) == int(one.name)
        inner = rows
    assert parts.slices[0].name == "0"
    assert parts.slices[-1].name == "all"


@settings(max_examples=10, deadline=None)
@given(PLANS, st.integers(0, 1000))
def test_the_same_seed_gives_the_same_parts_whichever_slices_are_asked_for(plan, seed):
    first, again = split(DATA, plan, seed), split(DATA, plan, seed)
    assert np.array_equal(first.test, again.test)
    fewer = SplitPlan(
        plan.kind, ("8", "all"), test_size=plan.test_size, pool=plan.pool, holdout=plan.holdout
    )
    by_name = {one.name: one for one in first.slices}
    for one in split(DATA, fewer, seed).slices:
        assert np.array_equal(one.rows, by_name[one.name].rows)


def test_another_seed_gives_another_test_set_and_leaves_numpys_generator_alone():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first, second = (split(DATA, SplitPlan(), seed) for seed in (0, 1))
    assert not np.array_equal(first.test, second.test)
    assert np.array_equal(np.random.get_state()[1], before)


def test_every_slice_has_the_labels_in_proportion():
    parts = split(invented(1000), SplitPlan(), 0)
    data = invented(1000)
    overall = data.targets.mean(axis=0)
    for rows in (parts.test, *(one.rows for one in parts.slices if len(one) >= 64)):
        assert data.targets[rows].mean(axis=0) == pytest.approx(overall, abs=0.04)


def test_temporal_trains_on_older_issues_only():
    parts = split(DATA, SplitPlan(kind="temporal", pool=50, test_size=30), 0)
    numbers = np.array(DATA.numbers)
    assert numbers[parts.slices[-1].rows].max() < numbers[parts.test].min()
    assert set(numbers[parts.test]) == set(range(131, 161))
    assert set(numbers[parts.slices[-1].rows]) == set(range(81, 131))


def test_a_pool_is_kept_whole_and_the_test_set_takes_what_is_left():
    parts = split(DATA, SplitPlan(pool=100, test_size=1000), 0)
    assert len(parts.test) == 60
    assert len(parts.slices[-1]) == 100


def test_a_holdout_is_the_test_set():
    parts = split(DATA, SplitPlan(holdout=frozenset({5, 7, 9, 99_999})), 3)
    assert [DATA.numbers[row] for row in parts.test] == [5, 7, 9]


def test_no_duplicate_of_a_test_issue_is_trained_on():
    texts = [
        IssueText(f"Error number {row % 10}", "the app " * 3 + "abcdefghij"[row % 10] * 4)
        for row in range(60)
    ]
    data = TrainingSet((Label("bug"),), tuple(range(60)), tuple(texts), np.ones((60, 1), bool))
    groups = duplicate_groups(data.issues)
    parts = split(data, SplitPlan(test_size=3), 0)
    assert set(groups[parts.test]).isdisjoint(groups[parts.slices[-1].rows])


def test_nothing_to_learn_from_is_said_not_returned():
    with pytest.raises(TooFewIssues, match="--test-size"):
        split(DATA, SplitPlan(test_size=160), 0)
    only_zero = split(DATA, SplitPlan(test_size=160, slices=("0",)), 0)
    assert len(only_zero.test) == 160


def test_a_slice_is_a_number_or_all():
    with pytest.raises(ValueError, match="'8x'"):
        SplitPlan(slices=("8x",))


@given(st.integers(0, 40), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_a_stratified_sample_has_exactly_its_size(size, seed):
    targets = DATA.targets[:30]
    assert len(stratified_sample(targets, size, seed)) == min(size, 30)


def test_folds_deal_every_row_once():
    folds = stratified_folds(DATA.targets, 5, seed=1)
    assert sorted(np.concatenate(folds)) == list(range(160))
    assert max(map(len, folds)) < 50


LONG = "when I open the settings page and press save twice the whole window goes blank and " * 2


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Crash in 3.2.1!", "crash in 4.0", True),
        (LONG + "forever", LONG + "for ever", True),
        (LONG, "quite another matter: the readme has a typo in its second line", False),
        ("Crash", "Slow", False),
        ("", "", True),
        ("崩溃了", "太慢了", False),
    ],
)
def test_duplicates_are_told_by_their_words(left, right, same):
    groups = duplicate_groups(
        [IssueText(left), IssueText("unrelated words here"), IssueText(right)]
    )
    assert (groups[0] == groups[2]) is np.bool_(same)
    assert groups[1] == 1
