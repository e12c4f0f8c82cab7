"""Cuts come from the training side and stay sane where positives are few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import invented
from rivals import WordVotes

from tagger.statistics.f1_thresholds import (
    Thresholds,
    choose_thresholds,
    out_of_fold_scores,
    plain_thresholds,
)
from tagger.statistics.metrics import macro_f1


def test_with_many_positives_the_cut_parts_them_from_the_rest():
    rng = np.random.default_rng(0)
    truth = rng.random((400, 3)) < (0.5, 0.3, 0.1)
    scores = np.where(truth, rng.uniform(0.2, 0.5, truth.shape), rng.uniform(0, 0.15, truth.shape))
    decided = scores >= choose_thresholds(truth, scores).values
    assert macro_f1(truth, decided) > 0.9


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 25), st.integers(1, 6), st.integers(0, 10_000), st.sampled_from([1, 4]))
def test_cuts_are_between_0_and_1_and_every_issue_gets_its_top_label(n, labels, seed, digits):
    rng = np.random.default_rng(seed)
    truth = rng.random((n, labels)) < 0.3
    scores = np.round(rng.random((n, labels)), digits)
    thresholds = choose_thresholds(truth, scores)
    assert ((thresholds.values >= 0) & (thresholds.values <= 1.0001)).all()
    if thresholds.top_label:
        assert thresholds.decide(scores).any(axis=1).all()


def test_a_label_never_seen_is_not_given_for_scores_as_low_as_those_seen():
    scores = np.tile([[0.9, 0.02]], (20, 1))
    truth = np.tile([[True, False]], (20, 1))
    assert not choose_thresholds(truth, scores).decide(scores)[:, 1].any()


def test_plain_cuts_are_a_half_or_else_the_top_label():
    scores = np.array([[0.6, 0.7], [0.1, 0.2], [0.5, 0.4]])
    assert plain_thresholds(2).decide(scores).tolist() == [
        [True, True],
        [False, True],
        [True, False],
    ]
    silent = Thresholds(np.array([0.5, 0.5]), top_label=False)
    assert silent.decide(scores)[1].tolist() == [False, False]


@pytest.mark.parametrize(("n", "there"), [(0, False), (1, False), (2, True), (8, True)])
def test_out_of_fold_scores_need_two_issues(n, there):
    scores = out_of_fold_scores(WordVotes, invented(n), seed=0)
    assert (scores is not None) is there


def test_no_issue_is_scored_by_a_fit_that_saw_it():
    class Remembers(WordVotes):
        def fit(self, train):
            self.seen_ = set(train.issues)
            self.n_ = len(train.labels)
            return self

        def score(self, issues):
            return np.array([[float(issue in self.seen_)] * self.n_ for issue in issues])

    assert out_of_fold_scores(Remembers, invented(40), seed=0).sum() == 0
