"""Today: what the bot set, suggested and left of late, what waits for people, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.reviewing.review_items import IssueFacts, ReviewItem, deed_of, review_item
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from store.records import GivenUp, PredictedLabel, Repository, StoredDecision, StoredPrediction
    from store.unit_of_work import UnitOfWork

AT_ONCE = 40
"""Issues on a page."""
LONGEST = 366
"""Days that can be looked back."""


@dataclass(frozen=True)
class ReviewDay:
    """What there is to see of a repository.

    :ivar since: what was predicted at this time or later.
    :ivar before: only what was predicted before this; None: up to now.
    :ivar predicted: issues predicted in that time, of which a page's worth is here.
    :ivar older: to be asked for as `before` to see what comes next; None: that was all.
    :ivar failed: deliveries that were given up, the oldest first.
    :ivar unanswered: suggestions of any day that nobody has answered.
    :ivar waiting: deliveries that wait for a worker.
    """

    since: datetime
    before: datetime | None
    predicted: int
    spoken_of: tuple[ReviewItem, ...]
    left: tuple[ReviewItem, ...]
    older: datetime | None
    failed: tuple[GivenUp, ...]
    unanswered: int
    waiting: int


def start_of_yesterday(now: datetime, days: int = 1) -> datetime:
    """Midnight so many days before today's, in UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=min(max(days, 0), LONGEST))


def read_day(
    work: UnitOfWork, repository: Repository, since: datetime, before: datetime | None = None
) -> ReviewDay:
    """One page of it, the newest first; of several predictions for an issue the newest counts."""
    predictions = work.predictions.newest(repository.id, since, before, AT_ONCE + 1)
    page, more = predictions[:AT_ONCE], len(predictions) > AT_ONCE
    newest: dict[int, StoredPrediction] = {}
    for prediction in page:
        newest.setdefault(prediction.number, prediction)
    facts = facts_of(work, repository.id, newest)
    spoken_of: list[ReviewItem] = []
    left: list[ReviewItem] = []
    for number, prediction in newest.items():
        if number in facts:
            acted, rest = _items(prediction, facts[number])
            spoken_of += acted
            left += rest
    return ReviewDay(
        since=since,
        before=before,
        predicted=work.predictions.count_since(repository.id, since),
        spoken_of=tuple(spoken_of),
        left=tuple(left),
        older=page[-1].at if more else None,
        failed=work.inbox.given_up(repository.full_name),
        unanswered=work.writes.count_unanswered([repository.id]).get(repository.id, 0),
        waiting=work.inbox.count_waiting(repository.full_name),
    )


def facts_of(work: UnitOfWork, repository_id: int, numbers: Iterable[int]) -> dict[int, IssueFacts]:
    """What the store knows of issues, in four queries however many they are."""
    wanted = tuple(numbers)
    issues = work.issues.of_numbers(repository_id, wanted)
    acts = work.labels.acts(repository_id, wanted)
    decisions = _by_issue(work.decisions.of_issues(repository_id, wanted))
    renames = work.labels.renames(repository_id)
    return {
        number: IssueFacts(issue, acts.get(number, ()), decisions.get(number, {}), renames)
        for number, issue in issues.items()
    }


def item_of(work: UnitOfWork, repository_id: int, number: int, label: str) -> ReviewItem | None:
    """One label of an issue by its newest prediction; None where there is none of it."""
    prediction = work.predictions.latest(repository_id, number)
    facts = facts_of(work, repository_id, [number]).get(number)
    if prediction is None or facts is None:
        return None
    for predicted in prediction.labels:
        present = facts.renames.get(name_key(predicted.name), predicted.name)
        if name_key(present) == name_key(label):
            return review_item(predicted, facts, prediction.at)
    return None


def _items(
    prediction: StoredPrediction, facts: IssueFacts
) -> tuple[list[ReviewItem], list[ReviewItem]]:
    """What the bot spoke of; and, where it spoke of nothing, the likeliest label it left."""
    acted = [label for label in prediction.labels if deed_of(label) != "left"]
    if acted:
        return [review_item(label, facts, prediction.at) for label in _in_order(acted)], []
    likeliest = prediction.labels[:1]
    return [], [review_item(label, facts, prediction.at) for label in likeliest]


def _in_order(labels: Sequence[PredictedLabel]) -> list[PredictedLabel]:
    """What was done before what would have been done."""
    return sorted(labels, key=lambda label: label.action not in {"set", "suggested"})


def _by_issue(
    decisions: Mapping[tuple[int, str], StoredDecision],
) -> dict[int, dict[str, StoredDecision]]:
    by_issue: dict[int, dict[str, StoredDecision]] = {}
    for (number, key), decision in decisions.items():
        by_issue.setdefault(number, {})[key] = decision
    return by_issue
