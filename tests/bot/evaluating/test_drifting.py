"""Whether issues since a release are like those that it learned from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.evaluating.drift import BEFORE, RECENT, drift
from store.records import IssueRecord, PredictedLabel, PredictionRecord, ReleaseRecord

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRAINED = NOW - timedelta(days=60)
DAY = timedelta(days=1)
MANIFEST = {
    "n_issues": 40,
    "labels": [{"name": "bug", "examples": 30}, {"name": "docs", "examples": 10}],
}


class House:
    """A repository with a release, and issues before and after it."""

    def __init__(self, store) -> None:
        self.store = store
        with store.begin() as work:
            self.id = work.repositories.get_or_create("acme/rocket", now=NOW).id
            record = ReleaseRecord("r1", TRAINED, "r1", "digest", MANIFEST)
            work.releases.add(self.id, record)
            self.release = work.releases.promote(self.id, "r1", TRAINED)

    def file(self, numbers, label: str | None, words: str, at: datetime, **given) -> None:
        labels = () if label is None else (label,)
        with self.store.begin() as work:
            work.issues.upsert(
                self.id,
                [IssueRecord(n, f"{words} {n}", "", labels, at, **given) for n in numbers],
            )

    def predict(self, number: int, verdict: str, at: datetime) -> None:
        label = PredictedLabel("bug", 0.5, 0.8, verdict, "words", {}, ())
        with self.store.begin() as work:
            work.predictions.record(PredictionRecord(self.id, number, "r1", at, "shadow", (label,)))

    def signs(self):
        with self.store.read() as work:
            found = drift(work, self.id, work.releases.get(self.id, "r1"), NOW)
        return {sign.what: sign for sign in found}


@pytest.fixture
def house(store) -> House:
    return House(store)


def test_label_shares_are_those_of_the_release_and_of_issues_since(house) -> None:
    house.file(range(1, 41), "bug", "crash", TRAINED - DAY)
    house.file(range(41, 46), "bug", "crash", NOW - DAY)
    house.file(range(46, 61), "docs", "manual", NOW - DAY)
    house.file(range(61, 70), "wontfix", "noise", NOW - DAY)
    house.file(range(70, 75), "bug", "a change", NOW - DAY, is_pull_request=True)
    signs = house.signs()
    assert (signs["bug"].before.share, signs["bug"].now.share) == (0.75, 0.25)
    assert (signs["docs"].now.part, signs["docs"].now.whole) == (15, 20)
    assert signs["docs"].beyond_noise


def test_words_that_were_never_read_are_counted(house) -> None:
    house.file(range(1, 51), "bug", "crash error broken", TRAINED - DAY)
    house.file(range(51, 61), "bug", "crash error broken", NOW - DAY)
    (known,) = [sign for sign in house.signs().values() if sign.sign == "vocabulary"]
    assert known.now.share == 0
    house.file(range(61, 81), "bug", "quantum flux capacitor", NOW - DAY)
    (unknown,) = [sign for sign in house.signs().values() if sign.sign == "vocabulary"]
    assert unknown.now.share > 0.5


def test_silence_of_late_is_compared_with_silence_before(house) -> None:
    house.file(range(1, 8), None, "words", TRAINED)
    for number, verdict in enumerate(("apply", "apply", "abstain"), start=1):
        house.predict(number, verdict, NOW - RECENT - DAY)
    for number, verdict in enumerate(("abstain", "abstain", "apply"), start=4):
        house.predict(number, verdict, NOW - DAY)
    house.predict(6, "abstain", NOW)  # of two predictions the later counts
    house.predict(7, "abstain", NOW - BEFORE - DAY)
    (silence,) = [sign for sign in house.signs().values() if sign.sign == "abstention"]
    assert (silence.before.part, silence.before.whole) == (1, 3)
    assert (silence.now.part, silence.now.whole) == (3, 3)


def test_a_release_of_nothing_shows_no_drift(house) -> None:
    assert not any(sign.beyond_noise for sign in house.signs().values())
