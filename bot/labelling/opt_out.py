"""Whether an issue is to be left alone: `/tagger off`, until somebody says `/tagger retry` later.

Both are remembered by when they were said, so that it does not matter which is heard first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from store.records import StoredIssue
    from store.unit_of_work import UnitOfWork

OFF: Literal["off"] = "off"
RETRY: Literal["retry"] = "retry"
WHY = "somebody told the bot to leave this issue alone"


def is_told_off(issue: StoredIssue) -> bool:
    """Whether `off` is the last word; of both in the same second it is."""
    off, retry = issue.opted_out_at, issue.opted_in_at
    return off is not None and (retry is None or retry <= off)


def remember_opt_out(
    work: UnitOfWork, issue: StoredIssue, word: Literal["off", "retry"], at: datetime
) -> bool:
    """Remember that one of the two was said; returns whether the issue is left alone from now on.

    :param at: when a person said it, not when it was heard; aware.
    :raises NotStored: the issue was forgotten in the meantime.
    """
    stored = work.issues.get(issue.repository_id, issue.number)
    before = stored.opted_out_at if word == OFF else stored.opted_in_at
    if before is None or before < at:
        setting = work.issues.set_opted_out if word == OFF else work.issues.set_opted_in
        setting(stored.id, at)
    return is_told_off(work.issues.get(issue.repository_id, issue.number))
