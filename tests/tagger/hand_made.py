"""Issues made by hand, whose words say which labels they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tagger.domain.issue import IssueText, Label, TrainingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = (
    Label("bug", "Something is broken"),
    Label("documentation", "Guides and reference"),
    Label("speed", "Too slow or too hungry", ("performance",)),
)

HAND_MADE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Crash when saving", "The editor crashes with an error when I save a file.", ("bug",)),
    ("Error on login", "Login fails with an error after the update.", ("bug",)),
    ("Window stays blank", "It is broken: the window stays blank and an error shows.", ("bug",)),
    ("Export fails", "Export fails with a crash on an empty file.", ("bug",)),
    ("Wrong total", "The total is wrong and then the page crashes.", ("bug",)),
    ("Button is broken", "The button is broken, a click shows an error.", ("bug",)),
    ("Import crashes", "Import of a big file crashes.", ("bug",)),
    ("Fails to start", "The server fails to start, error in the log.", ("bug",)),
    ("Typo in the guide", "The guide has a typo in the first chapter.", ("documentation",)),
    ("Explain the settings", "The manual does not explain the settings.", ("documentation",)),
    ("Guide for login", "Please write a guide for login.", ("documentation",)),
    ("Outdated manual", "The manual shows an old page, update the guide.", ("documentation",)),
    ("Missing chapter", "The manual has no chapter on export.", ("documentation",)),
    ("Example in the guide", "The example does not explain import.", ("documentation",)),
    ("Typo on the page", "There is a typo in the manual for the server.", ("documentation",)),
    ("Slow start", "The server is slow to start and takes a minute.", ("speed",)),
    ("Too much memory", "Import is slow and takes too much memory.", ("speed",)),
    ("Slow search", "Search is slow on a big file, it takes a minute.", ("speed",)),
    ("Memory grows", "Memory grows and the page gets slow.", ("speed",)),
    ("Export takes long", "Export takes a minute, please make it fast.", ("speed",)),
    ("Login is slow", "Login is slow after the update.", ("speed",)),
    ("Make the page fast", "The page is slow, it takes too much memory.", ("speed",)),
    ("Slow and then a crash", "Saving is slow and then crashes with an error.", ("bug", "speed")),
    ("Memory error", "Import takes too much memory and fails with an error.", ("bug", "speed")),
    ("Guide on slow search", "The manual: why is search slow?", ("documentation", "speed")),
    ("Guide shows an error", "The example in the guide fails.", ("bug", "documentation")),
    ("Thank you", "A question on the roadmap.", ()),
    ("New colours", "Please add new colours to the window.", ()),
)  # fmt: skip


def training_set_of(
    rows: Sequence[tuple[str, str, Sequence[str]]], labels: Sequence[Label]
) -> TrainingSet:
    """Titles, bodies and label names as strategies take them; numbers count from 1."""
    names = [label.name for label in labels]
    targets = np.array([[name in row[2] for name in names] for row in rows], dtype=bool)
    return TrainingSet(
        tuple(labels),
        tuple(range(1, len(rows) + 1)),
        tuple(IssueText.of(title, body) for title, body, _ in rows),
        targets.reshape(len(rows), len(names)),
        unlabelled=(IssueText("Another slow page"), IssueText("Error in the guide")),
    )
