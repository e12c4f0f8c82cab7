"""Values that are read again only once they are too old."""

from datetime import UTC, datetime, timedelta

from bot.process import recent_values
from bot.process.recent_values import RecentValues

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Source:
    reads = 0

    def read(self) -> int:
        self.reads += 1
        return self.reads


def test_a_value_holds_for_a_while():
    source, values = Source(), RecentValues[int](MINUTE)
    ages = (0, 30, 59, 61, 62)
    got = [
        values.get("a", NOW + timedelta(seconds=age), source.read, lambda _: True) for age in ages
    ]
    assert got == [1, 1, 1, 2, 2]


def test_what_is_read_at_once_is_not_held():
    source, values = Source(), RecentValues[int](MINUTE)
    assert [values.get("a", NOW, source.read, lambda value: value > 1) for _ in range(3)] == [
        1,
        2,
        2,
    ]


def test_a_clock_that_was_set_back_does_not_keep_a_value_for_ever():
    source, values = Source(), RecentValues[int](MINUTE)
    values.get("a", NOW, source.read, lambda _: True)
    assert values.get("a", NOW - MINUTE, source.read, lambda _: True) == 2


def test_the_oldest_gives_way(monkeypatch):
    monkeypatch.setattr(recent_values, "REMEMBERED", 2)
    source, values = Source(), RecentValues[int](MINUTE)
    for key in "abca":
        values.get(key, NOW, source.read, lambda _: True)
    assert source.reads == 4
    values.get("c", NOW, source.read, lambda _: True)
    assert source.reads == 4
