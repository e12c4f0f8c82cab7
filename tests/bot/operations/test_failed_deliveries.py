"""Deliveries that were given up: doctor counts them, a command says why and sets them going."""

from __future__ import annotations

import pytest
from fakes_bot import REPO

from bot.errors import CommandRefused
from bot.operations.doctor import examine
from bot.operations.failed_deliveries import given_up, set_going

pytestmark = pytest.mark.anyio


async def give_up(bench):
    """A delivery whose work fails until nobody tries again."""
    bench.configure("mode: apply\ndelay_seconds: 0\n")

    def stumble(title: str) -> None:
        raise ValueError("an odd title")

    bench.release.before_tagging = stumble
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    for _ in range(20):
        await bench.work()
        bench.clock.advance(hours=2)
    bench.release.before_tagging = lambda title: None
    assert bench.delivery(opened).state == "failed"
    return opened


async def test_set_going_again_it_is_worked_off_like_any_other(bench) -> None:
    opened = await give_up(bench)
    store = bench.installation.store
    [one] = given_up(store, REPO)
    assert (one.guid, one.error) == (opened.guid, "ValueError: an odd title")
    assert set_going(store, [one], bench.clock()) == 1
    assert set_going(store, [one], bench.clock()) == 0
    await bench.work()
    assert bench.delivery(opened).state == "done"
    assert bench.labels(opened.payload["issue"]["number"]) == ["bug"]
    assert given_up(store) == ()


async def test_only_what_was_given_up_can_be_named(bench) -> None:
    opened = await give_up(bench)
    store = bench.installation.store
    assert given_up(store, "acme/other") == ()
    assert [one.guid for one in given_up(store, guids=[opened.guid])] == [opened.guid]
    with pytest.raises(CommandRefused, match="nobody-knows"):
        given_up(store, guids=[opened.guid, "nobody-knows"])


async def test_doctor_counts_them_and_names_the_command(bench) -> None:
    await give_up(bench)
    [inbox] = [one for one in await examine(bench.installation) if one.part == "inbox"]
    assert (inbox.verdict, inbox.found) == ("note", "1 deliveries were given up, 0 waiting")
    assert "issue-tagger failed" in inbox.advice
    assert "--retry" in inbox.advice
