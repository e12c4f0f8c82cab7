"""What was never delivered is made up for from what is stored, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.receiving.deliveries import keep, understand
from bot.repositories.missed_events import GRACE, make_up
from store.records import IssueRecord

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPO = "acme/rocket"
BOT = "tagger[bot]"


class House:
    """A repository whose first webhook came a day ago."""

    def __init__(self, store) -> None:
        self.store = store
        with store.begin() as work:
            known = work.repositories.get_or_create(REPO, now=NOW, github_id=77)
            self.id = known.id
            day_ago = NOW - timedelta(days=1)
            keep(work, understand("first", "ping", {"repository": _named()}, day_ago), BOT)

    def file(self, number: int, at: datetime, labels: tuple[str, ...] = (), **given) -> None:
        record = IssueRecord(number, f"issue {number}", "", labels, at, author="ada", **given)
        with self.store.begin() as work:
            work.issues.upsert(self.id, [record])

    def sweep(self, now: datetime = NOW) -> int:
        with self.store.begin() as work:
            return make_up(work, work.repositories.get(REPO), BOT, now)

    def has(self, guid: str) -> bool:
        with self.store.read() as work:
            return work.inbox.has(guid)


def _named() -> dict[str, object]:
    return {"full_name": REPO, "id": 77}


@pytest.fixture
def house(store) -> House:
    return House(store)


def test_an_opening_of_which_nobody_told_is_made_up_for_once(house) -> None:
    house.file(1, NOW - timedelta(hours=3))
    assert (house.sweep(), house.sweep()) == (1, 0)
    assert house.has("sweep-77-1-opened")


def test_what_was_there_before_the_bot_was_is_nobody_s_mistake(house) -> None:
    house.file(1, NOW - timedelta(days=2))
    assert house.sweep() == 0


def test_a_young_issue_is_left_to_the_next_sweep(house) -> None:
    house.file(1, NOW - GRACE / 2)
    assert house.sweep() == 0
    assert house.sweep(NOW + GRACE) == 1


def test_an_opening_that_was_told_is_not_made_up_for(house) -> None:
    at = NOW - timedelta(hours=3)
    issue = {"number": 1, "title": "issue 1", "created_at": at.isoformat()}
    payload = {"action": "opened", "issue": issue, "repository": _named()}
    with house.store.begin() as work:
        keep(work, understand("told", "issues", payload, at), BOT)
    assert house.sweep() == 0


def test_a_label_beside_the_fallback_label_is_made_up_for(house) -> None:
    house.file(1, NOW - timedelta(days=2), ("Triage", "bug"))
    house.file(2, NOW - timedelta(days=2), ("triage",))
    intake = {"delay_seconds": 0, "fallback_label": "triage"}
    with house.store.begin() as work:
        work.repositories.set_configuration(house.id, {}, intake)
        run = work.writes.open_run(house.id, "webhook", NOW)
        for number in (1, 2):
            (write,) = work.writes.intend(run.id, number, ["triage"], NOW)
            work.writes.mark(write.id, "written", NOW)
    assert (house.sweep(), house.sweep()) == (1, 0)


def test_without_github_s_id_nothing_is_made_up(store) -> None:
    with store.begin() as work:
        repository = work.repositories.get_or_create("acme/unknown", now=NOW)
        record = IssueRecord(1, "issue", "", (), NOW - timedelta(hours=3))
        work.issues.upsert(repository.id, [record])
        assert make_up(work, repository, BOT, NOW) == 0
