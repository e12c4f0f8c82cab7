"""Webhooks that say more of an issue than its text and labels: kept where that matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes_bot import REPO

from bot.github.events import read_event
from bot.receiving.deliveries import keep, understand

if TYPE_CHECKING:
    from conftest import Bench

    from store.records import StoredDelivery, StoredIssue

pytestmark = pytest.mark.anyio

BUG_TYPE = {"id": 410, "node_id": "IT_1", "name": "Bug", "description": None, "color": "red"}
MILESTONE = {"id": 9, "number": 2, "title": "Second flight", "state": "open", "due_on": None}
FIELD = {"id": 12, "name": "Priority", "field_type": "single_select"}
REPOSITORY = {"id": 77, "full_name": REPO, "default_branch": "main"}
ISSUE = {
    "id": 5001,
    "number": 5,
    "title": "words",
    "body": "more words",
    "state": "open",
    "labels": [{"name": "docs"}],
    "user": {"login": "rita", "id": 3, "type": "User"},
    "created_at": "2026-03-01T11:00:00Z",
    "updated_at": "2026-03-01T11:30:00Z",
    "locked": False,
    "type": None,
    "sub_issues_summary": {"total": 1, "completed": 0, "percent_completed": 0},
    "issue_dependencies_summary": {"blocked_by": 0, "blocking": 1},
    "issue_field_values": [{"issue_field_id": 12, "data_type": "single_select", "value": "High"}],
}
BESIDE: dict[str, dict[str, Any]] = {
    "typed": {"type": BUG_TYPE},
    "untyped": {"type": BUG_TYPE},
    "pinned": {},
    "unpinned": {},
    "locked": {},
    "unlocked": {},
    "milestoned": {"milestone": MILESTONE},
    "demilestoned": {"milestone": MILESTONE},
    "assigned": {"assignee": {"login": "tess"}},
    "unassigned": {"assignee": None},
    "field_added": {
        "issue_field": FIELD,
        "issue_field_value": {"id": 1, "value": "High", "value_id": 4, "option": {"name": "High"}},
        "changes": {"issue_field_value": {"from": None}},
    },
    "field_removed": {"issue_field": FIELD, "issue_field_value": {"id": 1, "value": "High"}},
    "an_action_of_next_year": {"novelty": [1, {"deep": True}]},
}
"""What each action of `issues` brings beside the issue."""

RELATIONS = [
    ("sub_issues", "sub_issue_added", ("parent_issue", "sub_issue")),
    ("sub_issues", "sub_issue_removed", ("parent_issue", "sub_issue")),
    ("sub_issues", "parent_issue_added", ("sub_issue", "parent_issue")),
    ("sub_issues", "parent_issue_removed", ("sub_issue", "parent_issue")),
    ("issue_dependencies", "blocked_by_added", ("blocked_issue", "blocking_issue")),
    ("issue_dependencies", "blocked_by_removed", ("blocked_issue", "blocking_issue")),
    ("issue_dependencies", "blocking_added", ("blocking_issue", "blocked_issue")),
    ("issue_dependencies", "blocking_removed", ("blocking_issue", "blocked_issue")),
]


def payload_of(action: str, minute: int = 30, **of_issue: Any) -> dict[str, Any]:
    issue = {**ISSUE, "updated_at": f"2026-03-01T11:{minute}:00Z", **of_issue}
    return {
        "action": action,
        "issue": issue,
        "repository": REPOSITORY,
        "sender": {"login": "tess", "id": 4, "type": "User"},
        **BESIDE.get(action, {}),
    }


def receive(bench: Bench, event: str, payload: dict[str, Any]) -> StoredDelivery:
    """Store a payload as the service does."""
    guid = f"{event}-{payload['action']}"
    received = understand(guid, event, payload, bench.clock())
    assert received.problem is None
    with bench.installation.store.begin() as work:
        assert keep(work, received, bench.installation.own_login)
    with bench.installation.store.read() as work:
        delivery = work.inbox.find(guid)
    assert delivery is not None
    return delivery


def issue_in_store(bench: Bench) -> StoredIssue | None:
    with bench.installation.store.read() as work:
        repository = work.repositories.find(REPO)
        return work.issues.find(repository.id, 5) if repository else None


@pytest.mark.parametrize("action", BESIDE)
async def test_what_says_nothing_of_text_or_labels_is_stored_and_causes_no_work(
    bench: Bench, action: str
) -> None:
    delivery = receive(bench, "issues", payload_of(action))
    assert (delivery.state, delivery.issue_number) == ("ignored", 5)
    issue = issue_in_store(bench)
    assert issue is not None
    assert (issue.title, issue.labels) == ("words", ("docs",))
    assert await bench.work() == 0


@pytest.mark.parametrize(("event", "action", "ends"), RELATIONS)
async def test_how_issues_hang_together_is_no_matter_here(
    bench: Bench, event: str, action: str, ends: tuple[str, str]
) -> None:
    here, there = ends
    payload = {
        "action": action,
        f"{here}_id": 5001,
        here: ISSUE,
        f"{there}_id": 6001,
        there: {**ISSUE, "id": 6001, "number": 6},
        f"{there}_repo": {"id": 78, "full_name": "acme/pad"},
        "repository": REPOSITORY,
        "sender": {"login": "tess"},
    }
    assert receive(bench, event, payload).state == "ignored"
    assert issue_in_store(bench) is None


async def test_an_issue_s_type_is_kept_until_it_goes(bench: Bench) -> None:
    for minute, action, type_, name in (
        (31, "typed", BUG_TYPE, "Bug"),
        (32, "pinned", BUG_TYPE, "Bug"),
        (33, "untyped", None, ""),
    ):
        receive(bench, "issues", payload_of(action, minute, type=type_))
        assert issue_in_store(bench).type == name


async def test_a_late_webhook_takes_no_type_back(bench: Bench) -> None:
    receive(bench, "issues", payload_of("typed", 40, type=BUG_TYPE))
    receive(bench, "issues", payload_of("pinned", 39))
    assert issue_in_store(bench).type == "Bug"


async def test_a_payload_without_the_fields_changes_neither_type_nor_lock(bench: Bench) -> None:
    receive(bench, "issues", payload_of("locked", 31, type=BUG_TYPE, locked=True))
    payload = payload_of("pinned", 32)
    del payload["issue"]["type"], payload["issue"]["locked"]
    receive(bench, "issues", payload)
    issue = issue_in_store(bench)
    assert (issue.type, issue.locked) == ("Bug", True)


async def test_it_is_known_whether_a_conversation_is_locked(bench: Bench) -> None:
    receive(bench, "issues", payload_of("locked", 31, locked=True, active_lock_reason="spam"))
    assert issue_in_store(bench).locked
    receive(bench, "issues", payload_of("unlocked", 32))
    assert not issue_in_store(bench).locked


async def test_a_transferred_issue_leaves_the_repository(bench: Bench) -> None:
    receive(bench, "issues", payload_of("pinned"))
    new = {"new_issue": {**ISSUE, "number": 1}, "new_repository": {"full_name": "acme/pad"}}
    delivery = receive(bench, "issues", {**payload_of("transferred"), "changes": new})
    assert delivery.state == "ignored"
    assert issue_in_store(bench) is None


async def test_a_transferred_issue_is_tagged_where_it_arrives(bench: Bench) -> None:
    old = {"old_issue": {**ISSUE, "number": 1}, "old_repository": {"full_name": "acme/pad"}}
    delivery = receive(bench, "issues", {**payload_of("opened"), "changes": old})
    assert (delivery.state, issue_in_store(bench).filed_title) == ("pending", "words")


@pytest.mark.parametrize("action", ["pinned", "unpinned"])
async def test_a_pinned_comment_gives_no_command(bench: Bench, action: str) -> None:
    comment = {"id": 8, "body": "/tagger why", "user": {"login": "tess"}}
    payload = {**payload_of(action), "comment": comment}
    assert receive(bench, "issue_comment", payload).state == "ignored"


@pytest.mark.parametrize("odd", ["Bug", {"name": "Bug"}, {"name": "B\0ug"}, {"id": 1}, {}, None])
async def test_a_type_in_whatever_shape_is_read(odd: object) -> None:
    fact = read_event("issues", payload_of("opened", type=odd))
    assert fact.issue.type in {"Bug", "B?ug", ""}


async def test_the_stand_in_s_types_are_told_as_github_s(bench: Bench) -> None:
    bench.github.open_issue(REPO, "words")
    bench.github.set_type(REPO, 1, "Bug", by="tess")
    bench.receive_all()

    def kept() -> str:
        with bench.installation.store.read() as work:
            return work.issues.get(work.repositories.get(REPO).id, 1).type

    assert kept() == "Bug"
    bench.clock.advance(seconds=5)
    untyped = bench.github.set_type(REPO, 1, None, by="tess")
    assert (untyped.payload["action"], untyped.payload["type"]["name"]) == ("untyped", "Bug")
    bench.receive(untyped)
    assert kept() == ""
