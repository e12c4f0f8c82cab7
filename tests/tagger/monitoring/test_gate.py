"""The gate refuses what is worse, promotes what is equal, and says why."""

import json

import numpy as np
import pytest
from invented import invented
from rivals import WordVotes

from tagger.domain.issue import TrainingSet
from tagger.monitoring.gate import common_rows, decide, first_release
from tagger.monitoring.release_comparison import compare
from tagger.statistics.f1_thresholds import choose_thresholds, out_of_fold_scores
from tagger.strategies.candidates import CandidatePrediction

NAMES = ("bug", "docs", "speed", "design")


def _decisions(train, test, seed):
    scores = out_of_fold_scores(WordVotes, train, seed=seed)
    thresholds = choose_thresholds(train.targets, scores)
    return thresholds.decide(WordVotes().fit(train).score(test.issues))


def _half_shuffled(train, rng):
    """Half of the issues get each other's labels."""
    targets = train.targets.copy()
    half = rng.permutation(len(train))[: len(train) // 2]
    targets[half] = targets[rng.permutation(half)]
    return TrainingSet(train.labels, train.numbers, train.issues, targets)


def _tries(n):
    for seed in range(n):
        data = invented(260, seed=seed)
        test, train = data.subset(range(80)), data.subset(range(80, 200))
        yield seed, test, train, data


def test_a_release_made_worse_on_purpose_is_refused_20_of_20():
    for seed, test, train, _ in _tries(20):
        bad = _half_shuffled(train, np.random.default_rng(seed))
        gate = decide(
            test.targets, _decisions(bad, test, seed), _decisions(train, test, seed), NAMES
        )
        assert not gate.promote, gate.reason
        assert gate.reason.startswith("worse than the active release on 80 held-out issues: m")


def test_an_equal_release_is_promoted_at_least_18_of_20():
    promoted = 0
    for seed, test, train, data in _tries(20):
        other = data.subset(range(140, 260))  # as many issues of the same kind, half of them new
        gate = decide(
            test.targets, _decisions(other, test, seed), _decisions(train, test, seed), NAMES
        )
        promoted += gate.promote
    assert promoted >= 18


def test_noise_that_is_no_better_nor_worse_is_rarely_refused():
    rng = np.random.default_rng(0)
    refused = 0
    for seed in range(100):
        truth = rng.random((100, 4)) < 0.4
        first, second = (np.where(rng.random(truth.shape) < 0.8, truth, ~truth) for _ in "ab")
        refused += not decide(truth, first, second, NAMES, seed=seed).promote
    assert refused <= 11  # 5 expected


def test_the_table_of_both_is_kept_as_json():
    truth = np.array([[True, False], [False, True]] * 10)
    gate = decide(truth, truth, ~truth, ("a", "b"))
    document = json.loads(json.dumps(gate.to_json()))
    assert document["promote"] is True
    assert document["labels"][0] == {"name": "a", "support": 10, "new_f1": 1, "active_f1": 0}
    [micro, macro] = document["figures"]
    assert (micro["metric"], micro["new"], micro["active"]) == ("micro_f1", 1, 0)
    assert macro["difference_ci"] == [1, 1]


def test_probabilities_that_are_worse_are_refused_though_the_decisions_are_the_same():
    truth = np.array([[True, False], [False, True]] * 40)
    sure, unsure = np.where(truth, 0.9, 0.1), np.where(truth, 0.6, 0.4)
    for new, active in ((sure, unsure), (unsure, sure)):
        gate = decide(truth, truth, truth, ("a", "b"), scores=(new, active))
        assert gate.promote is (new is sure)
    assert "Brier score (less is better) 0.160 against 0.010 (+0.150" in gate.reason
    [*_, brier] = gate.to_json()["figures"]
    assert (brier["metric"], brier["worse"]) == ("brier", True)
    assert brier["p_worse"] == 1


def test_probabilities_that_are_a_hair_worse_on_every_issue_pass():
    truth = np.array([[True, False], [False, True]] * 40)
    sure, less = np.where(truth, 0.97, 0.03), np.where(truth, 0.96, 0.04)
    assert decide(truth, truth, truth, ("a", "b"), scores=(less, sure)).promote


def test_equal_probabilities_are_rarely_refused():
    rng = np.random.default_rng(0)
    refused = 0
    for seed in range(100):
        truth = rng.random((100, 4)) < 0.4
        first, second = (np.clip(rng.normal(truth, 0.4), 0, 1) for _ in "ab")
        decisions = (one > 0.5 for one in (first, second))
        refused += not decide(truth, *decisions, NAMES, scores=(first, second), seed=seed).promote
    assert refused <= 11  # 5 expected


def test_nothing_to_compare_with_or_on_promotes_and_says_so():
    assert first_release().promote
    nothing = np.zeros((0, 1), bool)
    gate = decide(nothing, nothing, nothing, ("a",))
    assert gate.promote
    assert "no held-out issue" in gate.reason


def test_shapes_that_differ_are_refused_with_their_sizes():
    with pytest.raises(ValueError, match=r"\(3, 2\).*\(n_issues, 2\)"):
        decide(np.ones((3, 2), bool), np.ones((2, 2), bool), np.ones((3, 2), bool), ("a", "b"))


def test_runs_are_compared_on_the_issues_that_both_have():
    left, right = common_rows((9, 4, 7), (7, 8, 9))
    assert left.tolist() == [2, 0]
    assert right.tolist() == [0, 2]


class FixedRelease:
    """Gives the same labels to every issue."""

    def __init__(self, names, given):
        self.names = names
        self._given = [name in given for name in names]

    def predict(self, issues):
        decided = np.array([self._given] * len(issues), dtype=bool)
        return CandidatePrediction(decided.astype(np.float32), decided)


def test_releases_with_other_labels_are_compared_on_those_of_the_held_out_issues():
    held_out = invented(60, n_labels=2)
    new = FixedRelease(("new", "docs", "bug"), {"bug", "new"})
    active = FixedRelease(("bug",), {"bug"})
    gate = compare(new, active, held_out)
    assert gate.promote
    assert [(one.name, one.new_f1 == one.active_f1) for one in gate.labels] == [
        ("bug", True),
        ("docs", True),
    ]
    gone = compare(FixedRelease(("docs",), set()), active, held_out)
    assert not gone.promote
    assert compare(new, active, held_out.subset([])).n_issues == 0
