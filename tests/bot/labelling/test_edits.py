"""An edit is worth a new prediction where it says something else than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes_bot import REPO

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("title", "body", "state"),
    [
        ("It crashes", None, "ignored"),
        ("it  crashes!", None, "ignored"),
        (None, "On **every** start.\r\n", "ignored"),
        ("It hangs", None, "done"),
        (None, "on every second start", "done"),
        (None, "", "done"),
    ],
)
async def test_only_an_edit_of_words_is_worth_a_prediction(
    bench: Bench, title: str | None, body: str | None, state: str
) -> None:
    bench.configure("delay_seconds: 0\n")
    bench.receive(bench.github.open_issue(REPO, "it crashes", "On every start", by="ada"))
    edited = bench.github.edit_issue(REPO, 1, by="ada", title=title, body=body)
    bench.clock.advance(minutes=5)
    assert (await bench.deliver(edited)).state == state
