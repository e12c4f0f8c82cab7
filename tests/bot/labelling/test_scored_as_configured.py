"""Which issues are scored at all, what is asked of a release, and what is kept of its answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes_bot import decision

from bot.configuration import parse
from bot.labelling.deciding import predicted
from bot.labelling.issue_job import RETRY, IssueJob
from bot.labelling.questions import Drawing
from bot.labelling.tag_issue import left_alone, policy_for
from bot.labelling.writing import WriteMark, Written, actions_of
from bot.receiving.command_lines import OWN_MARK
from store.records import ClaimedDelivery, StoredIssue, Write

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def issue(**given: object) -> StoredIssue:
    fields = dict.fromkeys(StoredIssue.__slots__)
    fields |= {"title": "words", "body": "", "labels": (), "created_at": NOW}
    return StoredIssue(**{**fields, "author": "ada", "is_pull_request": False, **given})


@pytest.mark.parametrize(
    ("rules", "given", "why"),
    [
        ("mode: shadow", {}, None),
        ("", {"is_pull_request": True}, "pull requests are not tagged"),
        ("", {"body": f"{OWN_MARK} report -->"}, "the bot wrote this issue itself"),
        ("", {"opted_out_at": NOW}, "somebody told the bot to leave this issue alone"),
        ("mode: off", {}, "mode is off"),
        ("mode: off\nlabels: {bug: {mode: shadow}}", {}, None),
        ("mode: off\nlabels: {bug: {mode: off}}", {}, "mode is off"),
    ],
)
def test_an_issue_is_scored_unless_there_is_a_reason(rules, given, why) -> None:
    assert left_alone(parse(rules), issue(**given), NOW) == why


@pytest.mark.parametrize(
    "rules", ["authors: [ada]", "titles: ['^words$']", "labels: [wip]", "older_than_days: 1"]
)
def test_what_the_file_ignores_is_not_scored(rules) -> None:
    old = issue(labels=("wip",), created_at=NOW - timedelta(days=3))
    why = left_alone(parse(f"ignore: {{{rules}}}"), old, NOW)
    assert why is not None
    assert why.startswith("ignored: ")


def test_a_release_is_asked_in_its_own_spelling() -> None:
    rules = parse(
        "precision: 0.8\nlabels: {crash: {precision: 0.95}}\n"
        "exclusive: [[CRASH, docs, gone], [docs, elsewhere]]\n"
    )
    policy = policy_for(rules, ["Bug", "Docs"], {"bug": "Crash"})
    assert policy.default_precision == 0.8
    assert policy.precision == {"Bug": 0.95, "Docs": 0.8}
    assert policy.exclusive == (("Bug", "Docs"),)


def test_a_decision_is_kept_with_how_it_was_drawn() -> None:
    kept = predicted(decision("bug"), Drawing("audit", 0.02), "set")
    assert (kept.name, kept.score, kept.cut, kept.decision) == ("bug", 0.95, 0.8, "apply")
    assert (kept.drawn, kept.inclusion, kept.action) == ("audit", 0.02, "set")
    assert (kept.votes, len(kept.neighbours)) == ({"words": 0.95}, 1)
    alone = predicted(decision("bug", 0.1))
    assert (alone.drawn, alone.inclusion, alone.action) == (None, None, "none")


def claim(action: str, attempts: int = 1) -> ClaimedDelivery:
    fields = dict.fromkeys(ClaimedDelivery.__slots__)
    return ClaimedDelivery(**{**fields, "id": 3, "action": action, "attempts": attempts})


@pytest.mark.parametrize(
    ("action", "by_present_text", "is_retry"),
    [("opened", False, False), ("edited", True, False), (RETRY, True, True)],
)
def test_an_edit_and_a_retry_are_about_the_present_text(action, by_present_text, is_retry) -> None:
    job = IssueJob(None, claim(action), None, parse(""), None)
    assert (job.by_present_text, job.is_retry) == (by_present_text, is_retry)


def test_a_job_knows_whether_it_may_have_written_before() -> None:
    rules = parse("")
    assert not IssueJob(None, claim("opened"), None, rules, None).was_tried
    assert IssueJob(None, claim("opened", attempts=2), None, rules, None).was_tried
    assert IssueJob(None, None, None, rules, None, run_id=7).was_tried
    assert IssueJob(None, None, None, rules, None).delivery_id is None


def test_actions_are_what_became_of_each_label() -> None:
    def mark(label: str, state: str, form: str = "label") -> WriteMark:
        return WriteMark(Write(1, 1, 5, label, form, "intended", "", None, NOW), state)  # type: ignore[arg-type]

    marks = (
        mark("Bug", "written"),
        mark("docs", "left"),
        mark("ui", "written"),
        mark("ui", "undone"),
        mark("speed", "written", "comment"),
    )
    assert actions_of(Written(marks)) == {"bug": "set", "ui": "set", "speed": "suggested"}
    assert actions_of(Written()) == {}
