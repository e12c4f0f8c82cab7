"""Issues of another repository, to see how often the bot stays silent on what is not its own."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from store.database import Store

MOST = 300
"""Issues that are mixed in: one label on ten of them is then known to within four in a hundred."""


def foreign_issues(store: Store, repository: str | None) -> tuple[IssueText, ...]:
    """The first issues that a repository had, no pull requests; none where none is named.

    :raises NotStored: it was never imported or synced.
    """
    if repository is None:
        return ()
    with store.read() as work:
        rows = work.issues.training_rows(work.repositories.get(repository).id)
        issues = (row for row in rows if not row.is_pull_request)
        return tuple(IssueText.of(row.title, row.body) for row in islice(issues, MOST))
