"""The audit finds what was spoilt on purpose, and names pairs, doubles and the dead."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from invented import invented
from rivals import WordVotes

from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.monitoring.audit import (
    LabelUse,
    bot_only_labels,
    confused_pairs,
    dead_labels,
    doubles,
    suspect_issues,
    suspects,
)
from tagger.statistics.f1_thresholds import out_of_fold_scores


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_labels_flipped_in_one_issue_of_twenty_are_found_in_the_first_tenth(seed):
    data = invented(300, seed=seed)
    rng = np.random.default_rng(seed)
    flipped = rng.choice(300, 15, replace=False)
    targets = data.targets.copy()
    for row in flipped:
        targets[row, rng.integers(4)] ^= True
    spoilt = TrainingSet(data.labels, data.numbers, data.issues, targets)
    scores = out_of_fold_scores(WordVotes, spoilt, seed=seed)
    first = set(suspect_issues(spoilt, scores)[:30])
    assert len(first & {data.numbers[row] for row in flipped}) >= 8


def _data(targets):
    n, labels = np.shape(targets)
    names = tuple(Label(name) for name in ("bug", "docs", "speed")[:labels])
    texts = tuple(IssueText(str(row)) for row in range(n))
    return TrainingSet(names, tuple(range(101, 101 + n)), texts, np.array(targets, bool))


def test_a_suspect_says_what_is_wrong_and_what_is_missing():
    data = _data([[1, 0], [1, 0], [0, 1], [0, 1]])
    scores = np.array([[0.9, 0.1], [0.1, 0.95], [0.2, 0.8], [0.1, 0.9]], np.float32)
    found = suspects(data, scores)
    assert [(one.number, one.label, one.kind) for one in found] == [
        (102, "docs", "missing"),
        (102, "bug", "wrong"),
    ]
    assert found[0].suspicion == pytest.approx(0.95)
    assert all(one.confident for one in found)
    assert suspect_issues(data, scores)[0] == 102


def test_a_label_that_nothing_has_is_suspected_without_confidence():
    data = _data([[1, 0], [1, 0]])
    found = suspects(data, np.array([[0.9, 0.7], [0.9, 0.1]], np.float32))
    assert [(one.label, one.kind, one.confident) for one in found] == [("docs", "missing", False)]


def test_a_confused_pair_says_which_way_how_often_and_where():
    truth = [[1, 0, 0]] * 4 + [[0, 1, 0]] * 4
    decided = np.array([[0, 1, 0]] * 3 + [[1, 0, 0]] + [[0, 1, 0]] * 4, bool)
    [pair] = confused_pairs(_data(truth), decided)
    assert (pair.true, pair.given, pair.count, pair.share) == ("bug", "docs", 3, 0.75)
    assert pair.issues == (101, 102, 103)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("type: bug", "Bugs (type)", True),
        ("documentation", "documentaton", True),
        ("P0", "P1", False),
        ("area-api-v1", "area-api-v2", False),
        ("bug", "design", False),
    ],
)
def test_doubles_by_name(first, second, same):
    uses = [LabelUse(first, frozenset({1, 2})), LabelUse(second, frozenset({3}))]
    assert bool(doubles(uses)) is same


def test_doubles_by_issues():
    uses = [LabelUse("crash", frozenset(range(10))), LabelUse("severe", frozenset(range(9)))]
    [pair] = doubles(uses)
    assert "90%" in pair.why
    assert pair.issues == (0, 1, 2, 3, 4)


def test_the_dead_and_those_that_only_bots_set():
    now = datetime(2024, 1, 1, tzinfo=UTC)
    unused = LabelUse("unused", frozenset())
    old = LabelUse("old", frozenset({1}), by_people=2, last_set=now - timedelta(days=400))
    alive = LabelUse("alive", frozenset({1}), by_people=1, by_bots=9, last_set=now)
    robotic = LabelUse("robotic", frozenset({1}), by_bots=3, last_set=now)
    unknown = LabelUse("unknown", frozenset({1}))
    uses = [unused, old, alive, robotic, unknown]
    assert dead_labels(uses, now, timedelta(days=365)) == [unused, old]
    assert bot_only_labels(uses) == [robotic]
