"""What unlabelled texts are taken to say: calibrated, balanced, chosen and weighed."""

from __future__ import annotations

import numpy as np
import pytest

from tagger.semi_supervised.consistency import threshold_at
from tagger.semi_supervised.pseudo_labels import (
    aligned,
    certainty,
    chosen_by_certainty,
    most_likely,
    mutual_information,
)


@pytest.fixture
def timid() -> np.ndarray:
    """Probabilities of a network that hardly ever says yes, of two labels."""
    return np.random.default_rng(0).uniform(0.001, 0.05, (200, 2)).astype(np.float32)


def test_alignment_gives_each_label_its_share_and_keeps_the_order(timid: np.ndarray) -> None:
    shares = np.array([0.4, 0.03], dtype=np.float32)
    shifted = aligned(timid, shares)
    assert shifted.mean(axis=0) == pytest.approx(shares, abs=1e-4)
    assert np.array_equal(np.argsort(shifted, axis=0), np.argsort(timid, axis=0))


def test_alignment_takes_certainties() -> None:
    sure = np.array([[0.0], [1.0], [0.0], [0.0]], dtype=np.float32)
    assert np.isfinite(aligned(sure, np.array([0.5], dtype=np.float32))).all()


def test_the_likeliest_texts_get_a_label_as_often_as_its_share_says(timid: np.ndarray) -> None:
    given = most_likely(timid, np.array([0.4, 0.001], dtype=np.float32))
    assert given.sum(axis=0).tolist() == [80, 1]
    assert timid[given[:, 0], 0].min() >= timid[~given[:, 0], 0].max()


def test_networks_that_disagree_know_less_than_networks_that_all_doubt() -> None:
    disagree, doubt = np.array([[0.01, 0.99]]), np.array([[0.5, 0.5]])
    draws = np.stack([disagree, doubt], axis=1)[..., None].reshape(1, 2, 2).transpose(2, 1, 0)
    information = mutual_information(draws.astype(np.float32))
    assert information[0, 0] > 0.6
    assert information[1, 0] == pytest.approx(0.0, abs=1e-6)


def test_certain_pseudo_labels_weigh_more_and_one_on_average() -> None:
    rng = np.random.default_rng(1)
    calm = 0.2 + 0.001 * rng.standard_normal((4, 30, 1))
    wild = rng.uniform(0, 1, (4, 30, 1))
    weights = certainty(np.concatenate([calm, wild], axis=2).astype(np.float32))
    assert weights.mean() == pytest.approx(1.0)
    assert (weights > 0).all()
    assert weights[:, 0].min() > weights[:, 1].mean()


def test_texts_are_drawn_for_every_label_and_easy_ones_rather() -> None:
    given = np.zeros((300, 2), dtype=bool)
    given[:200, 0] = True
    given[200:210, 1] = True
    information = np.full((300, 2), 0.0, dtype=np.float32)
    information[100:200, 0] = np.log(2)  # the network knows nothing of these
    rows = chosen_by_certainty(given, information, 90, np.random.default_rng(0))
    assert len(rows) <= 90
    assert given[rows].any(axis=0).all()
    assert (rows >= 210).any()
    assert ((rows >= 100) & (rows < 200)).sum() < (rows < 100).sum() / 4


def test_all_texts_are_taken_where_there_are_no_more() -> None:
    given = np.ones((5, 1), dtype=bool)
    rows = chosen_by_certainty(given, np.zeros((5, 1), np.float32), 9, np.random.default_rng(0))
    assert rows.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("schedule", ["linear", "logarithmic", "exponential"])
def test_annealing_lets_in_more_and_more_until_all(schedule) -> None:
    bounds = [threshold_at(share, schedule) for share in np.linspace(0, 1, 11)]
    assert bounds == sorted(bounds)
    assert bounds[0] == pytest.approx(0.5, abs=0.01)
    assert bounds[-1] == pytest.approx(1.0, abs=0.01)
