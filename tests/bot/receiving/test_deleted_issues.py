"""A deleted issue stays deleted, however GitHub comes to speak of it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes_bot import REPO
from words_on_disk import files_with

from bot.configuration import RepositoryConfiguration
from bot.erasure.issue_erasing import sweep
from bot.erasure.retention import Forgotten, forget_old
from bot.jobs.task_kinds import KINDS, ScheduleContext, TaskRun
from bot.learning.training_lease import training_lease
from bot.receiving.deleted_issues import forget_if_gone
from bot.repositories import presence
from bot.repositories.importing import import_rows
from bot.repositories.issue_files import as_row
from bot.repositories.syncing import sync
from bot.simulator.faults import Fault
from store.errors import LeaseHeld
from tagger.domain.strategy import silent
from tagger.releases.erasing import vectors_of

if TYPE_CHECKING:
    from pathlib import Path

    from bot.simulator.records import Delivery

pytestmark = pytest.mark.anyio

SECRET = "wolpertinger"
APPLY = "version: 1\nmode: apply\ndelay_seconds: 0\n"


def stored(bench) -> tuple[int, ...]:
    with bench.installation.store.read() as work:
        return work.issues.numbers(work.repositories.get(REPO).id)


def events(bench) -> int:
    with bench.installation.store.read() as work:
        return work.labels.newest_event()


def holds_words(bench, tmp_path: Path) -> set[str]:
    bench.installation.store.compact()
    return files_with([SECRET], tmp_path)


async def deleted(bench) -> list[Delivery]:
    """Issues 1 and 2; 1 is deleted. What comes late of it: a label, an edit, a comment."""
    bench.configure(APPLY)
    bench.receive(bench.github.open_issue(REPO, f"a bug of {SECRET}"))
    late = bench.github.add_labels(REPO, 1, ["docs"], by="ada")
    late.append(bench.github.edit_issue(REPO, 1, by="ada", body=f"my {SECRET}"))
    late.append(bench.github.comment(REPO, 1, f"/tagger why {SECRET}", by="ada"))
    bench.receive(bench.github.open_issue(REPO, "docs"))
    bench.receive(bench.github.delete_issue(REPO, 1, by="ada"))
    return late


async def test_its_words_go_at_once_and_nothing_late_brings_them_back(bench, tmp_path) -> None:
    late = await deleted(bench)
    assert holds_words(bench, tmp_path) == set()
    for delivery in late:
        assert bench.receive(delivery)
        assert bench.delivery(delivery).state == "ignored"
    assert not bench.receive(late[0])
    assert (stored(bench), holds_words(bench, tmp_path)) == ((2,), set())
    assert events(bench) == 0
    await bench.work()
    assert [one.number for one in bench.predictions()] == [2]


async def test_neither_a_list_nor_a_file_brings_it_back(bench, tmp_path) -> None:
    await deleted(bench)
    told = bench.github.deliveries[0].payload["issue"]
    access = bench.installation.access()
    store, now = bench.installation.store, bench.clock()
    counts = import_rows(store, REPO, [as_row(told)], now=now).issues
    nameless = import_rows(store, REPO, [as_row({**told, "id": None})], now=now).issues
    assert (counts.new, nameless.new, counts.unchanged) == (0, 0, 1)
    bench.github.open_issue(REPO, "a third")
    await sync(store, access, REPO, now=now, full=True)
    await access.aclose()
    assert (stored(bench), holds_words(bench, tmp_path)) == ((2, 3), set())


async def test_another_issue_of_its_number_may_come(bench) -> None:
    """A tombstone is for GitHub's id: an issue that was transferred keeps its id elsewhere."""
    await deleted(bench)
    told = bench.github.deliveries[0].payload["issue"]
    rows = [as_row({**told, "id": told["id"] + 500_000, "title": "another"})]
    import_rows(bench.installation.store, REPO, rows, now=bench.clock())
    assert stored(bench) == (1, 2)


async def test_a_transferred_issue_is_heard_of_where_it_is_now(bench) -> None:
    bench.github.add_repository("acme/other")
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    bench.receive(bench.github.transfer_issue(REPO, 1, "acme/other", by="ada"))
    for delivery in bench.github.add_labels("acme/other", 1, ["x"], by="ada"):
        bench.receive(delivery)
    with bench.installation.store.read() as work:
        assert work.issues.numbers(work.repositories.get("acme/other").id) == (1,)
    assert stored(bench) == ()


