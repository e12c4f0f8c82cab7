"""Cron's five fields, and when they are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.configuration.schedule import Schedule

WEDNESDAY = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 6 * * 1", datetime(2025, 1, 6, 6, tzinfo=UTC)),
        ("0 6 * * mon", datetime(2025, 1, 6, 6, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2025, 1, 5, tzinfo=UTC)),
        ("0 0 * * 0", datetime(2025, 1, 5, tzinfo=UTC)),
        ("30 7 1 * *", datetime(2025, 1, 1, 7, 30, tzinfo=UTC)),
        ("0 0 1 * *", datetime(2025, 2, 1, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("*/20 * * * *", datetime(2025, 1, 1, 0, 20, tzinfo=UTC)),
        ("5/30 12 * JAN,jul *", datetime(2025, 1, 1, 12, 5, tzinfo=UTC)),
        ("0 9-17/4 * * 4-5", datetime(2025, 1, 2, 9, tzinfo=UTC)),
        ("0 0 13 * 5", datetime(2025, 1, 3, tzinfo=UTC)),  # either the 13th or a Friday
        ("0 0 31 2 1", datetime(2025, 2, 3, tzinfo=UTC)),  # a Monday is enough
        ("0 0 */2 * 5", datetime(2025, 1, 3, tzinfo=UTC)),  # an odd day that is a Friday
    ],
)
def test_next_due_minute(text: str, expected: datetime) -> None:
    assert Schedule.of(text).next_after(WEDNESDAY) == expected


def test_times_of_other_zones_are_understood() -> None:
    five_in_kiev = datetime(2025, 1, 6, 7, 30, tzinfo=timezone(timedelta(hours=2)))
    assert Schedule.of("0 6 * * 1").next_after(five_in_kiev) == datetime(2025, 1, 6, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 6 * *", "got 4 fields, expected 5"),
        ("weekly", "got 1 fields, expected 5"),
        ("60 6 * * 1", "minute: got '60', expected 0 to 59"),
        ("0 24 * * 1", "hour: got '24'"),
        ("0 6 0 * 1", "day of month: got '0'"),
        ("0 6 * 13 1", "month: got '13'"),
        ("0 6 * * tues", "day of week: got 'tues'"),
        ("0 6-3 * * *", "hour: the range 6-3 runs backwards"),
        ("*/0 6 * * *", "step of minute: got '0'"),
        ("*/ 6 * * *", "step of minute: got ''"),
        ("1- 6 * * *", "minute: got ''"),
        (", 6 * * *", "minute: got ''"),
        ("² 6 * * *", "minute: got '²'"),
        ("0 0 31 2 *", "no date ever fits"),
        ("0 0 30,31 feb */2", "no date ever fits"),
        ("0 0 L * *", "day of month: got 'l'"),
        ("0 0 * * 5#2", "day of week: got '5#2'"),
        ("0 6-17-19 * * *", "hour: got '17-19'"),
        ("60/0 6 * * *", "minute: got '60'"),
    ],
)
def test_what_is_wrong_names_the_field(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Schedule.of(text)


@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.integers(0, 7),
    st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
)
def test_a_weekly_schedule_is_due_within_a_week_and_never_now(
    minute: int, hour: int, day: int, moment: datetime
) -> None:
    due = Schedule.of(f"{minute} {hour} * * {day}").next_after(moment)
    assert timedelta(0) < due - moment <= timedelta(days=7)
    assert (due.minute, due.hour, due.isoweekday() % 7) == (minute, hour, day % 7)
