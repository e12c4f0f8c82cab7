"""What people find who come to take part: the workflow, the templates, locks, types, versions."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tagger import __version__

ROOT = Path(__file__).parents[1]
MARKDOWN = ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")


def text_of(*path: str) -> str:
    return ROOT.joinpath(*path).read_text("utf-8")


def workflow(name: str = "ci.yml") -> dict[Any, Any]:
    return yaml.safe_load(text_of(".github", "workflows", name))


def key(name: str) -> str:
    """A package's name as package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """Version by folded name, of lines `name==version …`."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {key(name): version for name, version in found}


def test_the_workflow_runs_what_ci_runs_on_every_python_that_is_supported() -> None:
    job = workflow()["jobs"]["checks-and-tests"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert project["requires-python"] == ">=3.11"


def test_the_workflow_may_read_and_nothing_else() -> None:
    told = workflow()
    assert told["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in told["jobs"].values())
    assert "pull_request_target" not in told[True]  # YAML 1.1 reads "on" as true
    assert "secrets." not in text_of(".github", "workflows", "ci.yml")


def test_a_release_needs_its_owner_and_only_what_publishes_may_write() -> None:
    release = workflow("release.yml")
    jobs = release["jobs"]
    assert release["permissions"] == {"contents": "read"}
    assert jobs["distributions"]["if"] == "vars.RELEASES == 'on'"
    assert all(jobs[name]["needs"] == "distributions" for name in ("pypi", "image"))
    writing = {name for name, job in jobs.items() if "write" in job.get("permissions", {}).values()}
    assert writing == {name for name, job in jobs.items() if "environment" in job}
    assert writing == {"pypi", "image"}
    assert not any("run" in step for step in jobs["pypi"]["steps"])
    assert "secrets." not in text_of(".github", "workflows", "release.yml")


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_actions_are_pinned_by_commit_with_the_version_beside(name: str) -> None:
    used = re.findall(r"uses: (.*)", text_of(".github", "workflows", name))
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)


def test_issue_forms_are_such_as_github_takes() -> None:
    forms = list((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    forms = [form for form in forms if form.name != "config.yml"]
    assert forms
    for form in forms:
        told = yaml.safe_load(form.read_text("utf-8"))
        assert told["name"]
        assert told["description"]
        ids = [element["id"] for element in told["body"]]
        assert len(ids) == len(set(ids))
        assert all(element["attributes"]["label"] for element in told["body"])
        assert {element["type"] for element in told["body"]} <= {"input", "textarea"}


@pytest.mark.parametrize("name", [*MARKDOWN, ".github/pull_request_template.md"])
def test_what_the_files_name_is_there(name: str) -> None:
    text = text_of(name)
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    makefile = text_of("Makefile")
    for target in re.findall(r"`?\bmake ([a-z]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_pin_is_locked_by_hash() -> None:
    lock = text_of("requirements.lock")
    locked = pins(lock)
    assert pins(text_of("constraints.txt")).items() <= locked.items()
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_every_tool_of_development_is_pinned() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = [re.match(r"[\w.-]+", one)[0] for one in project["optional-dependencies"]["dev"]]
    assert {key(name) for name in wanted} <= set(pins(text_of("constraints.txt")))


def test_a_machine_without_cuda_takes_the_rest_by_hash() -> None:
    (command,) = re.findall(
        r"^awk '(.*?)' requirements", text_of("docs", "deployment.md"), re.MULTILINE
    )
    done = subprocess.run(
        ["awk", command, ROOT / "requirements.lock"], capture_output=True, text=True, check=True
    )
    locked = pins(text_of("requirements.lock"))
    left_out = set(locked) - set(pins(done.stdout))
    assert {"torch", "triton", "cuda-toolkit", "nvidia-cublas"} <= left_out
    assert all(re.match("torch|triton|cuda-|nvidia-", name) for name in left_out)
    torch = re.findall(r"pip install torch==(\S+)", text_of("docs", "deployment.md"))
    assert torch == [locked["torch"]]


@pytest.mark.parametrize("package", ["bot", "store", "tagger"])
def test_types_are_shipped(package: str) -> None:
    assert (ROOT / package / "py.typed").read_bytes() == b""
    wheel = tomllib.loads(text_of("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert package in wheel["packages"]


def test_the_changelog_begins_with_what_comes_and_has_the_present_version() -> None:
    headings = re.findall(r"^## (.*)", text_of("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", headings[1])
