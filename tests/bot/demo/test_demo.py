"""The demonstration: what it keeps back, and the whole of it from beginning to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot import sample
from bot.demo.material import UNSEEN, from_file, from_sample
from bot.errors import CommandRefused
from tagger.domain.strategy import silent

Played = tuple[subprocess.CompletedProcess[str], Path]


def row(number: int, *labels: str, **fields: Any) -> str:
    issue = {"number": number, "title": f"Issue {number}", "created_at": "2026-01-01T00:00:00Z"}
    return json.dumps({**issue, "labels": list(labels), **fields})


def test_the_sample_keeps_back_issues_whose_labels_are_known_elsewhere() -> None:
    material = from_sample(silent)
    unseen = {issue.number for issue in material.unseen}
    assert len(unseen) == UNSEEN
    assert unseen == set(material.right)
    assert not unseen & {one.record.number for one in material.known}
    assert all(not issue.labels for issue in material.unseen)
    assert len(material.known) + UNSEEN == len(
        sample.issues().read_text(encoding="utf-8").splitlines()
    )


def test_of_a_file_the_newest_labelled_issues_are_kept_back(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    rows = [row(n, "bug") for n in range(1, 31)]
    pull_request = row(40, "bug", pull_request={"url": "https://api.github.test"})
    file.write_text("\n".join(["no json", *rows, row(31), pull_request]))
    (tmp_path / "mine.labels.json").write_text('[{"name": "bug", "description": "It fails"}]')
    material = from_file(file, "octo/lab", silent)
    assert [issue.number for issue in material.unseen] == list(range(19, 31))
    assert set(material.right.values()) == {frozenset({"bug"})}
    assert [label.description for label in material.labels] == ["It fails"]
    assert {one.record.number for one in material.known} == {*range(1, 19), 31, 40}


def test_of_few_issues_half_are_kept_back_and_of_one_none(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(row(n, "bug") for n in range(1, 6)))
    assert [one.number for one in from_file(file, "octo/lab", silent).unseen] == [4, 5]
    file.write_text(row(1, "bug"))
    with pytest.raises(CommandRefused, match="1 labelled issues"):
        from_file(file, "octo/lab", silent)


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory,
) -> Played:
    """The demonstration as a process, and the folder that it ran in."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "demo"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
    )
    return done, folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demonstration_runs_to_its_end_and_shows_labels(
    played: Played,
) -> None:
    done, folder = played
    assert done.returncode == 0, done.stderr
    assert "12 signed webhooks issues.opened, 12 answered with 202" in done.stdout
    assert done.stdout.count("people gave it: ") == UNSEEN
    assert "   set  " in done.stdout
    assert "   suggested " in done.stdout
    assert list(folder.iterdir()) == []  # it leaves nothing behind


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", ["README.md", "docs/quick-start.md"])
def test_pages_show_what_the_demonstration_prints(played: Played, page: str) -> None:
    """Line by line, but for what its `…` leave out."""
    text = (Path(__file__).parents[3] / page).read_text("utf-8")
    transcript = text.partition("```text\n1. import")[2].partition("```")[0]
    printed, place = played[0].stdout, 0
    for passage in f"1. import{transcript}".split("…\n"):
        place = printed.find(passage.strip("\n"), place)
        assert place >= 0, passage
