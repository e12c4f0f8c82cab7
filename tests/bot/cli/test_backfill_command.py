"""`backfill` and `undo` on the command line, against the simulator: tables, JSON, exit statuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from fakes_cli import REPO

from bot.simulator.server import serving
from bot.simulator.state import GitHubState

if TYPE_CHECKING:
    from pathlib import Path

    from fakes_cli import Terminal


@pytest.fixture
def github(trained: Path) -> GitHubState:
    """A repository with one open issue that the trained release knows what to say of."""
    state = GitHubState(lambda: datetime.now(UTC))
    state.add_repository(REPO)
    state.add_token("a-token", "tagger-machine")
    state.set_role(REPO, "tagger-machine", "write")
    for label in ("bug", "docs", "speed"):
        state.add_label(REPO, label)
    return state


@pytest.mark.parametrize(
    "arguments",
    [
        ("backfill",),
        ("backfill", "no-slash"),
        ("backfill", REPO, "--since", "yesterday"),
        ("backfill", REPO, "--limit", "0"),
        ("undo",),
        ("undo", "one"),
        ("undo", "0"),
        ("undo", str(10**30)),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    done = terminal(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "Usage: issue-tagger" in done.err


def test_a_preview_needs_no_github(terminal: Terminal, trained: Path) -> None:
    shown = terminal("backfill", REPO, "--limit", 5, "--json")
    assert shown.status == 0
    assert (shown.document["applied"], shown.document["run"]) == (False, None)
    assert shown.document["considered"] == 5
    assert shown.document["labels_set"] == 0, "without a file everything is in shadow"
    told = terminal("backfill", REPO, "--since", "2026-01-20")
    assert "nothing was written" in told.out


def test_what_cannot_be_is_refused_with_the_way_out(terminal: Terminal, trained: Path) -> None:
    refused = terminal("backfill", REPO, "--apply")
    assert (refused.status, refused.out) == (1, "")
    assert "ISSUE_TAGGER_GITHUB_TOKEN" in refused.err
    assert terminal("undo", 77).status == 1
    assert "write run 77" in terminal("undo", 77).err
    assert terminal("backfill", "no/where").status == 1


def test_a_run_is_written_and_undone(
    terminal: Terminal, trained: Path, github: GitHubState, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.push_file(REPO, ".github/issue-tagger.yml", "mode: suggest\n")
    for _ in range(60):
        github.open_issue(REPO, "slow slow query takes long", by="ada")
    with serving(github) as url:
        monkeypatch.setenv("ISSUE_TAGGER_GITHUB_API_URL", url)
        monkeypatch.setenv("ISSUE_TAGGER_GITHUB_TOKEN", "a-token")
        monkeypatch.setattr("bot.backfilling.throttling.BETWEEN_WRITES", 0.0)
        done = terminal("backfill", REPO, "--apply", "--limit", 3, "--json")
        assert (done.status, done.document["applied"]) == (0, True), done.err
        run = done.document["run"]
        assert done.document["considered"] == 3
        told = terminal("undo", run)
        assert told.status == 0
        assert f"run {run} of {REPO}: 0 taken off" in told.out
        assert terminal("undo", run, "--json").document["removed"] == []
