"""An issue's native type: set or suggested where none is, never changed, undone, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes_bot import BOT, LABELS, REPO

from bot.backfilling.backfilling import BackfillRequest, backfill
from bot.backfilling.throttling import Throttled
from bot.backfilling.undoing import undo
from bot.errors import CommandRefused
from bot.github.client import GitHubClient
from bot.repositories.syncing import sync
from bot.reviewing.deciding_labels import Person, ReviewContext, ReviewOrder, decide
from bot.reviewing.deciding_labels import undo as undo_decision
from bot.simulator.records import AutomationLevel, SuggestionMode

if TYPE_CHECKING:
    from conftest import Bench

    from store.records import LabelEvent

pytestmark = pytest.mark.anyio

TYPES = ("type = Bug", "type = Feature")
CONFIGURED = "mode: %s\ndelay_seconds: 0\ntypes: {Bug: bug, Feature: }\n"
QUIET = CONFIGURED + "learning: {audit_share: 0.0, weekly_suggestions: 0}\n"


@pytest.fixture
def typed(bench: Bench) -> Bench:
    """An organisation with types, and a release that knows two of them."""
    for name in ("Bug", "Feature", "Task"):
        bench.github.add_issue_type(REPO, name)
    bench.release = bench.releases.promote(
        bench.installation.store, "r2", (*LABELS, *TYPES), bench.clock()
    )
    return bench


def type_of(bench: Bench, number: int = 1) -> str | None:
    return bench.github.issue(REPO, number).type


def history(bench: Bench, number: int = 1) -> list[tuple[str, str, str]]:
    """Acts on types, each with whose it was; as webhooks and the bot's own records tell them."""
    with bench.installation.store.read() as work:
        events: tuple[LabelEvent, ...] = work.labels.history(work.repositories.get(REPO).id, number)
    return [(one.label, one.action, one.actor_kind) for one in events if "type = " in one.label]


