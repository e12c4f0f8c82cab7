"""`retrain` on the command line: stages, a time, and what Ctrl-C says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes_cli import REPO, Terminal, issue_file, sixty

if TYPE_CHECKING:
    from pathlib import Path

DEAR = ("naive-bayes", "knn")


@pytest.fixture
def imported(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Sixty issues and no release; naive Bayes and the nearest neighbours count as dear."""
    monkeypatch.setattr("tagger.releases.staged_training.CHEAP", ("zero-shot", "linear"))
    terminal("import", issue_file(tmp_path, *sixty()), "--repo", REPO)
    return terminal


def test_the_first_release_comes_with_its_table_and_with_what_is_to_come(
    imported: Terminal,
) -> None:
    done = imported("retrain", REPO)
    assert done.status == 0
    first, second, last = done.out.split("What each label can do")[1:]
    assert "serves now; it was the first." in first
    assert "Still to come: naive-bayes and knn" in first
    assert "Still to come: knn" in second
    assert "Still to come" not in last


def test_scripts_get_one_document_that_names_every_stage(imported: Terminal) -> None:
    done = imported("retrain", REPO, "--json")
    document = json.loads(done.out)
    assert [row["strategies"][2:] for row in document["stages"]] == [[], [DEAR[0]], list(DEAR)]
    assert document["release"] == document["stages"][-1]["release"]
    assert document["to_come"] == []
    assert "after 0:0" in done.err
    assert "serves now" in done.err


def test_members_and_a_time_decide_how_far(imported: Terminal) -> None:
    few = imported("retrain", REPO, "--members", "linear,knn", "--within", "0s", "--json").document
    assert few["manifest"]["strategies"] == ["linear"]
    assert few["to_come"] == ["knn"]
    said = imported("retrain", REPO, "--members", "linear,knn", "--within", "0s").out
    assert f"`issue-tagger retrain {REPO} --members linear,knn --within 0s`" in said
    whole = imported("retrain", REPO, "--strategies", "linear,knn", "--within", "1h30m", "--json")
    assert whole.document["manifest"]["strategies"] == ["linear", "knn"]


@pytest.mark.parametrize("time", ["5", "m", "", "five", "1x", "-5m"])
def test_a_time_that_is_none_is_wrong_usage(terminal: Terminal, time: str) -> None:
    done = terminal("retrain", REPO, f"--within={time}")
    assert done.status == 2
    assert "1h30m" in done.err


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    imported: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tagger.strategies.knn.NearestNeighbours.fit", stop)
        stopped = imported("retrain", REPO, "--seed", 3)
    assert stopped.status == 130
    lines = stopped.err.splitlines()
    assert "issue-tagger: stopped." in lines
    assert any(line.startswith("Release ") and "serves now" in line for line in lines)
    assert any(line.startswith("Still to come: knn; ") and "kept" in line for line in lines)
    assert lines[-1] == f"`issue-tagger retrain {REPO} --seed 3` goes on from there."
    document = imported("retrain", REPO, "--seed", 3, "--json").document
    assert [row["strategies"][-1] for row in document["stages"]] == ["knn"]


def test_ctrl_c_before_the_first_release_says_so(
    imported: Terminal, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tagger.strategies.zero_shot.ZeroShot.fit", stop)
    stopped = imported("retrain", REPO)
    assert stopped.status == 130
    assert "No release was finished" in stopped.err
    assert stopped.err.endswith(f"`issue-tagger retrain {REPO}` begins anew.\n")
    assert not list((data_dir / "releases").glob("*/*"))
