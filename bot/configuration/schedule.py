"""When a report is due: the five fields of cron, in UTC.

The language is that of crontab(5) (https://man7.org/linux/man-pages/man5/crontab.5.html): lists,
ranges, steps, names of months and days; 0 and 7 are Sunday; where both day fields are restricted,
either is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: i for i, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: i for i, name in enumerate(_DAYS)}),
)
_MAX_WAIT = timedelta(days=8 * 366)
"""29 February can be eight years away, around 2100."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes, hours, days and months at which something is due; weekdays count from Sunday 0.

    :ivar either_day: both day fields are restricted, so a day that fits one of them is enough.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def of(cls, text: str) -> Schedule:
        """Read five fields.

        :raises ValueError: naming the field that is wrong, or that no date ever fits.
        """
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise ValueError(
                f"got {len(fields)} fields, expected 5: minute, hour, day of month, month, day of "
                'week, such as "0 6 * * 1" for Mondays at 06:00 UTC'
            )
        minutes, hours, days, months, weekdays = (
            _numbers(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True)
        )
        schedule = cls(
            minutes=tuple(sorted(minutes)),
            hours=tuple(sorted(hours)),
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=not (fields[2].startswith("*") or fields[4].startswith("*")),
        )
        schedule.next_after(datetime(2024, 1, 1, tzinfo=UTC))
        return schedule

    def next_after(self, moment: datetime) -> datetime:
        """The first due minute later than `moment`, both aware, the answer in UTC.

        :raises ValueError: no date fits, such as 31 February.
        """
        moment = moment.astimezone(UTC)
        day = moment.date()
        while day - moment.date() <= _MAX_WAIT:
            for hour, minute in self._times_of(day):
                due = datetime.combine(day, time(hour, minute), UTC)
                if due > moment:
                    return due
            day += timedelta(days=1)
        raise ValueError("no date ever fits these days and months")

    def _times_of(self, day: date) -> list[tuple[int, int]]:
        if not self._fits(day):
            return []
        return [(hour, minute) for hour in self.hours for minute in self.minutes]

    def _fits(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        fits = (in_month or in_week) if self.either_day else (in_month and in_week)
        return fits and day.month in self.months


def _numbers(text: str, field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    """The numbers that one field of commas, ranges and steps stands for."""
    numbers: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, field, low, high, names)
            last = _number(end, field, low, high, names) if dash else (high if step else first)
        size = _number(step, f"step of {field}", 1, high, {}) if "/" in part else 1
        if last < first:
            raise ValueError(f"{field}: the range {span} runs backwards")
        numbers.update(range(first, last + 1, size))
    return frozenset(numbers)


def _number(text: str, field: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text, int(text) if text.isascii() and text.isdigit() else -1)
    if not low <= number <= high:
        raise ValueError(f"{field}: got {text!r}, expected {low} to {high}")
    return number
