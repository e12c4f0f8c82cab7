"""The GitHub Action, by the steps of `action.yml` itself, against the simulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml
from fakes_cli import REPO, sixty

from bot.simulator.server import serving
from bot.simulator.state import GitHubState

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
BOT = "github-actions[bot]"
RUN_IDS = count(1)
EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


Ended: TypeAlias = subprocess.CompletedProcess[str]


@dataclass
class Runner:
    """Runs the step that does the work, as a runner of GitHub does."""

    folder: Path
    api: str
    github: GitHubState

    def __call__(
        self, event: str = "workflow_dispatch", **inputs: str
    ) -> subprocess.CompletedProcess[str]:
        values = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
        values |= {name.replace("_", "-"): value for name, value in inputs.items()}
        context = {f"inputs.{name}": value for name, value in values.items()}
        context |= {"github.api_url": self.api, "runner.temp": str(self.folder)}
        [step] = [step for step in ACTION["runs"]["steps"] if step.get("id") == "run"]
        environment = {
            name: EXPRESSION.sub(lambda match: context[match[1]], str(value))
            for name, value in step["env"].items()
        }
        for name in ("output", "summary"):
            (self.folder / name).write_text("")
        payload = self.github.deliveries[-1].payload if self.github.deliveries else {}
        (self.folder / "event.json").write_text(json.dumps(payload))
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            env={**os.environ, **environment, **self._github(event), "PYTHONPATH": str(ROOT)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def _github(self, event: str) -> dict[str, str]:
        files = {"OUTPUT": "output", "STEP_SUMMARY": "summary", "EVENT_PATH": "event.json"}
        paths = {f"GITHUB_{name}": str(self.folder / file) for name, file in files.items()}
        facts = {"REPOSITORY": REPO, "EVENT_NAME": event, "RUN_ID": str(next(RUN_IDS))}
        return paths | {f"GITHUB_{name}": value for name, value in facts.items()}

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()

    @property
    def outputs(self) -> dict[str, str]:
        found = re.findall(
            r"(\w+)<<(end-\w+)\n(.*?)\n\2\n", (self.folder / "output").read_text(), re.DOTALL
        )
        return {name: value for name, _, value in found}


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """A repository with sixty labelled issues, and a virtual environment that has the command."""
    github = GitHubState(lambda: datetime.now(UTC))
    github.add_repository(REPO)
    github.add_token("job-token", BOT)
    github.set_role(REPO, BOT, "write")
    for label in ("bug", "docs", "speed"):
        github.add_label(REPO, label)
    for issue in sixty():
        github.import_issue(REPO, issue)
    command = tmp_path / "issue-tagger-venv" / "bin" / "issue-tagger"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m bot.cli "$@"\n')
    command.chmod(0o755)
    monkeypatch.delenv("ISSUE_TAGGER_DATA_DIR")
    with serving(github) as url:
        yield Runner(tmp_path, url, github)


@pytest.mark.slow
def test_from_an_empty_folder_to_a_label(runner: Runner) -> None:
    runner.github.open_issue(REPO, "crash error broken fails", by="ada")
    first = runner("issues", token="job-token")
    assert first.returncode == 0, first.stderr
    assert "bug" in json.loads(runner.outputs["labels"]) + json.loads(runner.outputs["suggested"])
    assert "open issues were looked at" in runner.summary, "the first run shows what it would do"
    assert "Nothing was written" in runner.summary
    assert "Switch on " in runner.summary
    assert "precision: 0.9" in runner.summary  # the file to copy

    runner.github.push_file(REPO, ".github/issue-tagger.yml", "mode: suggest\n")
    filed = runner.github.open_issue(REPO, "broken crash error fails", by="ada")
    second = runner("issues", token="job-token")
    assert second.returncode == 0, second.stderr
    assert "bug" in json.loads(runner.outputs["labels"]) + json.loads(runner.outputs["suggested"])
    assert "open issues were looked at" not in runner.summary
    assert "| suggested |" in runner.summary
    issue = runner.github.issue(REPO, filed.payload["issue"]["number"])
    assert "bug" in {suggestion.label.name for suggestion in issue.suggestions}
    assert {seen.actor for seen in runner.github.requests if seen.method != "GET"} == {BOT}


@pytest.mark.slow
def test_retrain_report_and_backfill(runner: Runner) -> None:
    trained = runner(command="retrain", token="job-token", strategies="linear,knn")
    assert trained.returncode == 0, trained.stderr
    assert runner.outputs["promoted"] == "true"
    assert "| `bug` |" in runner.summary
    stock = runner(command="report", token="job-token", in_issue="true")
    assert stock.returncode == 0, stock.stderr
    assert int(runner.outputs["issue"]) > 60
    shown = runner(command="backfill", token="job-token", limit="3")
    assert shown.returncode == 0, shown.stderr
    assert "3 open issues were looked at" in runner.summary
    assert runner.outputs["run"] == ""


def test_outside_of_a_job_it_says_so(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    ended = terminal("action", "tag")
    assert (ended.status, ended.out) == (1, "")
    assert "runs within GitHub Actions" in ended.err


def test_every_action_is_pinned_and_every_input_used() -> None:
    steps = ACTION["runs"]["steps"]
    uses = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) for name in uses)
    text = (ROOT / "action.yml").read_text("utf-8")
    assert all(f"inputs.{name} }}}}" in text for name in ACTION["inputs"])
    assert all("shell" in step for step in steps if "run" in step)
    assert not any("${{" in step["run"] for step in steps if "run" in step), "inputs go by env"