@pytest.mark.parametrize("status", [404, 410])
async def test_an_issue_that_github_shows_no_more_is_forgotten(bench, tmp_path, status) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, f"a bug of {SECRET}")
    late = bench.github.add_labels(REPO, 1, ["docs"], by="ada")[0]
    bench.receive(opened)
    path = f"/repos/{REPO}/issues/1/timeline"
    bench.github.fail_next(Fault(status, {}, "gone", method="GET", path=path))
    await bench.work()
    assert (stored(bench), bench.predictions()) == ((), ())
    bench.receive(late)
    assert (stored(bench), holds_words(bench, tmp_path)) == ((), set())


@pytest.mark.parametrize("how", ["out of reach", "issues are off", "another's name"])
async def test_a_repository_out_of_reach_is_not_emptied(bench, how) -> None:
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
    client = await bench.context.access.client(REPO)
    if how == "out of reach":
        bench.github.fail_next(Fault(404, {}, "Not Found", method="GET", path=f"/repos/{REPO}"))
    elif how == "issues are off":
        client = OtherRepository(client, has_issues=False)
    else:
        client = OtherRepository(client, id=4711)
    store, now = bench.installation.store, bench.clock()
    assert not await forget_if_gone(store, client, repository, 1, now)
    assert stored(bench) == (1,)


class OtherRepository:
    """A client to which a repository looks different."""

    def __init__(self, client, **fields) -> None:
        self._client, self._fields = client, fields

    async def repository(self, name: str):
        return (await self._client.repository(name)).model_copy(update=self._fields)


async def test_an_issue_deleted_while_it_is_worked_on_leaves_no_prediction(bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.release.before_tagging = lambda _: bench.receive(
        bench.github.delete_issue(REPO, 1, by="ada")
    )
    assert (await bench.deliver(opened)).state == "done"
    assert bench.delivery(opened).payload is None
    assert (stored(bench), bench.predictions()) == ((), ())


async def test_a_release_that_still_names_it_says_nothing_of_it(bench) -> None:
    """`WordRelease` gives issue 1 for a precedent of everything."""
    await deleted(bench)
    await bench.work()
    (found,) = bench.predictions()
    assert [one.neighbours for one in found.labels] == [()] * len(found.labels)


@pytest.mark.parametrize("why", sorted(presence.REASONS))
async def test_what_was_left_for_good_goes_after_a_month(bench, tmp_path, why) -> None:
    bench.receive(bench.github.open_issue(REPO, f"a bug of {SECRET}"))
    await bench.work()
    with bench.installation.store.begin() as work:
        presence.leave(work, work.repositories.get(REPO), why, bench.clock())
    bench.clock.advance(days=29)
    assert forget_old(bench.installation).repositories == 0
    bench.clock.advance(days=2)
    stays = why in {presence.SUSPENDED, presence.ARCHIVED}
    assert forget_old(bench.installation) == Forgotten(0, 0, 0 if stays else 1)
    with bench.installation.store.read() as work:
        assert (work.repositories.find(REPO) is None) is not stays
    assert bool(holds_words(bench, tmp_path)) is stays


async def test_a_night_asks_again_for_what_could_not_be_searched(bench) -> None:
    await deleted(bench)
    store = bench.installation.store
    with store.read() as work:
        repository = work.repositories.get(REPO)
        key = work.tasks.due(bench.clock())
    assert key == (f"erase:{repository.id}",)
    bench.clock.advance(days=1)
    forget_old(bench.installation)
    with store.read() as work:
        assert work.tasks.find("erase", repository.id).due_at == bench.clock()
        assert work.tombstones.repositories_unswept() == (repository.id,)
    assert sweep(bench.installation, repository).issues == 1
    with store.read() as work:
        assert work.tombstones.repositories_unswept() == ()
    assert sweep(bench.installation, repository).issues == 0


async def test_the_task_erases_and_comes_after_a_training(bench) -> None:
    await deleted(bench)
    store = bench.installation.store
    with store.read() as work:
        repository = work.repositories.get(REPO)
    task_run = TaskRun(bench.installation, bench.context, repository)
    with (
        training_lease(store, REPO, silent, clock=bench.clock),
        pytest.raises(LeaseHeld),
    ):
        await KINDS["erase"].run(task_run)
    assert await KINDS["erase"].run(task_run) == (
        "1 deleted issues erased, 0 releases written anew"
    )
    given = ScheduleContext(
        bench.installation.settings, RepositoryConfiguration.absent(), repository
    )
    assert KINDS["erase"].cron(given) is None


async def test_a_vector_that_a_job_in_hand_kept_goes_too(bench) -> None:
    store, text = bench.installation.store, f"a bug of {SECRET}"
    await deleted(bench)
    (key,) = vectors_of([(text, "")])
    with store.begin() as work:
        repository = work.repositories.get(REPO)
        work.vectors.put("encoder", {key: np.ones(4, dtype=np.float32)})
    sweep(bench.installation, repository)
    with store.read() as work:
        assert work.vectors.count() == {}
