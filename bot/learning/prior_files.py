"""Repositories as files, for measuring the prior: labelled issues in, rows of features kept."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.errors import CommandRefused
from tagger.chain.prior_measurement import MeasuredIssues
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.persistence import load_arrays, save_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.chain.prior_measurement import TrainingDraws
    from tagger.domain.strategy import Resources

NAMES = tuple(field.name for field in fields(MeasuredIssues))

MAX_ROWS = 4000
"""Newest rows of a repository: the rest would only be encoded."""


@dataclass(frozen=True)
class LabelledFiles:
    """One repository as GitHub's REST API gives it.

    :ivar issues: a JSON object a line, gzip-compressed where it is named so.
    :ivar labels: a JSON list.
    :ivar names: the labels that count; empty: all.
    """

    issues: Path
    labels: Path
    names: tuple[str, ...]

    def load(self, newest: int | None = None) -> TrainingSet:
        """Labelled issues with the label set, the other issues' texts as unlabelled.

        :raises CommandRefused: a file is missing, or is not of this shape.
        """
        try:
            return self._load(newest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandRefused(
                f"{self.issues} and {self.labels} cannot be read as a repository: "
                f"{type(error).__name__}: {error}; expected issues and labels as GitHub's REST API "
                "gives them, a JSON object a line and a JSON list"
            ) from error

    def _load(self, newest: int | None) -> TrainingSet:
        described = {
            row["name"]: row.get("description") or ""
            for row in json.loads(self.labels.read_text("utf-8"))
        }
        names = self.names or tuple(described)
        rows = [row for row in self._rows(newest) if "pull_request" not in row]
        carried = [_label_names(row) for row in rows]
        texts = [IssueText.of(row["title"], row["body"]) for row in rows]
        labelled = [place for place, labels in enumerate(carried) if labels & set(names)]
        targets = [[name in carried[place] for name in names] for place in labelled]
        others = sorted(set(range(len(rows))) - set(labelled))
        return TrainingSet(
            tuple(Label(name, described.get(name, "")) for name in names),
            tuple(range(len(labelled))),
            tuple(texts[place] for place in labelled),
            np.array(targets, dtype=bool).reshape(len(labelled), len(names)),
            tuple(texts[place] for place in others),
        )

    def _rows(self, newest: int | None) -> list[dict[str, Any]]:
        opener = gzip.open if self.issues.suffix == ".gz" else open
        with opener(self.issues, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        return rows[-(newest or len(rows)) :]


def measured_once(
    files: LabelledFiles, draws: TrainingDraws, resources: Resources, folder: Path
) -> MeasuredIssues:
    """What the members say of one repository: computed, or as a run before kept it.

    :raises CommandRefused: the files cannot be read, or hold no labelled issue.
    """
    rows = folder / f"{files.issues.stem}-{'-'.join(draws.members)}.safetensors"
    if not rows.exists():
        data = files.load(MAX_ROWS)
        if not len(data):
            raise CommandRefused(
                f"no issue in {files.issues} has one of the labels {', '.join(files.names)}"
            )
        rows.parent.mkdir(parents=True, exist_ok=True)
        measured = draws.measure(data, resources)
        save_arrays(rows, {name: getattr(measured, name) for name in NAMES})
    return kept_rows(rows)


def kept_rows(file: Path) -> MeasuredIssues:
    """What `measured_once` kept."""
    arrays = load_arrays(file, *NAMES)
    return MeasuredIssues(*(arrays[name] for name in NAMES))


def _label_names(row: dict[str, Any]) -> set[str]:
    labels: Sequence[Any] = row["labels"]
    return {label["name"] if isinstance(label, dict) else label for label in labels}
