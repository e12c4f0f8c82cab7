"""Discussions, where the file wants them labelled: by GraphQL, words, category and own release."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, LABELS, REPO

from bot.backfilling.backfilling import BackfillRequest, backfill
from bot.backfilling.undoing import undo
from bot.github.discussions import ADD, LIST, REMOVE, DiscussionRequests
from bot.github.errors import Unreachable
from bot.repositories.syncing import sync
from bot.reviewing.deciding_labels import Person, ReviewContext, ReviewOrder, decide
from bot.reviewing.deciding_labels import undo as undo_decision
from bot.simulator.faults import Fault

pytestmark = pytest.mark.anyio

RULES = "mode: apply\ndelay_seconds: 0\ntargets: [issues, discussions]\n"


@pytest.fixture
async def both(bench):
    """A repository whose file has been read, and that has a release for discussions as well."""
    bench.configure(RULES)
    await bench.deliver(bench.github.open_issue(REPO, "words"))  # so that the file is known
    bench.of_discussions = bench.releases.promote(
        bench.installation.store, "d1", LABELS, bench.clock(), target="discussions"
    )
    return bench


def begun(bench, title: str, **given):
    given.setdefault("category", "Q&A")
    return bench.github.open_issue(REPO, title, **given)


def stored(bench, number: int):
    with bench.installation.store.read() as work:
        return work.issues.find(work.repositories.get(REPO).id, number)


def history(bench, number: int) -> list[tuple[str, str]]:
    with bench.installation.store.read() as work:
        events = work.labels.history(work.repositories.get(REPO).id, number)
    return [(event.action, event.actor_kind) for event in events]


def sent(bench, document: str) -> int:
    asked = [one.json for one in bench.github.requests if one.path == "/graphql"]
    return sum(one["query"] == document for one in asked)


async def synced(bench, **given):
    access = bench.installation.access()
    try:
        return await sync(bench.installation.store, access, REPO, now=bench.clock(), **given)
    finally:
        await access.aclose()


async def test_nothing_is_done_or_kept_unless_the_file_says_so(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 0\n")
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    assert (await bench.deliver(begun(bench, "a bug"))).state == "ignored"
    await synced(bench)
    assert stored(bench, 2) is None
    with bench.installation.store.read() as work:
        assert "bug" not in str(work.inbox.find(bench.github.deliveries[-1].guid))
    assert "/graphql" not in bench.asked()


async def test_they_are_read_by_title_body_and_category(both) -> None:
    delivery = await both.deliver(begun(both, "a bug", body="it breaks", category="Show and tell"))
    assert (delivery.state, both.labels(2)) == ("done", ["bug"])
    (text,) = both.of_discussions.texts
    assert text.title == "a bug"
    assert text.body.split() == ["it", "breaks", "Show", "and", "tell"]
    assert (stored(both, 2).target, stored(both, 2).category) == ("discussions", "Show and tell")
    assert [prediction.release for prediction in both.predictions()].count("d1") == 1
    assert not [path for path in both.asked() if path.startswith(f"/repos/{REPO}/issues/2")]


async def test_what_a_person_took_off_stays_off(both) -> None:
    await both.deliver(begun(both, "a bug"))
    both.receive_all()
    await both.work()
    await both.deliver(both.github.remove_label(REPO, 2, "bug", by="ada"))
    assert history(both, 2)[-1] == ("removed", "person")
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="still a bug"))
    assert both.labels(2) == []
    assert sent(both, ADD) == 1


async def test_what_a_person_took_off_before_any_webhook_of_the_bots_came_stays_off(both) -> None:
    await both.deliver(begun(both, "a bug"))
    await both.deliver(both.github.remove_label(REPO, 2, "bug", by="ada"))
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="still a bug"))
    assert both.labels(2) == []


async def test_its_own_webhooks_about_them_are_its_own(both) -> None:
    await both.deliver(begun(both, "a bug"))
    (labeled,) = [each for each in both.github.deliveries if each.payload["action"] == "labeled"]
    assert (labeled.event, labeled.payload["sender"]["login"]) == ("discussion", BOT)
    assert (await both.deliver(labeled)).state == "ignored"
    assert {kind for _, kind in history(both, 2)} == {"self"}


async def test_a_label_that_was_there_at_first_sight_is_a_persons(both) -> None:
    begun(both, "a bug", labels=["docs"])
    await synced(both)
    assert history(both, 2) == []
    with both.installation.store.read() as work:
        (row,) = work.issues.training_rows(work.repositories.get(REPO).id, numbers=[2])
    assert (row.labels, row.target) == (("docs",), "discussions")


async def test_a_person_who_is_quicker_than_the_write_has_the_last_word(both) -> None:
    """Somebody takes the label off while it is being set: GitHub has no conditional write."""
    await both.deliver(begun(both, "words"))
    both.github.add_labels(REPO, 2, ["bug"], by="ada")
    both.receive_all()
    await both.work()
    both.of_discussions.before_tagging = lambda title: both.receive(
        both.github.remove_label(REPO, 2, "bug", by="ada")
    )
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="a bug"))
    assert both.labels(2) == []


async def test_a_rival_that_a_person_sets_makes_the_bots_label_step_aside(both) -> None:
    rules = RULES + "exclusive: [[bug, feature]]\n"
    both.receive(both.github.push_file(REPO, ".github/issue-tagger.yml", rules))
    await both.work()
    await both.deliver(begun(both, "a bug"))
    for delivery in both.github.add_labels(REPO, 2, ["feature"], by="ada"):
        await both.deliver(delivery)
    assert both.labels(2) == ["feature"]
    assert sent(both, REMOVE) == 1


async def test_an_unknown_label_is_not_made(both) -> None:
    await both.deliver(begun(both, "words"))
    both.github.delete_label(REPO, "bug", by="ada")
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="a bug"))
    assert both.labels(2) == []
    assert "bug" not in both.github.repository(REPO).labels


async def test_suggestions_are_shown_on_the_pages_alone(both) -> None:
    delivery = await both.deliver(begun(both, "a docs?"))
    assert (delivery.state, both.labels(2)) == ("done", [])
    assert not both.github.issue(REPO, 2).comments
    (prediction,) = [each for each in both.predictions() if each.number == 2]
    assert {each.name: each.decision for each in prediction.labels}["docs"] == "suggest"
    assert {each.action for each in prediction.labels} == {"none"}


async def test_another_category_is_another_text(both) -> None:
    await both.deliver(begun(both, "words"))
    delivery = await both.deliver(both.github.set_category(REPO, 2, "Ideas", by="ada"))
    assert (delivery.state, stored(both, 2).category) == ("done", "Ideas")
    assert both.of_discussions.texts[-1].body.split() == ["Ideas"]


async def test_closed_and_locked_ones_are_left_alone(both) -> None:
    await both.deliver(begun(both, "words"))
    both.github.set_locked(REPO, 2, True, by="ada")
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="a bug"))
    assert both.labels(2) == []


async def test_labels_are_known_whether_a_webhook_names_them_or_not(both) -> None:
    await both.deliver(begun(both, "a bug"))
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", body="more"))
    assert stored(both, 2).labels == ("bug",)
    await both.deliver(both.github.add_labels(REPO, 2, ["docs"], by="ada")[-1])
    assert stored(both, 2).labels == ("bug", "docs")
    await both.deliver(both.github.remove_label(REPO, 2, "docs", by="ada"))
    assert stored(both, 2).labels == ("bug",)
    both.clock.advance(minutes=1)
    named = both.github.edit_issue(REPO, 2, by="ada", body="still more")
    named.payload["discussion"]["labels"] = [{"name": "question"}]
    both.receive(named)
    assert stored(both, 2).labels == ("question",)


async def test_a_deleted_one_is_forgotten(both) -> None:
    await both.deliver(begun(both, "a bug with a password"))
    gone = both.github.delete_issue(REPO, 2, by="ada")
    await both.deliver(gone)
    assert stored(both, 2) is None
    with both.installation.store.read() as work:
        kept = work.inbox.find(gone.guid)
    assert "password" not in str(kept)


async def test_without_a_release_of_their_own_they_are_left_alone(bench) -> None:
    bench.configure(RULES)
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    assert (await bench.deliver(begun(bench, "a bug"))).state == "ignored"
    assert (stored(bench, 2).target, bench.labels(2)) == ("discussions", [])


async def test_without_the_permission_nothing_is_written(both) -> None:
    both.github.fail_next(Fault(403, {}, "Resource not accessible", path="/graphql"))
    await both.deliver(begun(both, "a bug"))
    assert both.labels(2) == []


async def test_a_sync_brings_in_what_changed(both) -> None:
    for number in range(60):
        begun(both, f"words {number}", labels=["docs"])
        both.clock.advance(minutes=1)
    assert (await synced(both)).issues.new == 60
    assert stored(both, 61).labels == ("docs",)
    both.github.edit_issue(REPO, 2, by="ada", title="other words")
    before = sent(both, LIST)
    assert (await synced(both)).issues.changed == 1
    assert sent(both, LIST) - before == 1


async def test_a_census_forgets_those_that_are_gone(both) -> None:
    begun(both, "words")
    begun(both, "words")
    await synced(both)
    both.github.delete_issue(REPO, 3, by="ada")
    assert (await synced(both, census=True)).forgotten == 1
    assert stored(both, 2) is not None
    assert stored(both, 3) is None


async def test_a_sync_without_the_permission_goes_on_and_forgets_nothing(both) -> None:
    begun(both, "words")
    await synced(both)
    both.github.fail_next(Fault(403, {}, "Resource not accessible", path="/graphql"))
    both.github.open_issue(REPO, "an issue")
    assert (await synced(both, census=True)).issues.new == 1
    assert stored(both, 2) is not None


async def test_what_a_person_took_off_unheard_stays_off(both) -> None:
    """GitHub keeps no timeline of a discussion: what the bot set and is gone, somebody took off."""
    await both.deliver(begun(both, "a bug"))
    both.github.remove_label(REPO, 2, "bug", by="ada")  # whose webhook never came
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="still a bug"))
    assert both.labels(2) == []
    assert sent(both, ADD) == 1


async def test_a_write_whose_answer_was_lost_is_found_again(both, monkeypatch) -> None:
    label = DiscussionRequests.label_discussion

    async def lost(self, repository, number, labels):
        await label(self, repository, number, labels)
        monkeypatch.undo()
        at = both.clock()
        raise Unreachable("labels", "closed", at, attempts=1, may_have_happened=True)

    monkeypatch.setattr(DiscussionRequests, "label_discussion", lost)
    delivery = begun(both, "a bug")
    assert (await both.deliver(delivery)).state != "done"
    both.clock.advance(hours=1)
    await both.work()
    assert (both.delivery(delivery).state, both.labels(2)) == ("done", ["bug"])
    assert history(both, 2) == [("added", "self")]


async def test_an_undo_takes_off_what_nobody_touched(both) -> None:
    await both.deliver(begun(both, "a bug"))
    await both.deliver(begun(both, "a bug and docs"))
    await both.deliver(both.github.remove_label(REPO, 3, "docs", by="ada"))
    for run_id in (1, 2):
        await undo(both.context, run_id)
    assert (both.labels(2), both.labels(3)) == ([], [])
    assert history(both, 2)[-1] == ("removed", "self")


async def test_a_backfill_labels_open_ones(both) -> None:
    begun(both, "a bug")
    begun(both, "a bug", labels=["docs"])
    both.github.set_state(REPO, 3, "closed", by="ada")
    await synced(both)
    filled = await backfill(both.context, REPO, BackfillRequest(target="discussions"), apply=True)
    assert (filled.considered, both.labels(2), both.labels(3)) == (1, ["bug"], ["docs"])


async def test_what_a_person_decides_on_a_page_is_done_on_github(both) -> None:
    await both.deliver(begun(both, "a docs?"))
    store = both.installation.store
    with store.read() as work:
        review = ReviewContext(store, work.repositories.get(REPO), both.clock)
    person = Person("ada", await both.context.access.client(REPO))
    await decide(review, person, ReviewOrder(2, "docs", "approve"))
    assert both.labels(2) == ["docs"]
    await undo_decision(review, person, 2, "docs")
    assert both.labels(2) == []
