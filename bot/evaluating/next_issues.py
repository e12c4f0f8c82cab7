"""Which unlabelled issues are worth a person's minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.database import Store
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.evaluation.report.extras import NextIssue

READ = 500
"""Newest unlabelled issues that are looked at."""


def next_issues(
    store: Store, repository: str, data: TrainingSet, resources: Resources
) -> tuple[NextIssue, ...]:
    """Open questions among the newest unlabelled issues, the most informative first."""
    from tagger.evaluation.issues_to_label import most_informative
    from tagger.strategies.linear import LinearHeads

    unlabelled = _unlabelled(store, repository, frozenset(data.numbers))
    if not unlabelled or not len(data):
        return ()
    numbers = [number for number, _ in unlabelled]
    issues = [issue for _, issue in unlabelled]
    scores = LinearHeads(resources).fit(data).score(issues)
    return most_informative(data, numbers, issues, scores)


def _unlabelled(
    store: Store, repository: str, labelled: frozenset[int]
) -> Sequence[tuple[int, IssueText]]:
    with store.read() as work:
        rows = [
            (row.number, row.title, row.body)
            for row in work.issues.training_rows(work.repositories.get(repository).id)
            if row.target == "issues" and row.number not in labelled
        ]
    return [(number, IssueText.of(title, body)) for number, title, body in rows[-READ:]]
