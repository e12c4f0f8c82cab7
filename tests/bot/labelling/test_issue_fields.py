"""Values of single-select fields: suggested in the comment where none is, never set, remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes_bot import LABELS, REPO

from bot.backfilling.backfilling import BackfillRequest, backfill
from bot.errors import CommandRefused
from bot.repositories.syncing import sync
from bot.reviewing.deciding_labels import Person, ReviewContext, ReviewOrder, decide
from bot.simulator.faults import Fault
from bot.simulator.records import SuggestionMode

if TYPE_CHECKING:
    from conftest import Bench

    from store.records import StoredIssue

pytestmark = pytest.mark.anyio

HIGH, LOW = "field = Priority: High", "field = Priority: Low"
QUIET = (
    "mode: apply\ndelay_seconds: 0\nfields: %s\n"
    "learning: {audit_share: 0.0, weekly_suggestions: 0}\n"
)
TITLE = "field=Priority:High"


@pytest.fixture
def fielded(bench: Bench) -> Bench:
    """An organisation with fields, and a release that knows some of their values."""
    owner = REPO.partition("/")[0]
    bench.github.add_issue_field(owner, "Priority", ["High", "Low"])
    bench.github.add_issue_field(owner, "Severity", ["High", "Low"])
    bench.github.add_issue_field(owner, "Effort", ["3"], "number")
    names = (*LABELS, HIGH, LOW, "field = Severity: High", "field = Effort: 3")
    bench.release = bench.releases.promote(bench.installation.store, "r2", names, bench.clock())
    return bench


def fields_of(bench: Bench, number: int = 1) -> dict[str, str]:
    return {field.name: value for field, value in bench.github.issue(REPO, number).fields.items()}


def stored(bench: Bench, number: int = 1) -> StoredIssue:
    with bench.installation.store.read() as work:
        return work.issues.get(work.repositories.get(REPO).id, number)


def history(bench: Bench, number: int = 1) -> list[tuple[str, str, str]]:
    with bench.installation.store.read() as work:
        events = work.labels.history(work.repositories.get(REPO).id, number)
    return [(each.label, each.action, each.actor_kind) for each in events]


def comments(bench: Bench, number: int = 1) -> list[str]:
    return [comment.body for comment in bench.github.issue(REPO, number).comments]


def written_about_fields(bench: Bench) -> list[str]:
    """Requests by which a field could be changed."""
    return [
        request.path
        for request in bench.github.requests
        if request.method != "GET"
        and ("field" in request.path or "issue_field_values" in (request.json or {}))
    ]


async def test_a_value_is_suggested_in_the_comment_and_never_set(fielded: Bench) -> None:
    fielded.configure(QUIET % "{Priority: suggest}")
    await fielded.deliver(fielded.github.open_issue(REPO, f"bug docs? {TITLE}"))
    assert (fielded.labels(1), fields_of(fielded)) == (["bug"], {})
    suggested = [each.label.name for each in fielded.github.suggestions(REPO, 1)]
    assert suggested == ["bug", "docs"]  # the first was set, and says why
    (comment,) = comments(fielded)
    assert f"`{HIGH}`" in comment
    assert "docs" not in comment
    assert written_about_fields(fielded) == []


async def test_where_github_has_no_suggestions_one_comment_names_all(fielded: Bench) -> None:
    fielded.configure(QUIET % "[Priority]")
    fielded.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    await fielded.deliver(fielded.github.open_issue(REPO, f"docs? {TITLE}"))
    (comment,) = comments(fielded)
    assert f"`{HIGH}`" in comment
    assert "`docs`" in comment


async def test_where_the_comment_is_refused_labels_are_suggested_all_the_same(
    fielded: Bench,
) -> None:
    fielded.configure(QUIET % "[Priority]")
    fielded.github.fail_next(
        Fault(403, method="POST", path="/comments", message="the issue is locked")
    )
    await fielded.deliver(fielded.github.open_issue(REPO, f"docs? {TITLE}"))
    with fielded.installation.store.read() as work:
        writes = work.writes.list(repository_id=work.repositories.get(REPO).id, number=1)
    assert {(each.label, each.form, each.state) for each in writes} == {
        ("docs", "suggestion", "written"),
        (HIGH, "comment", "left"),
    }


async def test_without_comments_a_value_is_only_recorded(fielded: Bench) -> None:
    fielded.configure(QUIET % "[Priority]" + "suggestion_comments: false\n")
    await fielded.deliver(fielded.github.open_issue(REPO, f"bug {TITLE}"))
    assert (fielded.labels(1), comments(fielded)) == (["bug"], [])


@pytest.mark.parametrize("title", ["field=Severity:High docs", "field=Effort:3 docs"])
async def test_a_field_that_the_file_does_not_name_is_left_alone(
    fielded: Bench, title: str
) -> None:
    fielded.configure(QUIET % "[Priority]")
    await fielded.deliver(fielded.github.open_issue(REPO, title))
    assert (fielded.labels(1), comments(fielded), fields_of(fielded)) == (["docs"], [], {})


async def test_without_fields_in_the_file_the_organisation_is_not_asked(fielded: Bench) -> None:
    fielded.configure("mode: apply\ndelay_seconds: 0\n")
    await fielded.deliver(fielded.github.open_issue(REPO, f"docs {TITLE}"))
    assert (fielded.labels(1), comments(fielded)) == (["docs"], [])
    assert not any("issue-fields" in request.path for request in fielded.github.requests)


async def test_a_field_that_is_no_single_select_field_is_skipped(fielded: Bench) -> None:
    fielded.configure(QUIET % "[Effort]")
    await fielded.deliver(fielded.github.open_issue(REPO, "docs field=Effort:3"))
    assert (fielded.labels(1), comments(fielded)) == (["docs"], [])


async def test_where_an_owner_has_no_fields_nothing_is_suggested(fielded: Bench) -> None:
    fielded.github.issue_fields.clear()
    fielded.configure(QUIET % "[Priority]")
    await fielded.deliver(fielded.github.open_issue(REPO, f"docs {TITLE}"))
    assert (fielded.labels(1), comments(fielded)) == (["docs"], [])


@pytest.mark.parametrize("by", ["ada", "other[bot]"])
async def test_a_field_that_has_a_value_gets_no_suggestion(fielded: Bench, by: str) -> None:
    fielded.configure(QUIET % "[Priority, Severity]")
    opened = fielded.github.open_issue(REPO, f"{TITLE} field=Severity:High")
    fielded.github.set_field(REPO, 1, "Priority", "Low", by=by)
    await fielded.deliver(opened)
    (comment,) = comments(fielded)
    assert "Severity" in comment
    assert "Priority" not in comment
    assert fields_of(fielded) == {"Priority": "Low"}


async def test_whose_value_a_person_cleared_gets_no_suggestion_of_the_field(
    fielded: Bench,
) -> None:
    fielded.configure(QUIET % "[Priority, Severity]")
    opened = fielded.github.open_issue(REPO, f"{TITLE} field=Severity:High")
    fielded.github.set_field(REPO, 1, "Priority", "Low", by="ada")
    fielded.clock.advance(seconds=5)
    fielded.github.set_field(REPO, 1, "Priority", None, by="ada")
    fielded.receive_all()
    await fielded.deliver(opened)
    await fielded.work()
    (comment,) = comments(fielded)
    assert "Severity" in comment
    assert "Priority" not in comment


async def test_one_value_of_a_field_is_suggested(fielded: Bench) -> None:
    fielded.configure(QUIET % "[Priority]")
    await fielded.deliver(fielded.github.open_issue(REPO, f"{TITLE} field=Priority:Low?"))
    (comment,) = comments(fielded)
    assert HIGH in comment
    assert LOW not in comment


async def test_webhooks_tell_who_set_changed_and_cleared_a_value(fielded: Bench) -> None:
    fielded.github.open_issue(REPO, "words")
    fielded.receive_all()
    for value, by in (("High", "ada"), ("Low", "other[bot]"), (None, "ada")):
        fielded.clock.advance(seconds=5)
        fielded.receive(fielded.github.set_field(REPO, 1, "Priority", value, by=by))
        assert stored(fielded).fields == ({} if value is None else {"Priority": value})
    assert history(fielded) == [
        (HIGH, "added", "person"),
        (HIGH, "removed", "bot"),
        (LOW, "added", "bot"),
        (LOW, "removed", "person"),
    ]


async def test_of_one_second_s_webhooks_the_value_that_each_is_about_is_certain(
    fielded: Bench,
) -> None:
    fielded.receive(fielded.github.open_issue(REPO, "words"))
    first = fielded.github.set_field(REPO, 1, "Priority", "High", by="ada")
    second = fielded.github.set_field(REPO, 1, "Severity", "Low", by="ada")
    fielded.receive(second)
    fielded.receive(first)
    assert stored(fielded).fields == {"Priority": "High", "Severity": "Low"}


async def test_sync_brings_values_in(fielded: Bench) -> None:
    fielded.github.open_issue(REPO, "words")
    fielded.github.set_field(REPO, 1, "Priority", "High", by="ada")
    await sync(fielded.installation.store, fielded.context.access, REPO, now=fielded.clock())
    assert HIGH in stored(fielded).targets
    with fielded.installation.store.read() as work:
        (row,) = work.issues.training_rows(work.repositories.get(REPO).id)
        examples = work.questions.examples(work.repositories.get(REPO).id)
    assert (row.labels, examples) == ((HIGH,), {HIGH.casefold(): 1})


async def test_on_a_page_a_value_is_turned_down_and_not_set(fielded: Bench) -> None:
    fielded.configure(QUIET % "[Priority]")
    await fielded.deliver(fielded.github.open_issue(REPO, TITLE))
    store = fielded.installation.store
    with store.read() as work:
        review = ReviewContext(store, work.repositories.get(REPO), fielded.clock)
    assert fielded.context.access is not None
    person = Person("ada", await fielded.context.access.client(REPO))
    with pytest.raises(CommandRefused, match="set and cleared on GitHub"):
        await decide(review, person, ReviewOrder(1, HIGH, "approve"))
    await decide(review, person, ReviewOrder(1, HIGH, "dismiss"))
    fielded.clock.advance(seconds=5)
    title = "docs field=Priority:Low"
    await fielded.deliver(fielded.github.edit_issue(REPO, 1, by="ada", title=title))
    assert fielded.labels(1) == ["docs"]
    assert not any(LOW in comment for comment in comments(fielded))
    with store.read() as work:
        (row,) = work.issues.training_rows(review.repository.id)
    assert row.declined == (HIGH,)


async def test_backfill_says_what_values_it_would_suggest(fielded: Bench) -> None:
    fielded.configure(QUIET % "[Priority]")
    fielded.receive(fielded.github.open_issue(REPO, TITLE))
    preview = await backfill(fielded.context, REPO, BackfillRequest(), apply=False)
    assert (preview.written, preview.suggested) == (0, 1)


async def test_a_label_that_is_called_like_a_value_is_left_alone(fielded: Bench) -> None:
    fielded.configure(QUIET % "[Priority]")
    fielded.github.add_label(REPO, HIGH)
    fielded.github.open_issue(REPO, "words", labels=[HIGH])
    fielded.receive_all()
    await fielded.work()
    assert stored(fielded).targets == ()
    with fielded.installation.store.read() as work:
        names = {label.name for label in work.labels.list(work.repositories.get(REPO).id)}
    assert HIGH not in names
