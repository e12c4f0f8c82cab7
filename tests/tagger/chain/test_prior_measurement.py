"""Moments of few repositories beside those of many."""

from __future__ import annotations

import numpy as np
import pytest

from tagger.chain.members import CHEAP
from tagger.chain.prior import FeatureMoments
from tagger.chain.prior_measurement import MeasuredIssues, moments_of
from tagger.statistics.log_odds import feature_names


def measured(rng, n_members, scale=1.0):
    """Features of 600 issues and 3 labels, each parting them as far as `scale` says."""
    truth = rng.random((600, 3)) < 0.3
    noise = rng.normal(size=(600, 3, 2 * n_members)) + rng.normal(size=(600, 3, 1))
    shape = truth.shape
    return MeasuredIssues(
        scale * (noise + truth[..., None]),
        np.full(shape, 0.3),
        rng.choice([-0.5, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256], shape),
        truth,
        np.full(len(truth), 16),
        np.zeros(len(truth), dtype=int),
    )


@pytest.fixture
def earlier():
    return moments_of(("linear", "adapted"), [measured(np.random.default_rng(0), 2)])


@pytest.fixture
def anew():
    return moments_of(("linear", "knn"), [measured(np.random.default_rng(1), 2, scale=3.0)])


def test_the_narrower_measurement_weighs_its_own_members_and_the_wider_one_all_others(
    earlier, anew
) -> None:
    both = FeatureMoments.from_json({**earlier, "narrower": anew})
    wide, narrow = FeatureMoments.from_json(earlier), FeatureMoments.from_json(anew)
    counts = np.array([0.0, 8.0])
    alone = feature_names(("linear",))
    beside = feature_names(("linear", "adapted"))
    assert np.array_equal(both.weigh(alone, counts).slopes, narrow.weigh(alone, counts).slopes)
    assert np.array_equal(both.weigh(beside, counts).slopes, wide.weigh(beside, counts).slopes)
    assert both.knows("adapted")
    with pytest.raises(ValueError, match="no prior for knn"):
        both.weigh(feature_names(("knn", "adapted")), counts)


def test_what_is_shipped_has_the_cheap_members_of_many_repositories() -> None:
    shipped = FeatureMoments.shipped()
    assert shipped.narrower is not None
    assert shipped.narrower.features == feature_names(CHEAP)
