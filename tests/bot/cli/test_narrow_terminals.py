"""No line is wider than a terminal of 60 columns: help, answers and refusals of every command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes_cli import REPO, Terminal, issue_file, row
from typer.main import get_command

from bot.cli.app import app
from bot.cli.output import say_table, shortened, text_width, wrapped

if TYPE_CHECKING:
    from fakes_cli import Ended

COLUMNS = 60
NAMES = sorted(get_command(app).commands)
TITLE = "Folder watcher misses files that were renamed while the network was away for a while"


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A trained repository in a data folder with a short name: paths are not broken."""
    monkeypatch.setenv("ISSUE_TAGGER_DATA_DIR", str(trained.relative_to(tmp_path)))
    return tmp_path


def too_wide(ended: Ended) -> list[str]:
    """Lines over the width; a path or an address is never broken, and stands alone then."""
    lines = (ended.out + "\n" + ended.err).splitlines()
    return [line for line in lines if text_width(line) > COLUMNS and len(line.split()) > 1]


@pytest.mark.parametrize("name", ["", *NAMES])
def test_help(terminal: Terminal, name: str) -> None:
    ended = terminal(*([name] if name else []), "--help")
    assert ended.status == 0
    assert too_wide(ended) == []
    if not name:
        assert "..." not in ended.out.partition("Commands:")[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("retrain", REPO, "--strategies", "naive-bayes,knn,linear", "--details"),
        ("releases", REPO),
        ("tag", REPO, "1", "2"),
        ("tag", REPO, "1", "--explain"),
        ("tag", REPO, "1", "--explain", "--all"),
        ("audit", REPO),
        ("report", REPO),
        ("backfill", REPO, "--limit", "3"),
        ("doctor",),
        ("failed",),
        ("forget",),
        ("rollback", REPO),
        ("init", REPO, "--out", "tagger.yml"),
        ("validate", "short.yml", "--repo", REPO),
        ("validate", "wrong.yml"),
        ("tag", REPO, "7000"),
        ("retrain", REPO, "--strategies", "naive-byes"),
        ("evaluate", REPO, "--strategies", "naive-bayes", "--slices", "all", "--seeds", "1"),
        ("undo", "9"),
        ("promote", REPO, "no-such-release"),
        ("sync", "no/body"),
    ],
    ids=" ".join,
)
def test_answers_and_refusals(terminal: Terminal, here: Path, arguments: tuple[str, ...]) -> None:
    Path("short.yml").write_text("version: 1\nlabels: {bug: {mode: apply}}\n")
    Path("wrong.yml").write_text("version: 1\nmoed: apply\nlabels: {bug: {mode: aply}}\n")
    assert too_wide(terminal(*arguments)) == []


def test_import_and_titles_of_any_length(terminal: Terminal, here: Path) -> None:
    file = issue_file(Path(), row(900, "bug", title=TITLE), row(901, title="漢字" * 60))
    assert too_wide(terminal("import", file, "--repo", REPO)) == []
    ended = terminal("tag", REPO, "--file", file, "--explain")
    assert ended.status == 0
    assert too_wide(ended) == []


def test_a_line_is_wrapped_between_words_and_an_address_stays_whole() -> None:
    address = "https://github.com/" + "x" * 60
    parts = wrapped(f"  see {address} for more of it and for what else there is to read", 60)
    assert [part.strip() for part in parts][1] == address
    assert parts[0] == "  see"
    assert wrapped("short", 60) == ["short"]
    assert wrapped("a line that goes to a file is left alone " * 9, 0) == [
        "a line that goes to a file is left alone " * 9
    ]
    assert text_width(shortened("漢字" * 60, 20)) <= 20


def test_a_table_wraps_its_words_then_becomes_cards(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("part", "found"), [("database", "a long sentence " * 8)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["part", "found"]
    assert max(map(len, lines)) <= COLUMNS
    say_table([f"column{n}" for n in range(12)], [[f"value{n}" for n in range(12)]])
    cards = capsys.readouterr().out.splitlines()
    assert cards[:2] == ["value0", "  column1: value1"]
