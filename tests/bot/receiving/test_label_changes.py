"""Renamed, deleted and new labels are followed, by webhook or by what a look at GitHub finds."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import pytest
from fakes_bot import REPO
from hypothesis import given
from hypothesis import strategies as st

from bot.backfilling.undoing import undo
from bot.receiving.label_changes import in_order
from bot.receiving.repository_labels import labels_now

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"


async def snapshot(bench: Bench) -> list[str]:
    """Read the repository's labels, and tell what the store then has."""
    store = bench.installation.store
    with store.read() as work:
        repository = work.repositories.get(REPO)
    assert bench.context.access is not None
    client = await bench.context.access.client(REPO)
    told = await labels_now(store, client, repository, bench.clock())
    with store.read() as work:
        stored = [label.name for label in work.labels.list(repository.id)]
    assert sorted(told.names.values()) == sorted(stored)
    return stored


def labels_in_store(bench: Bench, number: int) -> tuple[str, ...]:
    with bench.installation.store.read() as work:
        return work.issues.get(work.repositories.get(REPO).id, number).labels


def test_rename_order_examples() -> None:
    assert list(in_order({"a": "b", "b": "c"})) == [("b", "c"), ("a", "b")]
    assert list(in_order({"a": "A"})) == [("a", "A")]


@given(st.permutations("abcdefuvwxyz"))
def test_no_rename_runs_into_a_name_in_use(names: list[str]) -> None:
    labels = dict(enumerate("abcdef"))
    renames = {old: new for old, new in zip("abcdef", names, strict=False) if old != new}
    for old, new in in_order(renames):
        assert new not in labels.values()
        labels = {one: new if name == old else name for one, name in labels.items()}
    assert labels == dict(enumerate(names[:6]))


async def test_a_rename_of_which_no_webhook_told_is_followed_everywhere(bench: Bench) -> None:
    bench.configure(APPLY + "labels: {bug: {precision: 0.8}}\nexclusive: [[bug, docs]]\n")
    first = bench.github.open_issue(REPO, "a bug", by="ada")
    await bench.deliver(first)
    assert bench.labels(1) == ["bug"]
    bench.receive_all()
    assert "bug" in await snapshot(bench)
    bench.github.rename_label(REPO, "bug", "defect", by="grace")
    assert "defect" in await snapshot(bench)
    assert labels_in_store(bench, 1) == ("defect",)
    second = bench.github.open_issue(REPO, "a bug docs", by="ada")
    await bench.deliver(second)
    # the release and the file still say "bug": their rules hold for "defect"
    assert bench.labels(2) == ["defect"]
    assert bench.release.policies[-1].precision["bug"] == 0.8
    assert bench.release.policies[-1].exclusive == (("bug", "docs"),)


async def test_the_webhook_of_a_rename_that_was_seen_already_changes_nothing(bench: Bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "one", labels=["bug"], by="ada"))
    await snapshot(bench)
    late = bench.github.rename_label(REPO, "bug", "defect", by="grace")
    await snapshot(bench)
    bench.github.add_label(REPO, "bug")
    await snapshot(bench)
    bench.receive(bench.github.open_issue(REPO, "two", labels=["bug"], by="ada"))
    bench.receive(late)
    assert labels_in_store(bench, 1) == ("defect",)
    assert labels_in_store(bench, 2) == ("bug",)


async def took_off_what_the_bot_set(bench: Bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    assert bench.labels(1) == ["bug"]
    bench.receive_all()
    bench.receive(bench.github.remove_label(REPO, 1, "bug", by="ada"))


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("snapshot_seen", ["never", "first", "in between"])
async def test_renames_told_in_any_order_keep_what_a_person_took_off(
    bench: Bench, order: tuple[int, ...], snapshot_seen: str
) -> None:
    await took_off_what_the_bot_set(bench)
    names = ("bug", "type-bug", "flaw", "defect")
    told = [bench.github.rename_label(REPO, *pair, by="grace") for pair in pairwise(names)]
    if snapshot_seen == "first":
        await snapshot(bench)
    for place in order:
        bench.receive(told[place])
        if snapshot_seen == "in between":
            await snapshot(bench)
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    assert bench.labels(2) == ["defect"]
    bench.releases.promote(bench.installation.store, "r2", ["defect"], bench.clock())
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="still a defect"))
    assert bench.labels(1) == []
    assert await snapshot(bench) == ["defect", "docs", "feature", "question"]


async def test_an_act_told_under_a_name_in_between_counts_for_the_label(bench: Bench) -> None:
    await took_off_what_the_bot_set(bench)
    first = bench.github.rename_label(REPO, "bug", "type-bug", by="grace")
    for delivery in bench.github.add_labels(REPO, 1, ["type-bug"], by="grace"):
        bench.receive(delivery)  # before the news of the name
    last = bench.github.rename_label(REPO, "type-bug", "defect", by="grace")
    bench.receive(last)
    bench.receive(first)
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.labels.set_by_people(repository.id, 1) == {"defect"}
        assert work.labels.removed_by_people(repository.id, 1) == frozenset()


