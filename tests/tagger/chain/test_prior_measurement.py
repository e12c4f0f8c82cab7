"""Moments of few repositories beside those of many; evidence of some members for all."""

from __future__ import annotations

import numpy as np
import pytest

from tagger.chain.blend import Blend
from tagger.chain.prior import FeatureMoments
from tagger.chain.prior_measurement import MeasuredIssues, added_to, moments_of
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


def test_what_was_measured_anew_counts_and_other_members_stay_beside_it(earlier, anew) -> None:
    joined = FeatureMoments.from_json(added_to(anew, earlier))
    assert joined.features == feature_names(("linear", "knn", "adapted"))
    old, new = FeatureMoments.from_json(earlier), FeatureMoments.from_json(anew)
    assert np.allclose(joined.present[:, :4], new.present)
    assert np.allclose(joined.absent[:, 4:], old.absent[:, 2:])
    assert np.allclose(joined.correction, new.correction)
    assert np.allclose(joined.covariance[:, :4, :4], new.covariance, atol=0.2)


def test_correlations_with_the_other_members_are_kept_and_every_matrix_is_a_covariance(
    earlier, anew
) -> None:
    joined = FeatureMoments.from_json(added_to(anew, earlier)).covariance
    old = np.asarray(earlier["covariance"])

    def correlation(matrix, i, j):
        return matrix[:, i, j] / np.sqrt(matrix[:, i, i] * matrix[:, j, j])

    assert np.allclose(correlation(joined, 0, 4), correlation(old, 0, 2), atol=0.1)
    assert np.linalg.eigvalsh(joined).min() > -1e-4
    weights = FeatureMoments.from_json(added_to(anew, earlier)).weigh(
        feature_names(("linear", "adapted")), np.array([0.0, 8.0])
    )
    assert np.isfinite(weights.slopes).all()


def test_other_counts_are_refused(earlier, anew) -> None:
    with pytest.raises(ValueError, match="expected"):
        added_to({**anew, "counts": [0, 1]}, earlier)


def test_what_some_members_showed_corrects_a_blend_of_all() -> None:
    rng = np.random.default_rng(2)
    counts, share = np.array([3.0, 5.0]), np.array([0.2, 0.4])
    prior = FeatureMoments.shipped()
    whole = Blend.from_prior(prior, feature_names(("linear", "contrastive", "knn")), counts, share)
    part = Blend.from_prior(prior, feature_names(("linear", "knn")), counts, share)
    part = part.adapted(rng.normal(size=(12, 2, 4)), rng.random((12, 2)) < 0.5)
    corrected = whole.corrected_as(part, [0, 2])
    assert np.array_equal(corrected.correction[:, :3], part.correction[:, :3])
    assert np.array_equal(corrected.correction[:, [3, 5]], part.correction[:, 3:])
    assert not corrected.correction[:, 4].any()
    assert not whole.correction.any()
