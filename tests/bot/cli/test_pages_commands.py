"""`open`, `preview` and `token`: the pages and their API from the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from fakes_cli import REPO, issue_file, sixty

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def imported(terminal, tmp_path: Path) -> None:
    ended = terminal("import", issue_file(tmp_path, *sixty()), "--repo", REPO)
    assert ended.status == 0, ended.err


def test_a_token_is_shown_once_listed_and_revoked(terminal, imported) -> None:
    made = terminal("token", REPO, "--name", "ci", "--days", "3", "--json").document
    assert made["token"].startswith("itag_")
    listed = terminal("token", REPO)
    assert "ci" in listed.out
    assert made["token"] not in listed.out
    assert "opens nothing" in terminal("token", REPO, "--revoke", made["id"]).out
    assert "ci" not in terminal("token", REPO).out
    assert terminal("token", "no/where", "--name", "x").status == 1


def test_preview_without_a_release_says_how_to_get_one(terminal, imported) -> None:
    ended = terminal("preview", REPO)
    assert (ended.status, "retrain" in ended.err) == (1, True)


def test_preview_shows_each_target_and_the_newest_open_issues(terminal, trained) -> None:
    document = terminal("preview", REPO, "--limit", "5", "--json").document
    assert [target["precision"] for target in document["targets"]][-1] == 0.99
    assert len(document["issues"]) == 5
    sets = [target["set"] for target in document["targets"]]
    assert sets == sorted(sets, reverse=True)
    shown = terminal("preview", REPO, "--limit", "5").out
    assert "right in the past" in shown
    assert f"#{document['issues'][0]['number']}" in shown


def test_open_shows_the_pages_to_who_has_the_link_without_github(imported, data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "open", REPO, "--no-browser"],
        env={**os.environ, "ISSUE_TAGGER_DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        link = process.stdout.readline().strip()
        assert link.startswith("http://127.0.0.1:"), link
        page = asked_until_it_answers(link)
        assert page.status_code == 200, page.text
        assert page.url.path == f"/r/{REPO}"
        assert "Nothing was looked at" in page.text
        assert httpx.get(link).status_code == 403
        assert httpx.get(f"{page.url.scheme}://{page.url.netloc.decode()}/healthz").is_success
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "Traceback" not in process.communicate()[1]


def asked_until_it_answers(link: str) -> httpx.Response:
    import time

    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(link, follow_redirects=True)
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
