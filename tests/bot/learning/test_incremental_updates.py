"""What people say of labels counts at once, in every process, and after a restart."""

from __future__ import annotations

import pytest
from fakes_bot import LABELS, REPO, WordRelease

from bot.model_serving.release_cache import ReleaseCache

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"


def learned(bench) -> dict[int, tuple[str, tuple[str, ...]]]:
    """What the serving release has learned once the next job has taken it off the cache."""
    with bench.installation.store.read() as work:
        repository_id = work.repositories.get(REPO).id
    bench.installation.cache.active(repository_id)
    return bench.release.learned


def restarted(bench) -> ReleaseCache:
    """Another process's shelf over the same database."""
    bench.releases.by_folder["r1"] = WordRelease(LABELS)
    return ReleaseCache(
        bench.installation.store, bench.releases, bench.installation.settings.data_dir
    )


async def test_a_label_by_a_person_counts_at_once(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    assert learned(bench) == {}
    for delivery in bench.github.add_labels(REPO, 1, ["docs"], by="ada"):
        bench.receive(delivery)
    await bench.deliver(bench.github.open_issue(REPO, "the next one"))
    assert bench.release.learned == {1: ("who knows", ("docs",))}


async def test_another_process_and_a_restart_learn_the_same(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    for delivery in bench.github.add_labels(REPO, 1, ["docs"], by="ada"):
        bench.receive(delivery)
    cache = restarted(bench)
    with bench.installation.store.read() as work:
        found = cache.active(work.repositories.get(REPO).id)
    assert found is not None
    assert found.release.learned == {1: ("who knows", ("docs",))}
    assert learned(bench) == {1: ("who knows", ("docs",))}


async def test_nothing_is_learned_twice(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    bench.receive(*bench.github.add_labels(REPO, 1, ["docs"], by="ada"))
    learned(bench)
    bench.release.learned.clear()
    assert learned(bench) == {}
    bench.receive(*bench.github.add_labels(REPO, 1, ["bug"], by="ada"))
    assert learned(bench) == {1: ("who knows", ("bug", "docs"))}


async def test_the_bots_own_label_is_learned_once_a_person_confirms_it(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    bench.receive_all()
    assert bench.labels(1) == ["bug"]
    assert learned(bench) == {}
    bench.receive(*bench.github.add_labels(REPO, 1, ["docs"], by="ada"))
    assert learned(bench) == {1: ("a bug", ("bug", "docs"))}, "kept while editing labels"


async def test_an_approved_suggestion_is_learned_and_a_declined_label_counts_against(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug?"))
    await bench.deliver(bench.github.open_issue(REPO, "a feature"))
    (suggestion,) = bench.github.suggestions(REPO, 1)
    bench.github.approve(REPO, 1, suggestion.id, by="ada")
    bench.clock.advance(seconds=5)
    bench.github.remove_label(REPO, 2, "feature", by="ada")
    bench.receive_all()
    assert learned(bench) == {1: ("a bug?", ("bug",)), 2: ("a feature", ())}


async def test_what_another_bot_set_is_not_learned(bench) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    bench.receive(*bench.github.add_labels(REPO, 1, ["docs"], by="triage[bot]"))
    assert learned(bench) == {}


async def test_a_renamed_label_is_learned_under_the_releases_name(bench) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    bench.receive(bench.github.rename_label(REPO, "docs", "documentation", by="ada"))
    bench.receive(*bench.github.add_labels(REPO, 1, ["documentation"], by="ada"))
    assert learned(bench) == {1: ("who knows", ("docs",))}


async def test_what_the_training_knew_is_left_alone(bench) -> None:
    """The release says up to which act it was trained; only a few acts before it come again."""
    from datetime import timedelta

    from bot.model_serving.incremental_updates import OVERLAP, IncrementalUpdate
    from store.records import IssueRecord, LabelEvent, ReleaseProvenance, StoredRelease

    now = bench.clock()
    with bench.installation.store.begin() as work:
        repository_id = work.repositories.get(REPO).id
        numbers = range(1, OVERLAP + 51)
        work.issues.upsert(
            repository_id, [IssueRecord(n, f"Issue {n}", "", ("bug",), now) for n in numbers]
        )
        acts = [LabelEvent(n, "bug", "added", now, "ada", "person") for n in numbers]
        work.labels.record_events(repository_id, acts)
        until = work.labels.newest_event()
    provenance = ReleaseProvenance(events_until=until)
    record = StoredRelease(repository_id, "r2", now, "r2", "", "active", {}, None, provenance)
    release = WordRelease(LABELS)
    assert IncrementalUpdate(bench.installation.store, record)(release) == OVERLAP
    assert set(release.learned) == set(numbers[50:])
    without = StoredRelease(
        repository_id, "r2", now + timedelta(hours=1), "r2", "", "active", {}, None
    )
    assert IncrementalUpdate(bench.installation.store, without)(WordRelease(LABELS)) == OVERLAP


async def test_a_dismissal_of_which_no_webhook_tells_is_asked_for_and_learned(bench) -> None:
    from bot.receiving.suggestion_outcomes import ask_for_answers

    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug?"))
    await bench.deliver(bench.github.open_issue(REPO, "docs?"))
    await bench.deliver(bench.github.open_issue(REPO, "a feature?"))
    for number, answer in ((1, bench.github.dismiss), (2, bench.github.approve)):
        (suggestion,) = bench.github.suggestions(REPO, number)
        answer(REPO, number, suggestion.id, by="ada")
    client = await bench.context.access.client(REPO)
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
    assert await ask_for_answers(bench.installation.store, client, repository, bench.clock()) == 2
    assert await ask_for_answers(bench.installation.store, client, repository, bench.clock()) == 0
    bench.receive_all()
    assert learned(bench) == {1: ("a bug?", ()), 2: ("docs?", ("docs",))}
    with bench.installation.store.read() as work:
        answers = {one.number: one.answer for one in work.outcomes.walk(repository.id)}
        states = {one.number: one.state for one in work.writes.list(repository_id=repository.id)}
    assert answers == {1: "dismissed", 2: "confirmed", 3: "none"}
    assert states == {1: "dismissed", 2: "approved", 3: "written"}
