"""What the guides tell to type: every line is a command as it is, and those of the quick start run.

A line of a shell block that begins with `issue-tagger` counts, without its comment.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes_cli import REPO, Terminal, issue_file, sixty
from typer.main import get_command

from bot.cli.app import app
from bot.simulator.server import serving
from bot.simulator.state import GitHubState

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:uvx )?issue-tagger ([a-z].*)$", re.MULTILINE)
SERVERS = {"serve", "work", "open", "model-server"}
"""Commands of the quick start that do not end by themselves."""


def lines_of(page: Path) -> Iterator[list[str]]:
    """The arguments of each command that a page's shell blocks show."""
    for kind, block in BLOCK.findall(page.read_text("utf-8")):
        if kind not in {"", "sh"}:
            continue
        for line in LINE.findall(block.replace("\\\n", " ")):
            command = re.split(r" [|>&]|;", line, maxsplit=1)[0]
            yield [word.rstrip("…") or "x" for word in shlex.split(command, comments=True)]


SHOWN = [(page, arguments) for page in PAGES for arguments in lines_of(page)]


def test_the_guides_show_commands() -> None:
    assert len(SHOWN) > 25
    assert {page.name for page, _ in SHOWN} >= {"README.md", "quick-start.md", "commands.md"}


@pytest.mark.parametrize(
    ("page", "arguments"),
    SHOWN,
    ids=lambda value: value.name if isinstance(value, Path) else " ".join(value),
)
def test_a_command_that_a_guide_shows_is_one(
    page: Path,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for word in arguments:
        if re.fullmatch(r"[\w.-]+\.(json|jsonl|yml|gz)|FILE", word):
            Path(word).touch()
    name, *rest = arguments
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    words = ["owner/name" if word == "x" else word for word in rest]
    with command.make_context(name, words) as context:
        assert context.info_name == name


@pytest.mark.slow
def test_the_quick_start_runs_on_a_repository(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = GitHubState()
    state.add_repository(REPO)
    state.add_token("secret", "tagger[bot]")
    for each in sixty():
        state.open_issue(REPO, each["title"], each["body"], by="ada")
        names = [label["name"] for label in each["labels"]]
        if names:
            state.add_labels(REPO, each["number"], names, by="ada")
    monkeypatch.chdir(tmp_path)
    issue_file(tmp_path, *sixty(), name="issues.json")
    issue_file(tmp_path, '[{"name": "bug"}]', name="labels.json")
    monkeypatch.setenv("ISSUE_TAGGER_GITHUB_TOKEN", "secret")
    with serving(state) as url:
        monkeypatch.setenv("ISSUE_TAGGER_GITHUB_API_URL", url)
        for arguments in lines_of(ROOT / "docs" / "quick-start.md"):
            if arguments[0] in SERVERS:
                continue
            ours = {"owner/name": REPO, "4711": "3"}
            ended = terminal(*(ours.get(word, word) for word in arguments))
            assert ended.status == 0, (arguments, ended.err)
    assert (tmp_path / ".github" / "issue-tagger.yml").is_file()
