"""Answers of who teaches: labels of an issue, none of those offered, or not now; and undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from store.engine.text import name_key
from store.records import DecisionRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from store.database import Store
    from store.records import Repository, ReviewVerdict, StoredDecision
    from store.unit_of_work import UnitOfWork

MAX_LABELS = 100
"""As many as GitHub lets an issue have."""
_LOOKED_BACK = 300
"""Decisions among which the last answer is looked for."""


@dataclass(frozen=True)
class TeachingAnswer:
    """What a person says of one issue.

    :ivar labels: those that belong on it.
    :ivar offered: those that were offered; where none belongs, each of them is turned down.
    """

    number: int
    labels: tuple[str, ...]
    offered: tuple[str, ...] = ()


def keep_answer(
    store: Store, repository: Repository, answer: TeachingAnswer, login: str, now: datetime
) -> tuple[StoredDecision, ...]:
    """Keep an answer; it counts here at once, and GitHub is told later.

    :raises NotStored: the issue is not stored.
    :raises CommandRefused: no label was named or offered, or there is none of this name.
    """
    with store.begin() as work:
        names = _spelled(work, repository)
        chosen = _present(answer.labels, names, repository)
        refused = () if chosen else _present(answer.offered, names, repository)
        if not chosen and not refused:
            raise CommandRefused("an answer names a label, or those that do not belong")
        verdict: ReviewVerdict = "approved" if chosen else "dismissed"
        return tuple(
            work.decisions.record(
                repository.id,
                DecisionRecord(answer.number, label, verdict, "teach", login, now),
            )
            for label in chosen or refused
        )


def skip(store: Store, repository: Repository, number: int, login: str, now: datetime) -> None:
    """Put an issue aside: nothing is learned from it.

    :raises NotStored: the issue is not stored.
    """
    with store.begin() as work:
        work.decisions.record(
            repository.id, DecisionRecord(number, "", "skipped", "teach", login, now)
        )


def undo_last(store: Store, repository: Repository, login: str, now: datetime) -> int:
    """Take back this person's last answer; returns which issue it was about.

    :raises CommandRefused: there is none, or GitHub was told.
    """
    with store.begin() as work:
        answers = [
            decision
            for decision in work.decisions.list(repository.id, limit=_LOOKED_BACK)
            if decision.origin == "teach" and decision.undone_at is None
            if decision.actor == login
        ]
        if not answers:
            raise CommandRefused("there is no answer of yours to take back")
        last = [decision for decision in answers if decision.number == answers[0].number]
        if any(decision.place == "github" for decision in last):
            raise CommandRefused("that answer is on GitHub by now; undo what was written first")
        for decision in last:
            work.decisions.undo(decision.id, now)
        return answers[0].number


def _spelled(work: UnitOfWork, repository: Repository) -> dict[str, str]:
    """The repository's labels as it spells them, by folded name."""
    listed = work.labels.list(repository.id)
    names = [label.name for label in listed] or work.issues.label_names(repository.id)
    return {name_key(name): name for name in names}


def _present(
    labels: Iterable[str], names: dict[str, str], repository: Repository
) -> tuple[str, ...]:
    wanted = dict.fromkeys(name_key(label) for label in labels if label.strip())
    unknown = [key for key in wanted if key not in names]
    if unknown:
        raise CommandRefused(f"{repository.full_name} has no label {unknown[0]!r}")
    if len(wanted) > MAX_LABELS:
        raise CommandRefused(f"an issue has {MAX_LABELS} labels at most")
    return tuple(names[key] for key in wanted)
