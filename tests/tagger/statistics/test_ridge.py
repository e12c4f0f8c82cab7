"""Ridge heads: left-out scores without leaving anything out, and the same answer without a Gram."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tagger.statistics.ridge import dense, iterative


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    words = csr_array(rng.random((40, 25)) * (rng.random((40, 25)) < 0.3))
    vectors = rng.normal(size=(40, 6)).astype(np.float32)
    targets = (rng.random((40, 3)) < 0.4).astype(float)
    return words, vectors, targets, words @ words.T + vectors @ vectors.T


def solved(gram, targets, penalty):
    return np.linalg.solve(gram + penalty * np.eye(len(gram)), targets - targets.mean(0))


def test_left_out_scores_are_those_of_a_fit_without_the_issue(data):
    *_, targets, gram = data
    gram = np.asarray(gram if isinstance(gram, np.ndarray) else gram.toarray())
    _, left_out = dense(gram, targets, (1.0,))
    for row in (0, 7, 39):
        rest = np.delete(np.arange(40), row)
        # around the mean of all issues, as the closed form has it
        mean = targets.mean(0)
        duals = np.linalg.solve(gram[np.ix_(rest, rest)] + np.eye(39), targets[rest] - mean)
        assert left_out[row] == pytest.approx(mean + gram[row, rest] @ duals, abs=1e-5)


def test_the_penalty_with_the_least_left_out_error_is_taken(data):
    *_, targets, gram = data
    gram = np.asarray(gram if isinstance(gram, np.ndarray) else gram.toarray())
    penalties = (0.1, 1.0, 10.0)
    errors = [((targets - dense(gram, targets, (one,))[1]) ** 2).mean() for one in penalties]
    best = penalties[int(np.argmin(errors))]
    assert dense(gram, targets, penalties)[0] == pytest.approx(solved(gram, targets, best))


def test_iterations_come_to_the_same_heads(data):
    words, vectors, targets, gram = data
    gram = np.asarray(gram if isinstance(gram, np.ndarray) else gram.toarray())
    folds = [np.arange(0, 20), np.arange(20, 40)]
    duals, left_out = iterative(words, vectors, targets, folds)
    assert duals == pytest.approx(solved(gram, targets, 1.0), abs=1e-3)
    rest, fold = folds[1], folds[0]
    expected = targets[rest].mean(0) + gram[np.ix_(fold, rest)] @ solved(
        gram[np.ix_(rest, rest)], targets[rest], 1.0
    )
    assert left_out[fold] == pytest.approx(expected, abs=1e-3)


def test_no_penalty_is_an_error():
    with pytest.raises(ValueError, match="penalty"):
        dense(np.eye(2), np.ones((2, 1)), ())
