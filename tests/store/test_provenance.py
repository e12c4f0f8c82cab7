"""What people decided about an issue, told from its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from store.provenance import PEOPLE, Act, ImplicitConsent, Verdict, judge, last_by_people

START = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = ("bug", "docs", "ui")


def acts(*told: str) -> list[Act]:
    """Acts from words such as "bot +bug", an hour apart."""
    history = []
    for hour, words in enumerate(told):
        kind, change = words.split(" ")
        action = "added" if change[0] == "+" else "removed"
        history.append(Act(change[1:], action, kind, START + timedelta(hours=hour)))
    return history


def verdict(confirmed: str = "", unconfirmed: str = "", refused: str = "") -> Verdict:
    return Verdict(*(frozenset(names.split()) for names in (confirmed, unconfirmed, refused)))


def test_a_label_without_history_is_believed():
    assert judge({"bug"}, []) == verdict("bug")


def test_a_label_by_a_person_or_nobody_knows_whom_is_believed():
    assert judge({"bug"}, acts("person +bug")) == verdict("bug")
    assert judge({"bug"}, acts("unknown +bug")) == verdict("bug")


def test_a_label_by_a_bot_is_not_believed():
    assert judge({"bug"}, acts("bot +bug")) == verdict(unconfirmed="bug")
    assert judge({"bug"}, acts("self +bug")) == verdict(unconfirmed="bug")


def test_a_person_who_edits_the_labels_and_leaves_one_confirms_it():
    assert judge({"bug", "ui"}, acts("bot +bug", "person +ui")) == verdict("bug ui")
    assert judge({"bug"}, acts("self +bug", "self +ui", "person -ui")) == verdict("bug", "", "ui")


def test_an_edit_before_the_bot_confirms_nothing():
    assert judge({"bug", "ui"}, acts("person +ui", "bot +bug")) == verdict("ui", "bug")


def test_another_bots_edit_confirms_nothing():
    assert judge({"bug", "ui"}, acts("self +bug", "bot +ui")) == verdict("", "bug ui")


def test_what_a_person_removed_is_refused_whoever_sets_it_again():
    history = acts("self +bug", "person -bug", "bot +bug")
    assert judge({"bug"}, history) == verdict("", "bug", "bug")


def test_a_person_may_think_again():
    assert judge({"bug"}, acts("person -bug", "person +bug")) == verdict("bug")
    assert judge(set(), acts("person +bug", "person -bug")) == verdict(refused="bug")


def test_a_bots_label_that_stood_long_enough_counts_where_the_rule_is_on():
    history = acts("bot +bug")
    week = timedelta(days=7)
    assert judge({"bug"}, history, ImplicitConsent(week, START + week)) == verdict("bug")
    assert judge({"bug"}, history, ImplicitConsent(week, START + week / 2)) == verdict("", "bug")


def test_the_last_act_by_people_is_theirs_alone():
    history = acts("person +bug", "bot -bug", "unknown -docs", "self +docs")
    assert last_by_people(history) == {"bug": "added", "docs": "removed"}


histories = st.lists(
    st.tuples(
        st.sampled_from(["person", "unknown", "bot", "self"]),
        st.sampled_from("+-"),
        st.sampled_from(LABELS),
    ),
    max_size=12,
).map(lambda told: acts(*(f"{kind} {sign}{label}" for kind, sign, label in told)))


@given(present=st.frozensets(st.sampled_from(LABELS)), history=histories)
def test_every_label_gets_one_verdict(present: frozenset[str], history: list[Act]):
    found = judge(present, history)
    assert found.confirmed | found.unconfirmed == present
    assert not found.confirmed & found.unconfirmed
    assert not found.refused & found.confirmed
    assert found.refused == {k for k, act in last_by_people(history).items() if act == "removed"}


@given(present=st.frozensets(st.sampled_from(LABELS)), history=histories)
def test_without_people_nothing_with_history_is_truth(present: frozenset[str], history: list[Act]):
    bots = [act for act in history if act.actor_kind not in PEOPLE]
    assert judge(present, bots).unconfirmed == present & {act.label for act in bots}


@given(present=st.frozensets(st.sampled_from(LABELS)), history=histories)
def test_a_bots_act_never_makes_truth(present: frozenset[str], history: list[Act]):
    later = [*history, Act("bug", "added", "bot", START + timedelta(days=1))]
    assert judge(present, later).confirmed <= judge(present, history).confirmed
