"""Which unlabelled issues are worth a person's minute."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from bot.evaluating.next_issues import next_issues
from store.records import IssueRecord
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPO = "acme/rocket"


class TwoWords:
    """An encoder that knows "crash" and "manual"."""

    identity, width = "two words", 3

    def encode(self, texts):
        rows = [("crash" in text, "manual" in text, 1.0) for text in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), 3)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_newest_unlabelled_issues_are_worth_a_question(store) -> None:
    texts = [("crash", "bug"), ("manual", "docs")] * 8
    data = TrainingSet(
        (Label("bug"), Label("docs")),
        tuple(range(1, 17)),
        tuple(IssueText.of(f"{word} {n}", "") for n, (word, _) in enumerate(texts)),
        np.array([[label == "bug", label == "docs"] for _, label in texts]),
    )
    resources = Resources(encoder=TwoWords)
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=NOW)
    assert next_issues(store, REPO, data, resources) == ()
    with store.begin() as work:
        rows = [
            IssueRecord(1, "crash 1", "", ("bug",), NOW),
            IssueRecord(30, "crash in the manual", "", (), NOW),
            IssueRecord(31, "a change", "", (), NOW, is_pull_request=True),
        ]
        work.issues.upsert(repository.id, rows)
    assert [issue.number for issue in next_issues(store, REPO, data, resources)] == [30]
    assert next_issues(store, REPO, data.subset(np.array([], dtype=int)), resources) == ()
