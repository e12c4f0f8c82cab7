"""Whose act on a label it was, and what an issue's timeline says of its labels in short."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.github.models import GitHubLabel, IssueEvent, User
from bot.receiving.actors import LastAct, OwnActs, acts_of, is_own_doing, kind_of, label_acts
from bot.receiving.command_lines import OWN_MARK
from store.records import Write

BOT = "tagger[bot]"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def write(label: str, write_id: int = 1, **given: object) -> Write:
    fields = {
        "id": write_id,
        "run_id": 1,
        "number": 5,
        "label": label,
        "form": "label",
        "state": "written",
        "reason": "",
        "external_id": None,
        "at": NOW,
    }
    return Write(**{**fields, **given})  # type: ignore[arg-type]


def event(what: str, label: str | None = None, by: str = "ada") -> IssueEvent:
    return IssueEvent(
        event=what, actor=User(login=by), label=None if label is None else GitHubLabel(name=label)
    )


@pytest.mark.parametrize(
    ("login", "own_login", "wrote", "kind"),
    [
        ("ada", BOT, False, "person"),
        (BOT, BOT, False, "self"),
        (BOT.upper().replace("[BOT]", "[bot]"), BOT, False, "self"),
        ("renovate[bot]", BOT, False, "bot"),
        ("ada", "ada", False, "person"),
        ("Ada", "ada", True, "self"),
        ("ada", None, False, "person"),
        ("ada", None, True, "bot"),
        ("renovate[bot]", None, False, "bot"),
        ("", BOT, True, "unknown"),
    ],
)
def test_a_login_shared_with_a_person_is_told_apart_by_the_records(
    login, own_login, wrote, kind
) -> None:
    assert kind_of(User(login=login), own_login, wrote=wrote) == kind


def test_nobody_is_unknown() -> None:
    assert kind_of(None, BOT, wrote=True) == "unknown"


@pytest.mark.parametrize(
    ("login", "own_login", "body", "own"),
    [
        (BOT, BOT, "anything", True),
        ("ada", "ada", "a person's issue", False),
        ("ada", "ada", f"{OWN_MARK} report -->", True),
        ("eve", "ada", f"{OWN_MARK} report -->", False),
    ],
)
def test_an_issue_of_the_bot_s_own_is_told_by_how_it_begins(login, own_login, body, own) -> None:
    assert is_own_doing(User(login=login), own_login, body) is own


@pytest.mark.parametrize(
    ("given", "acts"),
    [
        ({}, ("added",)),
        ({"state": "intended"}, ("added",)),
        ({"state": "undone"}, ("added", "removed")),
        ({"reason": "a person removed it"}, ("added", "removed")),
        ({"state": "left"}, ()),
        ({"form": "suggestion"}, ()),
    ],
)
def test_a_write_accounts_for_what_it_did(given, acts) -> None:
    assert acts_of(write("bug", **given)) == acts


def test_each_write_accounts_for_one_act_only() -> None:
    own, ada = OwnActs([write("Bug")]), User(login="ada")
    assert own.kind_of(ada, "ada", "added", "bug") == "self"
    assert own.kind_of(ada, "ada", "added", "bug") == "person"
    assert own.kind_of(ada, "ada", "removed", "bug") == "person"


def test_what_was_accounted_for_before_is_not_accounted_for_again() -> None:
    own = OwnActs([write("bug")], [("added", "bug")])
    assert own.kind_of(User(login="ada"), "ada", "added", "bug") == "person"


def test_of_a_write_that_is_given_twice_the_later_counts() -> None:
    own = OwnActs([write("bug"), write("bug", state="left")])
    assert own.kind_of(User(login="ada"), "ada", "added", "bug") == "person"


def test_what_a_person_took_off_of_the_bot_s_is_known() -> None:
    acts = label_acts(
        [
            event("labeled", "Bug", BOT),
            event("labeled", "docs", BOT),
            event("commented"),
            event("unlabeled", "bug"),
        ],
        BOT,
    )
    assert acts.last == {"bug": LastAct("removed", "person"), "docs": LastAct("added", "self")}
    assert acts.people == {"bug": "removed"}
    assert acts.taken_off == {"bug"}
    assert acts.untouched == {"docs"}
    assert acts.on_issue == {"docs"}


def test_what_the_bot_took_back_itself_nobody_took_off() -> None:
    acts = label_acts([event("labeled", "bug", BOT), event("unlabeled", "bug", BOT)], BOT)
    assert (acts.taken_off, acts.on_issue) == (frozenset(), frozenset())


def test_what_came_after_the_end_came_too_late_until_it_is_set_again() -> None:
    closed = [event("closed"), event("labeled", "bug", BOT)]
    assert label_acts(closed, BOT).too_late == {"bug": "the issue was closed"}
    locked = [event("locked"), event("closed"), event("reopened"), event("labeled", "bug", BOT)]
    assert label_acts(locked, BOT).too_late == {"bug": "the conversation was locked"}
    again = [*closed, event("reopened"), event("labeled", "bug", "ada")]
    assert label_acts(again, BOT).too_late == {}
    assert label_acts([event("closed"), event("labeled", "bug")], BOT).too_late == {}


def test_a_timeline_s_old_names_are_read_as_those_of_today() -> None:
    events = [event("labeled", "Defect", "ada"), event("unlabeled", "bug", "eve")]
    acts = label_acts(events, "ada", [write("bug")], {"defect": "Bug"})
    assert set(acts.last) == {"bug"}
    assert acts.taken_off == {"bug"}
