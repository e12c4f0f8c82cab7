"""What a person decides about a label, carried out at once and kept, and taken back again.

With a client the change is made on GitHub first, in the name of whom the client speaks for; what
GitHub refuses is not kept. Without one it holds here (`store.decisions`). A decision on a label is
asked for by issue and label, never by a number of ours: numbers would tell how many there are.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.configuration.effective import configuration_in
from bot.errors import CommandRefused
from bot.github.errors import Gone, Invalid, NotFound
from bot.github.labels import LabelSuggestion
from bot.labelling.type_writes import add_target, remove_target
from bot.receiving.repository_labels import labels_now
from store.engine.text import name_key
from store.records import DecisionRecord
from store.records.issue_fields import is_field, is_label
from store.records.issue_types import is_type, issue_type_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.models import Suggestion
    from store.database import Store
    from store.records import (
        Repository,
        ReviewEffect,
        ReviewOrigin,
        ReviewPlace,
        ReviewVerdict,
        StoredDecision,
        StoredIssue,
        TargetKind,
        WriteState,
    )
    from store.unit_of_work import UnitOfWork

Order = Literal["approve", "dismiss"]
_VERDICTS: dict[Order, ReviewVerdict] = {"approve": "approved", "dismiss": "dismissed"}


@dataclass(frozen=True)
class Person:
    """Who decides.

    :ivar client: acts on GitHub for them; None: GitHub is not told.
    """

    login: str
    client: GitHubClient | None = None


@dataclass(frozen=True)
class ReviewContext:
    """The repository that is decided about, and where decisions are kept."""

    store: Store
    repository: Repository
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class ReviewOrder:
    """What is to be done about one label."""

    number: int
    label: str
    order: Order
    origin: ReviewOrigin = "api"


async def decide(review: ReviewContext, person: Person, wanted: ReviewOrder) -> StoredDecision:
    """Carry a decision out and keep it; deciding the same again changes nothing.

    :raises NotStored: the issue is not stored.
    :raises CommandRefused: there is no such label, or the issue is gone.
    :raises GitHubError: GitHub did not do it; nothing is kept.
    """
    issue, label, before = await asyncio.to_thread(_look, review, wanted)
    if label is None and person.client is not None:
        there = await labels_now(review.store, person.client, review.repository, review.clock())
        label = there.names.get(name_key(wanted.label))
    if label is None:
        raise CommandRefused(f"{review.repository.full_name} has no label {wanted.label!r}")
    verdict = _VERDICTS[wanted.order]
    if before is not None and before.verdict == verdict:
        return before
    effect: ReviewEffect = "none"
    labels: tuple[str, ...] | None = None
    if person.client is not None:
        client = person.client.labelling(issue.target)
        effect, labels = await _on_github(review, client, issue, label, wanted.order)
    place: ReviewPlace = "github" if person.client is not None else "here"
    record = DecisionRecord(
        issue.number, label, verdict, wanted.origin, person.login, review.clock(), place, effect
    )
    return await asyncio.to_thread(_keep, review, record, labels, before)


async def undo(review: ReviewContext, person: Person, number: int, label: str) -> StoredDecision:
    """Take back the decision in force on a label; what it changed is as it was before.

    :raises CommandRefused: nothing was decided about it.
    :raises GitHubError: GitHub did not do it; the decision stands.
    """
    decision = await asyncio.to_thread(_in_force, review, number, label)
    if decision is None:
        raise CommandRefused(f"nothing was decided about {label!r} on issue #{number}")
    labels = None
    if decision.place == "github":
        if person.client is None:
            raise CommandRefused("there are no credentials for GitHub, where this was decided")
        client = person.client.labelling(await asyncio.to_thread(_target, review, number))
        labels = await _back_on_github(review, client, decision)
    return await asyncio.to_thread(_take_back, review, decision, labels)


async def _on_github(
    review: ReviewContext, client: GitHubClient, issue: StoredIssue, label: str, order: Order
) -> tuple[ReviewEffect, tuple[str, ...]]:
    """Make the change; the effect, and the labels that the issue has then."""
    name, number, key = review.repository.full_name, issue.number, name_key(label)
    try:
        there = await client.issue(name, number)
        present = {name_key(each): each for each in there.target_names}
        if order == "approve" and is_type(label) and there.type and key not in present:
            raise CommandRefused(
                f"issue #{number} has the type {there.type}; change it on GitHub if it is wrong"
            )
        if is_field(label) and (order == "approve") == (key not in present):
            raise CommandRefused(
                f"values of fields are set and cleared on GitHub; see issue #{number} there"
            )
        pending = None if key in present else await _pending(review, client, number, key)
        effect: ReviewEffect = "none"
        if pending is not None:
            await client.answer_suggestion(name, number, pending.id, approve=order == "approve")
            effect = "accepted" if order == "approve" else "turned down"
        elif order == "approve" and key not in present:
            await add_target(client, name, number, label)
            effect = "added"
        elif order == "dismiss" and key in present:
            await remove_target(client, name, number, present[key])
            effect = "removed"
    except (NotFound, Gone) as error:
        raise CommandRefused(f"GitHub has no issue #{number} in {name} any more") from error
    if effect in {"added", "accepted"}:
        present[key] = label
    elif effect == "removed":
        del present[key]
    return effect, tuple(filter(is_label, present.values()))


async def _pending(
    review: ReviewContext, client: GitHubClient, number: int, key: str
) -> Suggestion | None:
    """The suggestion of the label that waits on GitHub, where one does."""
    try:
        suggestions = await client.suggestions(review.repository.full_name, number, "pending")
    except NotFound:  # a repository without the feature
        return None
    if not suggestions:
        return None
    labels = await labels_now(review.store, client, review.repository, review.clock())
    if is_type(key):
        labels = labels.with_types(await client.issue_types(review.repository.full_name))
    return next((each for each in suggestions if labels.key_of(each) == key), None)


async def _back_on_github(
    review: ReviewContext, client: GitHubClient, decision: StoredDecision
) -> tuple[str, ...] | None:
    name, number, label = review.repository.full_name, decision.number, decision.label
    if decision.effect in {"added", "accepted"}:
        await remove_target(client, name, number, label)
    elif decision.effect == "removed":
        await add_target(client, name, number, label)
    elif decision.effect == "turned down":
        try:
            await _suggest_again(client, name, number, label)
        except Invalid:  # the feature was switched off meanwhile: there is nothing to bring back
            return None
    else:
        return None
    return tuple((await client.issue(name, number)).label_names)


async def _suggest_again(client: GitHubClient, name: str, number: int, label: str) -> None:
    if is_type(label):
        await client.suggest_type(name, number, LabelSuggestion(issue_type_of(label)))
    else:
        await client.suggest_labels(name, number, [LabelSuggestion(label)])


def _look(
    review: ReviewContext, wanted: ReviewOrder
) -> tuple[StoredIssue, str | None, StoredDecision | None]:
    """The issue, the label as the store spells it, and what was decided about it before."""
    key, repository = name_key(wanted.label), review.repository
    with review.store.read() as work:
        issue = work.issues.get(repository.id, wanted.number)
        decided = work.decisions.of_issues(repository.id, [wanted.number])
        names = {name_key(label.name): label.name for label in work.labels.list(repository.id)}
        configuration = configuration_in(work, repository)
        targets = (*issue.targets, *(configuration.type_targets if configuration else ()))
        names |= {name_key(name): name for name in targets}
        if configuration and configuration.label_rules.is_of_a_field(wanted.label):
            names.setdefault(key, wanted.label)
        if key not in names:  # imported without a list of labels
            names |= {name_key(name): name for name in work.issues.label_names(repository.id)}
    return issue, names.get(key), decided.get((wanted.number, key))


def _target(review: ReviewContext, number: int) -> TargetKind:
    with review.store.read() as work:
        return work.issues.get(review.repository.id, number).target


def _in_force(review: ReviewContext, number: int, label: str) -> StoredDecision | None:
    with review.store.read() as work:
        decided = work.decisions.of_issues(review.repository.id, [number])
    return decided.get((number, name_key(label)))


def _keep(
    review: ReviewContext,
    record: DecisionRecord,
    labels: tuple[str, ...] | None,
    before: StoredDecision | None,
) -> StoredDecision:
    with review.store.begin() as work:
        if before is not None:
            work.decisions.undo(before.id, record.at)
        if labels is not None:
            work.issues.set_labels(review.repository.id, record.number, labels)
        decision = work.decisions.record(review.repository.id, record)
        answered: WriteState = "approved" if record.verdict == "approved" else "dismissed"
        _mark_suggestions(work, decision, "written", answered, record.at)
        return decision


def _take_back(
    review: ReviewContext, decision: StoredDecision, labels: tuple[str, ...] | None
) -> StoredDecision:
    with review.store.begin() as work:
        undone = work.decisions.undo(decision.id, review.clock())
        if labels is not None:
            work.issues.set_labels(review.repository.id, decision.number, labels)
        if decision.effect != "turned down" or labels is not None:
            answered: WriteState = "approved" if decision.verdict == "approved" else "dismissed"
            _mark_suggestions(work, decision, answered, "written", review.clock())
        return undone


def _mark_suggestions(
    work: UnitOfWork, decision: StoredDecision, before: WriteState, after: WriteState, now: datetime
) -> None:
    """Suggestions of the label no longer wait for an answer, or do so again."""
    writes = work.writes.list(
        repository_id=decision.repository_id, number=decision.number, state=before
    )
    for write in writes:
        if write.form != "label" and name_key(write.label) == name_key(decision.label):
            work.writes.mark(write.id, after, now)
