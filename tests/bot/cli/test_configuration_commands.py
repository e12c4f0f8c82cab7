"""`init` writes what a release can promise, `validate` says what a file means for each label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes_cli import REPO

from bot.configuration import parse

if TYPE_CHECKING:
    from pathlib import Path

    from fakes_cli import Terminal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "issue-tagger.yml"


def test_init_writes_a_file_that_watches_and_says_what_could_be_switched_on(
    terminal: Terminal, trained: Path, file: Path
) -> None:
    done = terminal("init", REPO, "--out", file)
    assert done.status == 0, done.err
    text = file.read_text("utf-8")
    assert parse(text).mode == "shadow"
    assert not parse(text).labels
    assert done.out.splitlines()[0] in text
    assert f"issue-tagger validate {file} --repo {REPO}" in done.out
    assert terminal("validate", file, "--repo", REPO).status == 0


def test_init_switches_on_what_the_release_promises(
    terminal: Terminal, trained: Path, file: Path
) -> None:
    document = terminal("init", REPO, "--out", file, "--switch-on", "--json").document
    promised = {row["name"] for row in document["labels"] if row["mode"] == "apply"}
    configuration = parse(file.read_text("utf-8"))
    assert configuration.mode == "suggest"
    assert {name for name, row in configuration.labels.items() if row.mode == "apply"} == promised


def test_init_replaces_no_file_unless_told_to(
    terminal: Terminal, trained: Path, file: Path
) -> None:
    file.write_text("version: 1\nmode: apply\n")
    refused = terminal("init", REPO, "--out", file)
    assert refused.status == 1
    assert "--force replaces it" in refused.err
    assert file.read_text() == "version: 1\nmode: apply\n"
    assert terminal("init", REPO, "--out", file, "--force").status == 0


def test_init_needs_a_release(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("init", "nobody/nothing").status == 1


def test_validate_checks_names_against_the_repository(
    terminal: Terminal, trained: Path, file: Path
) -> None:
    file.write_text("version: 1\nlabels:\n  bgu: {mode: apply}\nexclusive:\n  - [docs, sped]\n")
    assert terminal("validate", file).status == 0
    wrong = terminal("validate", file, "--repo", REPO)
    assert wrong.status == 1
    assert f"{file}:3: labels.bgu: no such label; did you mean 'bug'?" in wrong.err
    assert f"{file}:5: exclusive[1][2]: no such label; did you mean 'speed'?" in wrong.err
    document = terminal("validate", file, "--repo", REPO, "--json").document
    assert [problem["line"] for problem in document["problems"]] == [3, 5]


def test_validate_prints_the_effective_mode_of_each_label(
    terminal: Terminal, trained: Path, file: Path
) -> None:
    file.write_text(
        "version: 1\nmode: suggest\nlabels:\n  BUG: {mode: apply, precision: 0.95}\nblock: [docs]\n"
    )
    rows = terminal("validate", file, "--repo", REPO, "--json").document["labels"]
    assert [(row["name"], row["mode"], row["precision"]) for row in rows] == [
        ("bug", "apply", 0.95),
        ("docs", "off", 0.9),
        ("speed", "suggest", 0.9),
    ]
    printed = terminal("validate", file).out
    assert "mode suggest, precision 0.9 for every label that the file does not name" in printed


def test_validate_says_that_a_file_is_empty_and_explains_tabs(
    terminal: Terminal, file: Path
) -> None:
    file.write_text("  \n")
    assert "is empty: what holds is the default" in terminal("validate", file).out
    file.write_text("version: 1\nlabels:\n\tbug: {mode: apply}\n")
    done = terminal("validate", file)
    assert done.status == 1
    assert f"{file}:3: no valid YAML: a tab stands where YAML wants spaces" in done.err