async def test_a_new_label_under_a_former_name_goes_its_own_way(bench: Bench) -> None:
    await took_off_what_the_bot_set(bench)
    bench.receive(bench.github.rename_label(REPO, "bug", "defect", by="grace"))
    bench.receive(bench.github.rename_label(REPO, "docs", "bug", by="grace"))
    bench.receive(bench.github.open_issue(REPO, "one", labels=["bug"], by="ada"))
    bench.receive(bench.github.rename_label(REPO, "bug", "type-bug", by="grace"))
    bench.receive(bench.github.rename_label(REPO, "defect", "flaw", by="grace"))
    assert await snapshot(bench) == ["feature", "flaw", "question", "type-bug"]
    assert labels_in_store(bench, 2) == ("type-bug",)
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.labels.removed_by_people(repository.id, 1) == {"flaw"}


async def test_a_deletion_told_late_spares_the_label_that_has_the_name_now(bench: Bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "one", by="ada"))
    deleted = bench.github.delete_label(REPO, "bug", by="grace")
    bench.github.add_label(REPO, "bug")
    await snapshot(bench)
    bench.receive(bench.github.open_issue(REPO, "two", labels=["bug"], by="ada"))
    bench.receive(deleted)
    assert labels_in_store(bench, 2) == ("bug",)


async def test_labels_that_swap_their_names_keep_their_issues(bench: Bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "one", labels=["bug"], by="ada"))
    bench.receive(bench.github.open_issue(REPO, "two", labels=["docs"], by="ada"))
    await snapshot(bench)
    bench.github.rename_label(REPO, "bug", "aside", by="grace")
    bench.github.rename_label(REPO, "docs", "bug", by="grace")
    bench.github.rename_label(REPO, "aside", "docs", by="grace")
    await snapshot(bench)
    assert labels_in_store(bench, 1) == ("docs",)
    assert labels_in_store(bench, 2) == ("bug",)


async def test_a_deleted_label_leaves_the_issues_and_a_new_one_is_known(bench: Bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "one", labels=["bug", "docs"], by="ada"))
    await snapshot(bench)
    bench.github.delete_label(REPO, "bug", by="grace")
    bench.github.add_label(REPO, "new one")
    assert await snapshot(bench) == ["docs", "feature", "new one", "question"]
    assert labels_in_store(bench, 1) == ("docs",)


async def test_a_label_that_slips_between_two_pages_is_not_taken_for_deleted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        bench.github.add_label(REPO, f"area {number:03}")
    await snapshot(bench)
    assert bench.context.access is not None
    client = await bench.context.access.client(REPO)
    pages = type(client).label_pages
    readings = 0

    def with_a_deletion_after_the_first_page(self, repository, *, known_pages=None):
        nonlocal readings
        readings += known_pages is None

        async def walk():
            async for page in pages(self, repository, known_pages=known_pages):
                yield page
                if readings == 1 and known_pages is None and "area 000" in bench_labels:
                    bench.github.delete_label(REPO, "area 000", by="grace")
                    bench_labels.discard("area 000")

        return walk()

    bench_labels = {"area 000"}
    bench.github.add_label(REPO, "one more")
    monkeypatch.setattr(type(client), "label_pages", with_a_deletion_after_the_first_page)
    there = await snapshot(bench)
    assert {f"area {number:03}" for number in range(1, 200)} < set(there)
    assert "area 000" not in await snapshot(bench)


async def test_a_renamed_fallback_label_is_still_the_fallback_label(bench: Bench) -> None:
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    bench.github.add_label(REPO, "needs-triage")
    await bench.deliver(bench.github.open_issue(REPO, "what is this", by="ada"))
    assert bench.labels(1) == ["needs-triage"]
    bench.receive(bench.github.rename_label(REPO, "needs-triage", "triage", by="grace"))
    assert bench.labels(1) == ["triage"]
    (labelled,) = bench.github.add_labels(REPO, 1, ["bug"], by="grace")
    await bench.deliver(labelled)
    assert bench.labels(1) == ["bug"]


async def test_a_rename_that_the_look_itself_finds_holds_for_this_very_issue(bench: Bench) -> None:
    bench.configure(APPLY + "exclusive: [[bug, feature]]\n")
    await bench.deliver(bench.github.open_issue(REPO, "docs", by="ada"))
    bench.github.rename_label(REPO, "bug", "defect", by="ada")  # its webhook never arrives
    chosen = bench.github.open_issue(REPO, "a feature", by="ada")
    bench.github.add_labels(REPO, 2, ["defect"], by="ada")
    await bench.deliver(chosen)
    assert bench.labels(2) == ["defect"], "it excludes feature, whatever the file calls it"
    bench.github.rename_label(REPO, "defect", "flaw", by="ada")
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    assert bench.labels(3) == ["flaw"]


async def test_an_undo_follows_a_rename_that_its_look_finds(bench: Bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    bench.github.rename_label(REPO, "bug", "defect", by="ada")
    with bench.installation.store.read() as work:
        (run,) = work.writes.runs(work.repositories.get(REPO).id)
    done = await undo(bench.context, run.id)
    assert [(one.number, one.label) for one in done.removed] == [(1, "defect")]
    assert bench.labels(1) == []


async def test_a_fallback_label_whose_rename_is_found_late_goes_all_the_same(bench: Bench) -> None:
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    bench.github.add_label(REPO, "needs-triage")
    await bench.deliver(bench.github.open_issue(REPO, "what is this", by="ada"))
    (labelled,) = bench.github.add_labels(REPO, 1, ["bug"], by="grace")
    bench.receive(labelled)
    bench.github.rename_label(REPO, "needs-triage", "triage", by="grace")
    await bench.work()
    assert bench.labels(1) == ["bug"]
