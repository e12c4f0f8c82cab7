"""What is shipped: the image, the pins, the make targets, the hooks, and what the README says."""

from __future__ import annotations

import re
import subprocess
import tomllib
from fnmatch import fnmatch
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points, requires
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COMMANDS = re.compile(r"^(?:\$ )?(make [a-z]+|issue-tagger [a-z]+(?:-[a-z]+)*)", re.MULTILINE)


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def canonical(requirement: str) -> str:
    """A requirement's name as package indexes compare names (PEP 503)."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with what follows them, continued lines joined."""
    lines = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    found = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, rest.strip()) for name, _, rest in found]


def final_stage() -> dict[str, str]:
    starts = [place for place, (name, _) in enumerate(instructions()) if name == "FROM"]
    return dict(instructions()[starts[-1] :])


def test_the_image_is_built_in_stages_and_runs_as_nobody_in_particular() -> None:
    bases = [rest for name, rest in instructions() if name == "FROM"]
    assert len(bases) > 1
    assert all(base.startswith("python:3.11-slim") for base in bases)
    last = final_stage()
    assert last["USER"] not in {"root", "0"}
    assert "/healthz" in last["HEALTHCHECK"]
    assert last["VOLUME"] == "/data"
    assert (last["ENTRYPOINT"], last["CMD"]) == ('["issue-tagger"]', '["serve"]')


def test_the_image_takes_torch_without_cuda_unless_told_otherwise() -> None:
    arguments = [rest for name, rest in instructions() if name == "ARG"]
    assert "TORCH_INDEX=https://download.pytorch.org/whl/cpu" in arguments


def test_the_images_settings_are_settings() -> None:
    from bot.process.settings import PREFIX, Settings

    named = set(re.findall(rf"{PREFIX}([A-Z_]+)=", final_stage()["ENV"]))
    assert named <= {name.upper() for name in Settings.model_fields}
    assert "DATA_DIR" in named


def test_what_the_image_copies_is_there_and_reaches_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied == let_through
    assert all((ROOT / source).exists() for source in copied)
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= copied


def test_every_dependency_is_pinned_once() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    names = [canonical(line) for line in lines]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[^=]+==[^=]+", line) for line in lines)
    wanted = project()["project"]["dependencies"]
    missing = {canonical(one) for one in wanted} - set(names)
    assert missing == set()


def test_torch_is_pinned_exactly_so_that_a_cpu_build_is_taken() -> None:
    [torch] = [one for one in project()["project"]["dependencies"] if canonical(one) == "torch"]
    assert torch == "torch==2.13.0"


def test_the_installed_package_has_the_command_and_the_dependencies() -> None:
    [script] = [one for one in entry_points(group="console_scripts") if one.name == "issue-tagger"]
    assert script.value == "bot.cli:main"
    declared = {canonical(one) for one in requires("issue-tagger") or [] if "extra ==" not in one}
    assert declared == {canonical(one) for one in project()["project"]["dependencies"]}


def test_files_that_the_program_reads_lie_inside_the_packages() -> None:
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    data = {
        *("bot/sample/issues.jsonl", "bot/sample/labels.json", "bot/sample/expected.json"),
        *("bot/simulator/openapi.json", "migrations/script.py.mako"),
    }
    assert data <= set(tracked.stdout.splitlines())
    assert {name.split("/")[0] for name in data} <= set(packages)


def test_compose_names_settings_commands_and_health_checks_that_exist() -> None:
    from bot.cli.app import _COMMANDS
    from bot.process.settings import PREFIX, Settings

    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    assert set(services) == {"database", "serve", "work"}
    assert "pg_isready" in services["database"]["healthcheck"]["test"]
    for name in ("serve", "work"):
        one = services[name]
        assert one["command"][0] in _COMMANDS
        assert one["depends_on"]["database"] == {"condition": "service_healthy"}
        known = {PREFIX + field.upper() for field in Settings.model_fields}
        assert set(one["environment"]) <= known
        assert (one["cap_drop"], one["read_only"]) == (["ALL"], True)
    port = services["work"]["environment"]["ISSUE_TAGGER_METRICS_PORT"]
    assert f"127.0.0.1:{port}/metrics" in services["work"]["healthcheck"]["test"][-1]
    assert "ISSUE_TAGGER_WEBHOOK_SECRET" in services["serve"]["environment"]


def test_the_threat_model_names_proofs_that_exist() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    named = set(re.findall(r"`((?:tests|docs|\.ci)/[^`]*|test_\w+\.py)`", text))
    assert len(named) > 10
    for one in named:
        found = [ROOT / one] if "/" in one else list((ROOT / "tests").rglob(one))
        assert found, one
        assert found[0].exists(), one


@pytest.mark.parametrize(
    "target", ["help", "setup", "demo", "test", "check", "fix", "dist", "docs"]
)
def test_make_knows_and_describes_the_target(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE)


def test_continuous_integration_runs_the_checks_and_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make check" in script
    assert "make test" in script
    assert "make test" in (ROOT / "README.md").read_text("utf-8")


def test_hooks_before_a_commit_run_what_the_environment_has() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    commands = [hook["entry"] for repository in config["repos"] for hook in repository["hooks"]]
    assert {command.split()[0] for command in commands} <= {
        *(".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/python")
    }


def test_pages_name_commands_that_there_are() -> None:
    from typer.main import get_command

    from bot.cli.app import app

    known = {f"issue-tagger {name}" for name in get_command(app).commands}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    known |= {f"make {name}" for name in re.findall(r"^([a-z]+):", makefile, re.MULTILINE)}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {page.name: set(COMMANDS.findall(page.read_text("utf-8"))) for page in pages}
    assert set().union(*named.values()) <= known
    assert {"make demo", "make test", "issue-tagger serve"} <= named["README.md"]
    assert {"issue-tagger import", "issue-tagger doctor"} <= named["quick-start.md"]


def test_nothing_tracked_lies_in_an_ignored_place() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    places = ("data/*", "var/*", "reports/*", ".venv/*", "*.sqlite3", "*.egg-info/*")
    assert [name for name in tracked if any(fnmatch(name, place) for place in places)] == []


_HOLE = {"id": "PYSEC-1", "fix_versions": ["2"]}


@pytest.mark.parametrize(
    ("packages", "last", "status"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], "1 dependencies, 0 known weaknesses", 0),
        ([{"name": "a", "version": "1", "vulns": [_HOLE]}], "1 known weaknesses", 1),
        ([{"name": "a", "skip_reason": "not found"}], "its source could not be reached", 0),
        (
            [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "no"}],
            "1 dependencies, 0 known weaknesses",
            0,
        ),
    ],
)
def test_the_audit_says_for_what_its_source_did_not_answer(packages, last, status) -> None:
    loader = SourceFileLoader("audit", str(ROOT / ".ci" / "audit"))
    audit = module_from_spec(spec_from_loader("audit", loader))
    loader.exec_module(audit)
    lines, ended = audit.told(packages)
    assert lines[-1].endswith(last)
    assert ended == status
    skipped = sum("skip_reason" in package for package in packages)
    assert any(f"skipped for {skipped} of" in line for line in lines) is bool(skipped)
