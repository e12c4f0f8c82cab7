"""The walk through a repository's issue events: where it goes on, and whose acts it finds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from bot.github.models import GitHubLabel, Issue, IssueEvent, User
from bot.github.resource import KnownPage, Page
from bot.repositories.label_history import EventWalk, label_events, own_acts
from store.records import Write

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = "https://api.test/events?page=1", "https://api.test/events?page=2"


def page(*ids: int, url: str = FIRST, next_url: str | None = None) -> Page[IssueEvent]:
    return Page(url, tuple(IssueEvent(id=one) for one in ids), next_url, f'"{url[-1]}"')


def event(what: str = "labeled", label: str = "bug", by: str = "ada", **given: object):
    fields = {
        "id": 9,
        "created_at": NOW,
        "issue": Issue(number=5),
        "label": GitHubLabel(name=label),
    }
    return IssueEvent(**{"event": what, "actor": User(login=by), **fields, **given})


def test_a_walk_goes_on_with_the_next_page_and_ends_with_the_last() -> None:
    walk = EventWalk().after(page(40, 30, next_url=SECOND))
    assert (walk.until, walk.newest, walk.next) == (0, 40, SECOND)
    ended = walk.after(page(20, 10, url=SECOND))
    assert (ended.until, ended.newest, ended.next) == (40, 40, None)
    assert ended.known == {FIRST: KnownPage('"1"', SECOND)}


def test_a_later_walk_ends_where_the_last_one_began() -> None:
    walk = EventWalk(until=40, newest=40).after(page(60, 50, 40, next_url=SECOND))
    assert (walk.until, walk.next) == (60, None)


def test_what_came_in_during_the_walk_is_the_next_walk_s() -> None:
    walk = EventWalk().after(page(40, next_url=SECOND)).after(page(39, 38, url=SECOND))
    assert walk.until == 40


def test_a_walk_that_github_ends_is_whole() -> None:
    walk = EventWalk(until=10, newest=40, next=SECOND)
    assert walk.ended() == EventWalk(until=40, newest=40)


def test_a_walk_is_kept_as_json_and_goes_on_from_it() -> None:
    walk = EventWalk().after(page(40, 30, next_url=SECOND))
    assert EventWalk.of(json.loads(json.dumps(walk.as_json()))) == walk
    assert EventWalk.of(None) == EventWalk.of({}) == EventWalk()


def test_acts_come_oldest_first_and_say_whose_they_are() -> None:
    own = own_acts(
        [Write(1, 1, 5, "Bug", "label", "undone", "undo", None, NOW),
         Write(2, 1, 6, "docs", "suggestion", "written", "", None, NOW)]
    )  # fmt: skip
    assert own == {(5, "bug", "added"), (5, "bug", "removed")}
    later = event("unlabeled", id=10, created_at=NOW + timedelta(seconds=1))
    acts = list(label_events([later, event(), event(by="eve")], "ada", own))
    assert [(act.action, act.actor, act.actor_kind) for act in acts] == [
        ("added", "eve", "person"),
        ("added", "ada", "self"),
        ("removed", "ada", "self"),
    ]
    assert (acts[-1].key, acts[-1].source, acts[-1].number) == ("event 10", "sync", 5)


def test_a_former_name_is_an_act_on_the_label_of_today() -> None:
    (act,) = label_events([event(label="Defect")], "ada", {(5, "bug", "added")}, {"defect": "bug"})
    assert (act.label, act.actor_kind) == ("Defect", "self")


def test_what_is_no_act_on_a_label_of_an_issue_is_left_out() -> None:
    others = [
        event("closed"),
        event(label=""),
        event(issue=None),
        event(created_at=None),
        IssueEvent(event="labeled", issue=Issue(number=5), created_at=NOW),
    ]
    assert list(label_events(others, "ada")) == []
