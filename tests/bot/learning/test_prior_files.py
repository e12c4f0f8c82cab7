"""Repositories as files, for measuring the prior."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
import typer

from bot.cli.learning.prior import labelled_files
from bot.errors import CommandRefused
from bot.learning.prior_files import LabelledFiles, measured_once
from tagger.chain.prior_measurement import TrainingDraws

if TYPE_CHECKING:
    from pathlib import Path

ISSUES = (
    {"title": "It crashes", "body": "now", "labels": [{"name": "bug"}, {"name": "later"}]},
    {"title": "A change", "body": None, "labels": ["bug"], "pull_request": {}},
    {"title": "How do I?", "body": None, "labels": ["later"]},
    {"title": "A typo", "body": "here", "labels": ["docs"]},
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    issues, labels = tmp_path / "r.jsonl.gz", tmp_path / "labels.json"
    issues.write_bytes(gzip.compress("\n".join(map(json.dumps, ISSUES)).encode()))
    labels.write_text(json.dumps([{"name": "bug", "description": "broken"}, {"name": "docs"}]))
    return issues, labels


def test_issues_with_a_label_that_counts_are_labelled_and_pull_requests_are_none(files) -> None:
    data = labelled_files(f"{files[0]}:{files[1]}:bug,docs").load()
    assert [(label.name, label.description) for label in data.labels] == [
        ("bug", "broken"),
        ("docs", ""),
    ]
    assert [issue.title for issue in data.issues] == ["It crashes", "A typo"]
    assert data.targets.tolist() == [[True, False], [False, True]]
    assert [issue.title for issue in data.unlabelled] == ["How do I?"]


def test_without_names_all_labels_count_and_the_newest_rows_are_the_last(files) -> None:
    data = LabelledFiles(*files, ()).load(newest=1)
    assert data.names == ("bug", "docs")
    assert [issue.title for issue in data.issues] == ["A typo"]


def test_what_is_no_repository_is_refused_with_what_was_expected(files, tmp_path) -> None:
    with pytest.raises(CommandRefused, match=r"missing.jsonl and .* expected issues and labels"):
        LabelledFiles(tmp_path / "missing.jsonl", files[1], ()).load()
    (tmp_path / "odd.jsonl").write_text("{}")
    with pytest.raises(CommandRefused, match="cannot be read as a repository: KeyError"):
        LabelledFiles(tmp_path / "odd.jsonl", files[1], ()).load()
    without = LabelledFiles(*files, ("other",))
    with pytest.raises(CommandRefused, match="has one of the labels other"):
        measured_once(without, TrainingDraws(("naive-bayes",)), None, tmp_path)
    with pytest.raises(typer.BadParameter, match="expected ISSUES:LABELS:NAMES"):
        labelled_files("issues.jsonl")