async def test_a_type_is_set_beside_labels(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    await typed.deliver(typed.github.open_issue(REPO, "a bug type=Bug"))
    assert (type_of(typed), typed.labels(1)) == ("Bug", ["bug"])
    (event,) = [one for one in typed.github.issue(REPO, 1).events if "type" in one.event]
    assert (event.event, event.actor.login) == ("issue_type_added", BOT)
    typed.receive_all()
    assert set(history(typed)) == {("type = Bug", "added", "self")}


async def test_a_type_says_why_and_one_that_is_held_back_is_a_suggestion(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    await typed.deliver(typed.github.open_issue(REPO, "type=Bug"))
    (sent,) = [one.json for one in typed.github.requests if one.method == "PATCH"]
    assert (sent["type"]["value"], sent["type"]["confidence"]) == ("Bug", "high")
    assert sent["type"]["rationale"].startswith("95% likely; threshold 80%")
    typed.github.repository(REPO).automation = AutomationLevel.FULL_CONTROL
    await typed.deliver(typed.github.open_issue(REPO, "another type=Bug"))
    assert type_of(typed, 2) is None
    with typed.installation.store.read() as work:
        repository_id = work.repositories.get(REPO).id
        writes = work.writes.list(repository_id=repository_id, number=2)
    assert {(one.form, one.state) for one in writes} == {
        ("label", "left"),
        ("suggestion", "written"),
    }
    await typed.deliver(typed.github.edit_issue(REPO, 2, by="ada", title="docs type=Bug"))
    assert [one.label.name for one in typed.github.suggestions(REPO, 2)] == ["Bug", "docs"]


@pytest.mark.parametrize("types", ["", "types: {Feature: feature}\n"])
async def test_a_type_that_the_file_does_not_name_is_never_touched(
    typed: Bench, types: str
) -> None:
    typed.configure("mode: apply\ndelay_seconds: 0\n" + types)
    await typed.deliver(typed.github.open_issue(REPO, "docs type=Bug"))
    assert (type_of(typed), typed.labels(1)) == (None, ["docs"])
    assert "PATCH" not in {one.method for one in typed.github.requests}


@pytest.mark.parametrize("by", ["ada", "other[bot]"])
async def test_a_type_that_is_there_stays(typed: Bench, by: str) -> None:
    typed.configure(QUIET % "apply")
    opened = typed.github.open_issue(REPO, "type=Bug")
    typed.github.set_type(REPO, 1, "Task", by=by)
    await typed.deliver(opened)
    assert type_of(typed) == "Task"


async def test_whose_type_a_person_took_away_gets_no_other(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    await typed.deliver(typed.github.open_issue(REPO, "type=Bug"))
    typed.clock.advance(seconds=5)
    typed.receive(typed.github.set_type(REPO, 1, None, by="ada"))
    typed.clock.advance(seconds=5)
    await typed.deliver(typed.github.edit_issue(REPO, 1, by="ada", title="type=Feature docs"))
    assert (type_of(typed), typed.labels(1)) == (None, ["docs"])
    assert history(typed)[-1] == ("type = Bug", "removed", "person")


async def test_who_changes_a_type_declines_the_former_one(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    await typed.deliver(typed.github.open_issue(REPO, "type=Bug"))
    typed.clock.advance(seconds=5)
    typed.receive(typed.github.set_type(REPO, 1, "Feature", by="ada"))
    with typed.installation.store.read() as work:
        (row,) = work.issues.training_rows(work.repositories.get(REPO).id)
    assert (row.labels, row.declined) == (("type = Feature",), ("type = Bug",))


async def test_an_edit_changes_no_type_of_the_bot_s_own(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    await typed.deliver(typed.github.open_issue(REPO, "bug type=Bug"))
    await typed.deliver(typed.github.edit_issue(REPO, 1, by="ada", title="docs type=Feature"))
    assert (type_of(typed), typed.labels(1)) == ("Bug", ["docs"])


async def test_types_are_suggested_in_githubs_own_form(typed: Bench) -> None:
    typed.configure(QUIET % "suggest")
    await typed.deliver(typed.github.open_issue(REPO, "a bug type=Bug"))
    label, of_type = typed.github.suggestions(REPO, 1)
    assert (label.action, label.label.name) == ("add_label", "bug")
    assert (of_type.action, of_type.label.name, of_type.confidence) == ("set_type", "Bug", "HIGH")
    assert (type_of(typed), typed.labels(1)) == (None, [])
    typed.clock.advance(seconds=5)
    typed.github.approve(REPO, 1, of_type.id, by="ada")
    typed.receive_all()
    assert history(typed)[-1] == ("type = Bug", "added", "person")


async def test_a_dismissed_type_is_not_suggested_again(typed: Bench) -> None:
    typed.configure(QUIET % "suggest")
    await typed.deliver(typed.github.open_issue(REPO, "type=Bug"))
    (suggestion,) = typed.github.suggestions(REPO, 1)
    typed.github.dismiss(REPO, 1, suggestion.id, by="ada")
    await typed.deliver(typed.github.edit_issue(REPO, 1, by="ada", title="yes type=Bug docs"))
    assert [one.label.name for one in typed.github.suggestions(REPO, 1)] == ["Bug", "docs"]
    assert ("type = Bug", "removed", "person") in history(typed)


async def test_where_github_has_no_suggestions_a_comment_names_the_type(typed: Bench) -> None:
    typed.configure(QUIET % "suggest")
    typed.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    await typed.deliver(typed.github.open_issue(REPO, "type=Bug"))
    (comment,) = typed.github.issue(REPO, 1).comments
    assert "- `type = Bug` (95%)" in comment.body


async def test_undo_takes_a_type_away_and_leaves_what_a_person_chose(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    for title in ("type=Bug", "another type=Bug"):
        await typed.deliver(typed.github.open_issue(REPO, title))
    typed.clock.advance(seconds=5)
    typed.receive(typed.github.set_type(REPO, 2, "Task", by="ada"))
    with typed.installation.store.read() as work:
        runs = work.writes.runs(work.repositories.get(REPO).id)

    async def no_time(seconds: float) -> None:
        pass

    for run in runs:
        await undo(typed.context, run.id, throttled=Throttled(typed.clock, no_time))
    assert (type_of(typed, 1), type_of(typed, 2)) == (None, "Task")


async def test_without_push_access_a_type_is_left_and_the_reason_kept(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    typed.github.set_role(REPO, BOT, "triage")
    await typed.deliver(typed.github.open_issue(REPO, "bug type=Bug"))
    assert (type_of(typed), typed.labels(1)) == (None, ["bug"])
    with typed.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        reasons = {one.label: one.reason for one in work.writes.list(repository_id=repository.id)}
    assert "push access" in reasons["type = Bug"]


async def test_a_type_takes_no_place_of_a_label(typed: Bench) -> None:
    typed.configure(QUIET % "apply" + "max_labels: 1\nfallback_label: question\n")
    await typed.deliver(typed.github.open_issue(REPO, "bug docs type=Bug"))
    assert (type_of(typed), typed.labels(1)) == ("Bug", ["bug"])
    await typed.deliver(typed.github.open_issue(REPO, "hm type=Feature"))
    assert (type_of(typed, 2), typed.labels(2)) == ("Feature", ["question"])


async def test_a_label_that_is_called_like_a_type_is_left_alone(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    typed.github.add_label(REPO, "type = Bug")
    opened = typed.github.open_issue(REPO, "words", labels=["type = Bug"])
    typed.receive_all()
    await typed.work()
    with typed.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.issues.get(repository.id, 1).targets == ()
        assert "type = Bug" not in {one.name for one in work.labels.list(repository.id)}
    assert history(typed) == []
    assert opened.payload["issue"]["labels"]
    client = GitHubClient.open("http://github.test")
    with pytest.raises(ValueError, match="issue type"):
        await client.add_labels(REPO, 1, ["type = Bug"])
    await client.aclose()


async def test_sync_brings_in_who_set_which_type(typed: Bench) -> None:
    typed.github.open_issue(REPO, "words")
    typed.github.set_type(REPO, 1, "Bug", by="ada")
    typed.clock.advance(seconds=5)
    typed.github.set_type(REPO, 1, "Task", by="other[bot]")
    await sync(typed.installation.store, typed.context.access, REPO, now=typed.clock())
    assert history(typed) == [
        ("type = Bug", "added", "person"),
        ("type = Bug", "removed", "bot"),
        ("type = Task", "added", "bot"),
    ]


async def test_a_person_decides_on_a_page_about_a_type(typed: Bench) -> None:
    typed.configure(QUIET % "suggest")
    for title in ("type=Bug", "type=Feature", "words"):
        await typed.deliver(typed.github.open_issue(REPO, title))
    typed.github.set_type(REPO, 3, "Task", by="ada")
    store = typed.installation.store
    with store.read() as work:
        review = ReviewContext(store, work.repositories.get(REPO), typed.clock)
    assert typed.context.access is not None
    person = Person("ada", await typed.context.access.client(REPO))
    await decide(review, person, ReviewOrder(1, "type = bug", "approve"))
    await decide(review, person, ReviewOrder(2, "type = feature", "dismiss"))
    states = [typed.github.suggestions(REPO, number)[0].state for number in (1, 2)]
    assert (states, type_of(typed), type_of(typed, 2)) == (["approved", "dismissed"], "Bug", None)
    await undo_decision(review, person, 1, "type = Bug")
    assert type_of(typed) is None
    with pytest.raises(CommandRefused, match="has the type Task"):
        await decide(review, person, ReviewOrder(3, "type = Bug", "approve"))
    assert not any("type" in one.name for one in typed.github.repository(REPO).labels.values())


async def test_backfill_says_what_types_it_would_set(typed: Bench) -> None:
    typed.configure(QUIET % "apply")
    for number in (1, 2):
        typed.receive(typed.github.open_issue(REPO, "type=Bug"))
        if number == 2:
            typed.github.set_type(REPO, number, "Task", by="ada")
    typed.receive_all()
    preview = await backfill(typed.context, REPO, BackfillRequest(), apply=False)
    assert [(row.number, row.planned.n_to_set) for row in preview.lines] == [(1, 1)]
