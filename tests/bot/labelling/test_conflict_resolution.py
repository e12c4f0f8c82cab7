"""What the bot takes back, or puts back, for a person's word against it."""

from __future__ import annotations

import pytest

from bot.configuration import parse
from bot.labelling.conflict_resolution import Correction, corrections
from bot.receiving.actors import LabelActs, LastAct

RULES = parse("mode: apply\nexclusive: [[bug, docs]]\nfallback_label: triage\n")
EXISTING = ("bug", "docs", "feature", "triage")
OURS = LastAct("added", "self")


def acts(people: dict[str, str] | None = None, **last: LastAct) -> LabelActs:
    return LabelActs(last=last, people=people or {})  # type: ignore[arg-type]


def made(given: LabelActs, mine: tuple[str, ...] = ("bug",), **more: object) -> list[Correction]:
    return list(corrections(mine, given, RULES, EXISTING, **more))  # type: ignore[arg-type]


def test_what_nobody_spoke_against_stays() -> None:
    assert made(acts(bug=OURS)) == []


def test_what_a_person_removed_goes_although_the_bot_set_it_last() -> None:
    given = acts({"bug": "removed"}, bug=OURS)
    assert made(given) == [Correction("bug", "removed", "a person removed it")]


def test_what_the_bot_took_off_under_a_person_s_hand_comes_back() -> None:
    given = acts({"bug": "added"}, bug=LastAct("removed", "self"))
    assert made(given) == [Correction("bug", "added", "a person set it")]


def test_a_label_that_somebody_else_touched_last_is_theirs() -> None:
    assert made(acts({"bug": "removed"}, bug=LastAct("added", "bot"))) == []
    assert made(acts()) == []


def test_a_person_s_choice_of_a_group_stands() -> None:
    given = acts({"docs": "added"}, bug=OURS, docs=LastAct("added", "person"))
    assert made(given) == [Correction("bug", "removed", "a person chose docs")]


def test_a_rival_that_the_repository_has_no_longer_is_none() -> None:
    given = acts({"docs": "added"}, bug=OURS, docs=LastAct("added", "person"))
    assert list(corrections(["bug"], given, RULES, ["bug"])) == []


def test_a_person_who_set_it_too_wants_it_whatever_else_speaks_against_it() -> None:
    given = acts({"bug": "added"}, bug=OURS, docs=LastAct("added", "person"))
    assert made(given, against={"bug": "the issue was closed"}) == []


def test_what_came_too_late_goes_with_its_reason() -> None:
    found = made(acts(bug=OURS), against={"bug": "the issue was closed"})
    assert found == [Correction("bug", "removed", "the issue was closed")]


@pytest.mark.parametrize("kind", ["person", "bot", "self"])
def test_the_fallback_label_goes_once_another_has_arrived(kind) -> None:
    given = acts(triage=OURS, feature=LastAct("added", kind))
    assert made(given, ("triage",)) == [Correction("triage", "removed", "a label arrived")]
    assert made(acts(triage=OURS), ("triage",)) == []
