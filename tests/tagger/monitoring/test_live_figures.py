"""Live figures and drift: no bias from what was asked about, no alarm from noise."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tagger.domain.issue import IssueText
from tagger.monitoring.alarm import Decided, compare_with_last
from tagger.monitoring.drift import (
    Counted,
    changes,
    expected_gain,
    newcombe,
    unread_words,
    vocabulary,
    wilson,
)
from tagger.monitoring.live_figures import (
    JudgedLabel,
    clopper_pearson,
    live_figures,
    weighted_share,
)

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def answered(number, decision, wanted, *, at=MONDAY, **more):
    return JudgedLabel(
        number, "bug", at, decision, wanted, stands=bool(wanted), reviewed=False, **more
    )


def test_equal_weights_give_the_exact_interval_of_the_textbook():
    share = weighted_share([(True, 4.0)] * 18 + [(False, 4.0)] * 2)
    assert share.value == pytest.approx(0.9)
    assert (share.low, share.high) == pytest.approx((0.6830, 0.9877), abs=1e-4)
    assert clopper_pearson(0, 20) == pytest.approx((0, 0.1684), abs=1e-4)
    assert clopper_pearson(20, 20) == pytest.approx((0.8316, 1), abs=1e-4)
    assert weighted_share([]).value is None


@given(some.lists(some.tuples(some.booleans(), some.floats(1, 50)), min_size=1, max_size=40))
def test_a_share_lies_in_its_interval_and_uneven_weights_widen_it(pairs):
    share = weighted_share(pairs)
    assert 0 <= share.low <= share.value + 1e-9
    assert share.value - 1e-9 <= share.high <= 1
    even = clopper_pearson(share.value * len(pairs), len(pairs))
    assert share.high - share.low >= (even[1] - even[0]) - 1e-6


def test_questions_asked_with_unequal_probability_do_not_bias_the_figures():
    """Doubtful labels are asked about ten times as often; the truth comes out all the same."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(20_000):
        sure = rng.random() < 0.8
        wanted = rng.random() < (0.95 if sure else 0.5)
        probability = 0.02 if sure else 0.2
        asked = rng.random() < probability
        rows.append(
            answered(number, "apply", wanted if asked else None, asked=probability)
            if asked
            else answered(number, "apply", None)
        )
    precision = live_figures(rows, weekly=False)[0].precision
    true = 0.8 * 0.95 + 0.2 * 0.5
    naive = np.mean([one.wanted for one in rows if one.wanted is not None])
    assert precision.basis == "asked"
    assert precision.low < true < precision.high
    assert abs(precision.value - true) < 0.03 < abs(naive - true)


def test_a_miss_is_what_people_wanted_and_the_release_kept_to_itself():
    rows = [answered(n, "apply", True, asked=0.5) for n in range(6)]
    rows += [answered(n, "suggest", True, asked=0.5) for n in range(6, 9)]
    rows += [answered(n, "abstain", True, asked=0.05) for n in range(9, 10)]
    rows += [answered(n, "abstain", False, asked=0.05) for n in range(10, 30)]
    [found] = live_figures(rows, weekly=False)
    assert found.miss_rate.value == pytest.approx(20 / (12 + 6 + 20))
    assert found.coverage.value == pytest.approx(12 / 38)
    assert found.precision.value == 1
    assert (found.precision.n, found.miss_rate.n, found.decided) == (6, 10, 9)


def test_where_nobody_was_asked_reviewed_issues_tell_and_the_basis_is_named():
    rows = [
        JudgedLabel(n, "bug", MONDAY, "apply", None, stands=n % 4 != 0, reviewed=n < 20)
        for n in range(40)
    ]
    [found] = live_figures(rows, weekly=False)
    assert (found.precision.basis, found.precision.n) == ("seen", 20)
    assert found.precision.value == pytest.approx(0.75)
    drawn = [
        JudgedLabel(n, "bug", MONDAY, "apply", None, stands=True, reviewed=True, drawn=0.1)
        for n in range(100, 106)
    ]
    [found] = live_figures(rows + drawn, weekly=False)
    assert (found.precision.basis, found.precision.value) == ("reviewed", 1.0)


def test_weeks_begin_on_monday():
    days = [MONDAY - timedelta(days=1), MONDAY, MONDAY + timedelta(days=6)]
    rows = [answered(n, "apply", True, at=at, asked=1.0) for n, at in enumerate(days)]
    weeks = [(one.week, one.precision.n) for one in live_figures(rows)]
    assert weeks == [(None, 3), (date(2026, 2, 23), 1), (date(2026, 3, 2), 2)]


def test_newcombe_and_wilson_agree_with_the_published_example():
    """Newcombe 1998, table II, row a: 56/70 against 48/80, method 10."""
    low, high = newcombe(Counted(48, 80), Counted(56, 70))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert wilson(Counted(81, 263)) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(Counted(0, 0)) == (0.0, 1.0)


def test_what_did_not_change_is_seldom_called_drift_and_what_did_is():
    rng = np.random.default_rng(0)
    false_alarms = 0
    for _ in range(200):
        drawn = {
            f"l{n}": (Counted(rng.binomial(400, 0.2), 400), Counted(rng.binomial(80, 0.2), 80))
            for n in range(8)
        }
        false_alarms += any(one.beyond_noise for one in changes(drawn, None, None))
    assert false_alarms <= 20  # 5 % are allowed
    found = changes({}, None, (Counted(40, 400), Counted(40, 80)))
    assert [one.beyond_noise for one in found] == [True]
    assert not changes({}, None, (Counted(0, 0), Counted(4, 8)))[0].beyond_noise


def test_new_words_are_counted_by_issue():
    learned = vocabulary([IssueText("the printer fails", "with toner")])
    old, new = IssueText("Printer fails", ""), IssueText("scanner jams", "")
    assert unread_words([old, new, IssueText("", "")], learned) == Counted(1.0, 3)


def test_the_gain_is_the_curve_drawn_on_and_nothing_where_there_is_none():
    summary = [
        {"strategy": "chain", "n_train": n, "micro_f1": skill}
        for n, skill in ((0, 0.4), (100, 0.6), (400, 0.7))
    ]
    gain = expected_gain(summary, learned=400, labelled=800)
    assert gain.per_doubling == pytest.approx(0.05)
    assert gain.expected == pytest.approx(0.05)
    assert expected_gain(summary, learned=400, labelled=400).expected == 0
    assert expected_gain(summary[:2], learned=100, labelled=200) is None
    assert math.isclose(expected_gain(summary, learned=0, labelled=8).expected, 0.15)


def test_an_alarm_is_raised_by_a_drop_and_not_by_the_same_decisions():
    rng = np.random.default_rng(0)
    truth = rng.random((150, 3)) < 0.4
    good = truth ^ (rng.random(truth.shape) < 0.05)
    bad = truth ^ (rng.random(truth.shape) < 0.35)
    names, numbers = ("a", "b", "c"), tuple(range(150))
    now = Decided(numbers, names, bad)
    last = Decided(numbers[::-1], ("c", "gone", "a"), good[::-1][:, [2, 1, 0]])
    found = compare_with_last(now, last, truth)
    assert not found.promote
    assert found.n_issues == 150
    assert {one.name for one in found.labels} == {"a", "c"}
    assert compare_with_last(now, now, truth).promote
    assert compare_with_last(now, Decided((900,), names, good[:1]), truth) is None
