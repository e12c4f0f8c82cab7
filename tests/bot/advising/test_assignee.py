"""The one person whom an issue may be for, suggested once as its assignee; nobody is assigned."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, REPO

from bot.advising.advice import Advice, LabelOwners, PathOwners
from bot.advising.advice_words import plain_lines, public_lines
from bot.advising.routing import one_person
from bot.labelling.assignee import assignee_rationale
from bot.simulator.faults import Fault
from bot.simulator.records import SuggestionMode

pytestmark = pytest.mark.anyio

RULES = """
mode: suggest
delay_seconds: 0
advice: {assignee: true}
routes:
  bug: ["@ada"]
  docs: ["@acme/writers"]
  feature: ["@bob"]
"""
ASSIGNEES = f"/repos/{REPO}/issues/1/assignees"


def suggested(bench) -> list[tuple[str, str]]:
    """Logins that were suggested for the first issue, and what became of it."""
    return [
        (each.label.name, each.state)
        for each in bench.github.issue(REPO, 1).suggestions
        if each.action == "add_assignee"
    ]


def assignees(bench) -> list[str]:
    return [each.login for each in bench.github.issue(REPO, 1).assignees]


async def test_the_one_person_is_suggested_and_says_why(bench) -> None:
    bench.configure(RULES)
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    assert suggested(bench) == [("ada", "pending")]
    assert assignees(bench) == []
    (sent,) = [seen.json for seen in bench.github.requests if seen.path == ASSIGNEES]
    wanted = {"login": "ada", "rationale": "routes: bug", "suggest": True}
    assert sent == {"assignees": [wanted]}
    labels = [each for each in bench.github.issue(REPO, 1).suggestions if each.label.name == "bug"]
    assert [each.action for each in labels] == ["add_label"]


async def test_a_label_that_a_person_set_is_enough(bench) -> None:
    bench.configure(RULES)
    await bench.deliver(bench.github.open_issue(REPO, "an odd thing", labels=["bug"]))
    assert suggested(bench) == [("ada", "pending")]


async def test_the_owner_of_a_file_that_the_issue_names_is_one_as_well(bench) -> None:
    bench.configure(RULES.replace("assignee: true", "assignee: true, code_owners: true"))
    bench.github.repository(REPO).files["CODEOWNERS"] = "/src/ @carol docs@example.com"
    await bench.deliver(bench.github.open_issue(REPO, "odd", "in src/a.c"))
    assert suggested(bench) == [("carol", "pending")]


@pytest.mark.parametrize("title", ["docs? of it", "bug? feature? of it", "bug? docs? of it", "odd"])
async def test_a_team_or_several_or_nobody_is_not_suggested(bench, title: str) -> None:
    bench.configure(RULES)
    await bench.deliver(bench.github.open_issue(REPO, title))
    assert suggested(bench) == []
    assert ASSIGNEES not in bench.asked("POST")


@pytest.mark.parametrize(
    "rules",
    [
        RULES.replace("assignee: true", "assignee: false"),
        RULES.replace("mode: suggest", "mode: shadow"),
    ],
)
async def test_only_where_the_file_asks_for_it_and_the_bot_may_act(bench, rules: str) -> None:
    bench.configure(rules)
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    assert suggested(bench) == []


async def test_the_author_is_not_suggested(bench) -> None:
    bench.configure(RULES)
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere", by="Ada"))
    assert suggested(bench) == []


@pytest.mark.parametrize("taken_off", [False, True])
async def test_where_people_assigned_somebody_nobody_is_suggested(bench, taken_off) -> None:
    bench.configure(RULES)
    opened = bench.github.open_issue(REPO, "bug? somewhere")
    bench.github.assign(REPO, 1, "mona", by="mona")
    if taken_off:
        bench.github.unassign(REPO, 1, "mona", by="mona")
    await bench.deliver(opened)
    assert suggested(bench) == []
    assert assignees(bench) == ([] if taken_off else ["mona"])


@pytest.mark.parametrize("answer", ["approve", "dismiss", "nothing"])
async def test_what_people_answered_stands_for_all_time(bench, answer: str) -> None:
    bench.configure(RULES)
    bench.github.set_role(REPO, "mona", "write")
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    (suggestion,) = [s for s in bench.github.issue(REPO, 1).suggestions if s.label.name == "ada"]
    if answer != "nothing":
        getattr(bench.github, answer)(REPO, 1, suggestion.id, by="mona")
    if answer == "approve":
        assert assignees(bench) == ["ada"]
        bench.github.unassign(REPO, 1, "ada", by="mona")
    before = suggested(bench)
    await bench.deliver(bench.github.edit_issue(REPO, 1, title="bug feature? there", by="reporter"))
    await bench.deliver(bench.github.edit_issue(REPO, 1, title="bug? there", by="reporter"))
    assert suggested(bench) == before
    assert len([path for path in bench.asked("POST") if path == ASSIGNEES]) == 1


async def test_a_dismissed_assignee_is_no_word_against_a_label(bench) -> None:
    """Ids of labels and of people may be the same number."""
    bench.configure(RULES)
    bench.github.set_role(REPO, "mona", "write")
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    (suggestion,) = [s for s in bench.github.issue(REPO, 1).suggestions if s.label.name == "ada"]
    suggestion.label.id = bench.github.add_label(REPO, "feature").id
    bench.github.dismiss(REPO, 1, suggestion.id, by="mona")
    await bench.deliver(bench.github.edit_issue(REPO, 1, title="feature? there", by="reporter"))
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.labels.history(repository.id, 1) == ()
    pending = [
        s.label.name for s in bench.github.issue(REPO, 1).suggestions if s.state == "pending"
    ]
    assert "feature" in pending


async def test_a_label_that_a_person_took_off_speaks_for_nobody(bench) -> None:
    bench.configure(RULES)
    opened = bench.github.open_issue(REPO, "bug? somewhere", labels=["bug"])
    bench.github.remove_label(REPO, 1, "bug", by="mona")
    await bench.deliver(opened)
    assert suggested(bench) == []


@pytest.mark.parametrize("mode", [SuggestionMode.REFUSED, SuggestionMode.APPLIED])
async def test_without_github_s_own_suggestions_nobody_is_suggested(bench, mode) -> None:
    bench.configure(RULES)
    bench.github.repository(REPO).suggestions = mode
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    await bench.deliver(bench.github.open_issue(REPO, "an odd thing", labels=["bug"]))
    assert not [path for path in bench.asked("POST") if path.endswith("/assignees")]
    assert assignees(bench) == []


async def test_what_github_refuses_takes_no_label_away(bench) -> None:
    bench.configure(RULES.replace("mode: suggest", "mode: apply"))
    bench.github.fail_next(Fault(403, {}, "Forbidden", method="POST", path="/assignees"))
    opened = await bench.deliver(bench.github.open_issue(REPO, "bug somewhere"))
    assert opened.state == "done"
    assert bench.labels(1) == ["bug"]


def test_one_person_and_in_words() -> None:
    ada = LabelOwners("bug", ("@Ada",))
    assert one_person([ada, PathOwners("/src/", ("@ada",))], "eve") == "ada"
    assert one_person([ada, PathOwners("/src/", ("@bob",))], "eve") == ""
    assert one_person([], None) == ""
    advice = Advice(owners=(ada,), path_owners=(PathOwners("/src/", ("@Ada",)),), assignee="ada")
    assert Advice.of(advice.as_json()) == advice
    assert assignee_rationale(advice) == "routes: bug; CODEOWNERS: /src/"
    assert "the one to assign may be @ada" in list(plain_lines(advice))
    assert "assign" not in " ".join(public_lines(advice, ""))
    assert BOT not in assignee_rationale(advice)
