"""When a report is due: the five fields of cron, in UTC.

The language is that of crontab(5) (https://man7.org/linux/man-pages/man5/crontab.5.html): lists,
ranges, steps, names of months and days; 0 and 7 are Sunday; where both day fields are restricted,
either is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: i for i, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: i for i, name in enumerate(_DAYS)}),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due. Made by `of`, which checks the text."""

    text: str

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
        for field, limits in zip(fields, _FIELDS, strict=True):
            _check(field, *limits)
        schedule = cls(text)
        schedule.next_after(datetime(2024, 1, 1, tzinfo=UTC))
        return schedule

    @property
    def minutes(self) -> frozenset[int]:
        """The minutes of an hour at which it is due."""
        return frozenset(CronSim(self.text, datetime(2024, 1, 1, tzinfo=UTC)).minutes)

    def next_after(self, moment: datetime) -> datetime:
        """The first due minute later than `moment`, both aware, the answer in UTC.

        :raises ValueError: no date fits, such as 31 February.
        """
        try:
            return next(CronSim(self.text, moment.astimezone(UTC)))
        except (CronSimError, StopIteration):
            raise ValueError("no date ever fits these days and months") from None


def _check(text: str, field: str, low: int, high: int, names: dict[str, int]) -> None:
    """One field of commas, ranges and steps, and nothing that only some crons know.

    :raises ValueError: what is wrong with it, in words for whoever wrote it.
    """
    for part in text.lower().split(","):
        span, slash, step = part.partition("/")
        if span != "*":
            begin, dash, end = span.partition("-")
            first = _number(begin, field, low, high, names)
            last = _number(end, field, low, high, names) if dash else first
            if last < first:
                raise ValueError(f"{field}: the range {span} runs backwards")
        if slash:
            _number(step, f"step of {field}", 1, high, {})


def _number(text: str, field: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text, int(text) if text.isascii() and text.isdigit() else -1)
    if not low <= number <= high:
        raise ValueError(f"{field}: got {text!r}, expected {low} to {high}")
    return number
