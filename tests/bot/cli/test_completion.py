"""Completion in the shell: what Typer installs, and what the program then answers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def called(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, **variables},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("issue-tagger re", "report"), ("issue-tagger retrain --no-p", "--no-promote")],
)
def test_words_are_completed(typed: str, expected: str) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    answered = called(_ISSUE_TAGGER_COMPLETE="complete_bash", **words)
    assert answered.returncode == 0, answered.stderr
    assert expected in answered.stdout.split()
    assert "prior" not in answered.stdout.split()


def test_it_is_installed_for_a_shell(tmp_path: Path) -> None:
    # for the shell that it is called from, which is found among the processes above it
    installed = subprocess.run(
        ["bash", "-c", '"$0" -m bot.cli --install-completion; exit $?', sys.executable],
        capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert installed.returncode == 0, installed.stdout + installed.stderr
    [script] = (tmp_path / ".bash_completions").iterdir()
    assert "_ISSUE_TAGGER_COMPLETE=complete_bash" in script.read_text("utf-8")
    assert str(script) in (tmp_path / ".bashrc").read_text("utf-8")
