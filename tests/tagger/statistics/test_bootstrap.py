"""Intervals cover the truth as often as they say, and pairs tell better from equal."""

import numpy as np
import pytest

from tagger.statistics import bootstrap, metrics


def _system(truth, accuracy, rng):
    """Decisions that agree with the truth with this probability."""
    return np.where(rng.random(truth.shape) < accuracy, truth, ~truth)


def test_resampled_figures_are_those_of_the_drawn_issues():
    rng = np.random.default_rng(1)
    truth = rng.random((20, 4)) < 0.4
    decided = _system(truth, 0.8, rng)
    weights = bootstrap.resample_weights(20, 5, seed=3)
    counts = bootstrap.resampled_counts(truth, decided, weights)
    for row, weight in enumerate(weights.astype(int)):
        drawn = np.repeat(np.arange(20), weight)
        assert counts.micro_f1[row] == pytest.approx(metrics.micro_f1(truth[drawn], decided[drawn]))
        assert counts.macro_f1[row] == pytest.approx(metrics.macro_f1(truth[drawn], decided[drawn]))


def test_an_interval_holds_the_true_figure_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    population = rng.random((20_000, 3)) < 0.4
    decided = _system(population, 0.8, rng)
    true_figure = metrics.micro_f1(population, decided)
    held = 0
    for seed in range(60):
        drawn = rng.choice(20_000, 150, replace=False)
        held += true_figure in bootstrap.metric_interval(
            population[drawn], decided[drawn], "micro_f1", seed=seed, n_resamples=300
        )
    assert held >= 52  # of 60; 57 are expected at 95 %


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(3)
    truth = rng.random((50, 3)) < 0.5
    decided = _system(truth, 0.7, rng)
    first = bootstrap.metric_interval(truth, decided, "macro_f1", seed=5)
    assert first == bootstrap.metric_interval(truth, decided, "macro_f1", seed=5)
    assert first != bootstrap.metric_interval(truth, decided, "macro_f1", seed=6)


@pytest.mark.parametrize("metric", bootstrap.METRICS)
def test_a_pair_tells_better_from_worse_and_from_equal(metric):
    rng = np.random.default_rng(4)
    truth = rng.random((300, 5)) < 0.4
    good, bad = _system(truth, 0.9, rng), _system(truth, 0.6, rng)
    better = bootstrap.paired_bootstrap(truth, good, bad, metric)
    assert better.p_worse < 0.01
    assert better.difference.low > 0
    assert bootstrap.paired_bootstrap(truth, bad, good, metric).p_worse > 0.99
    same = bootstrap.paired_bootstrap(truth, good, good, metric)
    assert same.p_worse == 0.5
    assert same.difference == bootstrap.Interval(0, 0, 0)


def test_a_mean_over_seeds_that_scatter_is_less_certain_than_over_seeds_that_agree():
    rng = np.random.default_rng(5)
    drawn = [rng.normal(0.5, 0.01, 500) for _ in range(5)]
    agreeing = bootstrap.pooled_interval([0.5] * 5, drawn)
    apart = [replicate + shift for replicate, shift in zip(drawn, (-2, -1, 0, 1, 2), strict=True)]
    scattered = bootstrap.pooled_interval([0.5] * 5, apart)
    assert scattered.high - scattered.low > 10 * (agreeing.high - agreeing.low)
    assert 0.5 in agreeing
