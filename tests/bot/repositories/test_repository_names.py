"""Under which name a repository is asked for, and what a new name carries along."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fakes_bot import REPO

from bot.configuration.last_reading import Reading
from bot.github.resource import KnownPage
from bot.receiving.repository_labels import LabelList
from bot.repositories.names import ask_name, move, names_a_repository
from bot.repositories.syncing import EVENTS, ISSUES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_name_that_had_to_step_aside_is_none() -> None:
    assert names_a_repository("acme/rocket")
    assert not names_a_repository("acme/rocket#7")


def test_addresses_that_were_kept_follow_the_name(store) -> None:
    old = "https://api.test/repos/Acme/Old"
    with store.begin() as work:
        known = work.repositories.get_or_create("acme/new", now=NOW, github_id=7)
        work.repositories.set_cursor(
            known.id, ISSUES, {"next": f"{old}/issues?page=2", "known": {f"{old}/issues": [1]}}
        )
        work.repositories.set_cursor(
            known.id, EVENTS, {"next": "https://api.test/repos/acme/older/x"}
        )
        move(work, work.repositories.get("acme/new"), "acme/old")
        cursors = work.repositories.get("acme/new").cursors
    new = "https://api.test/repos/acme/new"
    assert cursors[ISSUES] == {"next": f"{new}/issues?page=2", "known": {f"{new}/issues": [1]}}
    assert cursors[EVENTS] == {"next": "https://api.test/repos/acme/older/x"}


@pytest.mark.parametrize(("previous", "kept"), [("acme/old", True), ("other/new", False)])
def test_another_owner_s_file_holds_no_longer(store, previous, kept) -> None:
    with store.begin() as work:
        known = work.repositories.get_or_create("acme/new", now=NOW, github_id=7)
        Reading(NOW).keep(work, known.id)
        move(work, work.repositories.get("acme/new"), previous)
        moved = work.repositories.get("acme/new")
        assert [moved.configuration is not None, moved.intake_rules is not None] == [kept, kept]


def test_pages_of_labels_are_asked_for_under_the_new_name(store) -> None:
    old, new = (f"https://api.test/repos/acme/{name}/labels?page=" for name in ("old", "new"))
    with store.begin() as work:
        repository = work.repositories.get_or_create("acme/new", now=NOW, github_id=7)
        pages = {f"{old}1": KnownPage("a", f"{old}2"), f"{old}2": KnownPage("b")}
        LabelList(pages, (("bug", 1),)).keep(work, repository.id)
        move(work, work.repositories.get("acme/new"), "acme/old")
        moved = LabelList.of(work.repositories.get("acme/new"))
    assert moved.pages == {f"{new}1": KnownPage("a", f"{new}2"), f"{new}2": KnownPage("b")}
    assert moved.labels == (("bug", 1),)


@pytest.mark.anyio
async def test_github_says_what_a_repository_is_called(bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "words"))
    bench.github.rename_repository(REPO, "probe", by="ada")
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
    await ask_name(bench.context, repository, "acme/what-a-late-payload-says")
    with bench.installation.store.read() as work:
        assert work.repositories.by_id(repository.id).full_name == "acme/probe"


@pytest.mark.anyio
async def test_a_name_that_is_another_s_by_now_is_not_taken(bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "words"))
    bench.github.add_repository("acme/another")
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
    await ask_name(bench.context, repository, "acme/another")
    with bench.installation.store.read() as work:
        assert work.repositories.by_id(repository.id).full_name == REPO
