"""Our metrics give scikit-learn's numbers, on any matrix."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from tagger.statistics import metrics


@st.composite
def judged(draw):
    """Truth, decisions and scores of one shape; scores tie often, rare labels are empty."""
    n_issues, n_labels = draw(st.integers(1, 30)), draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = rng.uniform(0, draw(st.sampled_from([0.1, 0.5, 1.0])), n_labels)
    truth = rng.random((n_issues, n_labels)) < shares
    scores = np.round(rng.random((n_issues, n_labels)), draw(st.sampled_from([1, 3])))
    return truth, scores > draw(st.sampled_from([0.2, 0.5, 0.9])), scores


@settings(max_examples=60, deadline=None)
@given(judged())
def test_f1_precision_recall_and_support_are_scikit_learns(case):
    truth, decided, _ = case
    for average, ours in (("micro", metrics.micro_f1), ("macro", metrics.macro_f1)):
        theirs = peer.f1_score(truth, decided, average=average, zero_division=0)
        assert ours(truth, decided) == pytest.approx(theirs)
    theirs = peer.precision_recall_fscore_support(truth, decided, zero_division=0)
    ours = metrics.label_figures(truth, decided)
    for column, name in enumerate(("precision", "recall", "f1", "support")):
        assert [getattr(label, name) for label in ours] == pytest.approx(theirs[column].tolist())


@settings(max_examples=60, deadline=None)
@given(judged())
def test_ranking_and_subset_metrics_are_scikit_learns(case):
    truth, decided, scores = case
    assert metrics.subset_accuracy(truth, decided) == pytest.approx(
        peer.accuracy_score(truth, decided)
    )
    assert metrics.label_ranking_average_precision(truth, scores) == pytest.approx(
        peer.label_ranking_average_precision_score(truth, scores)
    )
    ours = metrics.average_precision(truth, scores)
    for own, true, scored in zip(ours, truth.T, scores.T, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs warns of labels without support, ours is 0
            assert own == pytest.approx(peer.average_precision_score(true, scored))


@settings(max_examples=40, deadline=None)
@given(judged())
def test_reliability_counts_every_score_once(case):
    truth, _, scores = case
    curve = metrics.reliability(truth, scores)
    assert curve.count.sum() == truth.size
    assert (curve.count * curve.came_true).sum() == pytest.approx(truth.sum())
    assert (curve.count * curve.said).sum() == pytest.approx(scores.sum())
    assert 0 <= curve.expected_calibration_error <= 1


def test_scores_that_say_the_truth_are_calibrated_and_loud_wrong_ones_are_not():
    truth = np.array([[True, False]] * 4)
    said = metrics.reliability(truth, truth.astype(float))
    assert said.expected_calibration_error == 0
    assert metrics.reliability(truth, 1.0 - truth).expected_calibration_error == 1


@settings(max_examples=40, deadline=None)
@given(judged())
def test_coverage_precision_is_what_the_cuts_give(case):
    truth, _, scores = case
    curve = metrics.coverage_precision(truth, scores)
    assert (np.diff(curve.cut) < 0).all()
    for cut, covered, issues, precise in zip(
        curve.cut, curve.coverage, curve.issues, curve.precision, strict=True
    ):
        decided = scores >= cut
        assert precise == pytest.approx((truth & decided).sum() / decided.sum())
        assert issues == pytest.approx(decided.any(axis=1).mean())
        assert covered == pytest.approx((truth & decided).sum() / max(truth.sum(), 1))


def test_no_issue_at_all_gives_zeros_not_warnings():
    nothing = np.zeros((0, 3), dtype=bool)
    assert metrics.micro_f1(nothing, nothing) == 0
    assert metrics.subset_accuracy(nothing, nothing) == 0
    assert metrics.label_ranking_average_precision(nothing, np.zeros((0, 3))) == 0
