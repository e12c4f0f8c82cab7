"""What is wrong is said before anything is loaded, and to scripts as a document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from fakes_cli import REPO

if TYPE_CHECKING:
    from pathlib import Path

    from fakes_cli import Terminal

HEAVY = {"torch", "transformers", "sklearn", "faiss", "onnxruntime"}
CODE = f"""
import sys, json
from bot.cli import app
sys.argv = ["issue-tagger", *json.loads(sys.argv[1])]
try:
    app.run()
finally:
    print(*sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("retrain", REPO, "--strategies", "naive-byes"), "did you mean 'naive-bayes'?"),
        (("evaluate", REPO, "--strategies", "chian"), "did you mean 'chain'?"),
        (("retrain", REPO, "--labels", "bgu"), "did you mean 'bug'?"),
        (("evaluate", REPO, "--labels", "dosc"), "did you mean 'docs'?"),
        (("tag", REPO, "4711"), f"issue-tagger sync {REPO} brings in"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_wrong_name_is_told_with_the_nearest_before_anything_heavy_loads(
    trained: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps([*arguments, "--json"])],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 1, done.stderr
    assert words in json.loads(done.stdout)["error"]
    assert words in done.stderr
    assert done.stderr.splitlines()[-1] == "", "a heavy library was loaded"


def test_an_error_is_the_one_document_on_stdout(terminal: Terminal) -> None:
    done = terminal("releases", "nobody/nothing", "--json")
    assert done.status == 1
    assert done.document["error"].startswith("no repository nobody/nothing")
    assert terminal("releases", "nobody/nothing").out == ""


@pytest.mark.parametrize("command", [("releases", REPO), ("validate", __file__), ("doctor",)])
def test_every_command_names_misspelt_variables_once(
    terminal: Terminal,
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("ISSUE_TAGGER_DEVCE", "cpu")
    done = terminal(*command)
    sentence = "ISSUE_TAGGER_DEVCE is no setting; did you mean ISSUE_TAGGER_DEVICE?"
    assert (done.out + done.err).count(sentence) == 1
