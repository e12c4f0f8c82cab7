"""Why: everything about one issue's labels, from the first prediction to what people said since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.advising.advisor import advice_on
from bot.errors import CommandRefused
from bot.labelling.explanations import decision_of
from bot.reviewing.review_items import IssueFacts, ReviewItem, review_item
from bot.reviewing.today import facts_of

if TYPE_CHECKING:
    from bot.advising.advice import Advice
    from store.records import (
        LabelEvent,
        Repository,
        StoredIssue,
        StoredPrediction,
        Write,
    )
    from store.unit_of_work import UnitOfWork
    from tagger.domain.decision import LabelDecision

MAX_PREDICTIONS = 10
MAX_EVENTS = 200


@dataclass(frozen=True)
class ExplainedIssue:
    """An issue with all that was said of its labels.

    :ivar items: every label by the newest prediction, by falling probability; empty where nothing
        was predicted yet.
    :ivar decisions: the same with members' votes and precedents, in the same order.
    :ivar predictions: the newest ones, the newest first.
    :ivar advice: what was last said beside the labels.
    :ivar original: the likely original that it names; None: it names none that is still there.
    :ivar history: who set and took off what, the oldest first.
    """

    issue: StoredIssue
    facts: IssueFacts
    items: tuple[ReviewItem, ...]
    decisions: tuple[LabelDecision, ...]
    predictions: tuple[StoredPrediction, ...]
    history: tuple[LabelEvent, ...]
    writes: tuple[Write, ...]
    advice: Advice
    original: StoredIssue | None


def explain(work: UnitOfWork, repository: Repository, number: int) -> ExplainedIssue:
    """Read it all.

    :raises CommandRefused: the issue is not stored.
    """
    facts = facts_of(work, repository.id, [number]).get(number)
    if facts is None:
        raise CommandRefused(f"{repository.full_name} has no issue #{number} here")
    predictions = work.predictions.list(repository.id, number=number, limit=MAX_PREDICTIONS)
    newest = predictions[0] if predictions else None
    labels = newest.labels if newest else ()
    advice = advice_on(work, repository.id, number)
    duplicate = advice.duplicate
    return ExplainedIssue(
        issue=facts.issue,
        facts=facts,
        items=tuple(review_item(label, facts, newest.at) for label in labels) if newest else (),
        decisions=tuple(map(decision_of, labels)),
        predictions=predictions,
        history=work.labels.history(repository.id, number)[-MAX_EVENTS:],
        writes=work.writes.list(repository_id=repository.id, number=number),
        advice=advice,
        original=work.issues.find(repository.id, duplicate.number) if duplicate else None,
    )
