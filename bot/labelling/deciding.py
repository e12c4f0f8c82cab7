"""From scores to deeds: looks at GitHub again, decides, asks, writes, and records all of it.

What the bot is about to write is put down first (`store.writes`), so that after a crash the same
additive write is repeated, which changes nothing, and `undo` knows of it. Prediction, writes and
the delivery's end are one transaction.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import SnapshotOutdated
from bot.labelling import writing
from bot.labelling.assignee import may_suggest_assignee, suggest_assignee
from bot.labelling.issue_lease import issue_lease
from bot.labelling.policy import LabellingContext, may_write, plan, reconsidered
from bot.labelling.questions import DAYS_COMPARED, Asking, Drawing, QuestionContext, ask
from bot.labelling.snapshot import look_again
from bot.labelling.suggesting import look_at_suggestions
from store.engine.text import name_key
from store.records import PredictedLabel, PredictionRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.policy import Plan
    from bot.labelling.snapshot import Snapshot
    from store.database import Store
    from store.records import LabelAction
    from tagger.domain.decision import LabelDecision

log = logging.getLogger(__name__)

MANY = 200
"""Issues tagged from which on what questions are weighed by is read anew only now and then."""

MAX_LOOKS = 3
"""Each but the first means that somebody acted between a look and its write."""


async def act_on(
    job: IssueJob, release_id: str, decisions: Sequence[LabelDecision], *, may_ask: bool = True
) -> Asking:
    """Do what the decisions on the job's issue ask for, and end its delivery, where it has one.

    :param may_ask: whether the audit and the weekly budget may ask people about the issue.
    :returns: what was planned right before the write.
    :raises IssueBusy: another writer has the issue in hand.
    :raises LookAgain: whatever was seen did not hold for as long as a write takes.
    :raises GitHubError: nothing is recorded but the intention; the next attempt goes on from it.
    """
    planning, first = await _plan_at_best(job, decisions, may_ask=may_ask)
    client, written = job.client, writing.Written()
    # A shadow asks GitHub for nothing; a second attempt may find writes of the first.
    if client is None or not (
        first.plan.writes
        or may_suggest_assignee(job)
        or job.was_tried
        or await asyncio.to_thread(may_have_written, job)
    ):
        await asyncio.to_thread(_record, job, release_id, decisions, first, written)
        _tell(job, decisions, first.plan, written)
        return first
    async with issue_lease(job.context, job.subject.repository.id, job.number) as lease:
        job, asking, written = await _write(replace(job, lease=lease), client, planning)
        await asyncio.to_thread(_record, job, release_id, decisions, asking, written)
    _tell(job, decisions, asking.plan, written)
    return asking


async def _plan_at_best(
    job: IssueJob, decisions: Sequence[LabelDecision], *, may_ask: bool
) -> tuple[_Planning, Asking]:
    """What would be done if every label could be set, and what further plans are made from."""
    can_ask, best = job.client is not None, _at_best(job, decisions)
    standing = await asyncio.to_thread(_standing, job, decisions) if may_ask else None
    planning = _Planning(decisions, standing)
    asking = planning.ask(job, best, can_ask=can_ask)
    if any(drawing.drawn == "budget" for drawing in asking.drawings.values()):
        # a moment ago it was there to be spent: few questions are asked, so look again
        standing = await asyncio.to_thread(_standing, job, decisions, anew=True)
        planning = _Planning(decisions, standing)
        asking = planning.ask(job, best, can_ask=can_ask)
    return planning, asking


def predicted(
    decision: LabelDecision, drawing: Drawing | None = None, action: LabelAction = "none"
) -> PredictedLabel:
    """A decision, and what was done about it, as the store keeps it."""
    document = decision.as_json()
    return PredictedLabel(
        name=decision.name,
        score=decision.score,
        cut=decision.cut,
        decision=decision.decision,
        decided_by=decision.decided_by,
        votes=document["votes"],
        neighbours=tuple(document["neighbours"]),
        drawn=drawing.drawn if drawing else None,
        action=action,
        inclusion=drawing.inclusion if drawing else None,
    )


@dataclass(frozen=True)
class _Planning:
    """What is planned from, but for the situation.

    :ivar standing: what questions are weighed by; None: people are not asked.
    """

    decisions: Sequence[LabelDecision]
    standing: QuestionContext | None

    def ask(self, job: IssueJob, situation: LabellingContext, *, can_ask: bool = True) -> Asking:
        renames, rules = job.subject.renames, job.configuration
        if job.by_present_text:
            situation = reconsidered(self.decisions, rules, situation, renames)
        planned = plan(self.decisions, rules, situation, renames)
        if self.standing is None:
            return Asking(planned)
        issue = job.subject.repository.id, job.number
        return ask(planned, rules, situation, self.standing, issue, can_ask=can_ask)


async def _write(
    job: IssueJob, client: GitHubClient, planning: _Planning
) -> tuple[IssueJob, Asking, writing.Written]:
    """Look, plan and write; where what was seen does not hold, all of it again."""
    for attempt in range(MAX_LOOKS):
        try:
            job, snapshot, asking = await _look_and_plan(job, client, planning, again=attempt > 0)
            written = await writing.carry_out(job, snapshot, asking.plan)
        except SnapshotOutdated as error:
            log.info("looked again", extra={"reason": str(error)})
            last = error
        else:
            await suggest_assignee(job, client, snapshot)
            return job, asking, written
    raise last


async def _look_and_plan(
    job: IssueJob, client: GitHubClient, planning: _Planning, *, again: bool
) -> tuple[IssueJob, Snapshot, Asking]:
    """See how it stands on GitHub, and plan for that."""
    job, snapshot = await look_again(job, client, again=again)
    asking = planning.ask(job, snapshot.situation)
    if asking.plan.to_suggest or (asking.plan.writes and _has_suggested(snapshot)):
        snapshot = await look_at_suggestions(job, client, snapshot)
        asking = planning.ask(job, snapshot.situation, can_ask=snapshot.form is not None)
    return job, snapshot, asking


def may_have_written(job: IssueJob) -> bool:
    """Whether an attempt that was handed back, or set going again, began to write."""
    repository_id = job.subject.repository.id
    with job.context.store.read() as work:
        left = work.writes.list(repository_id=repository_id, number=job.number, state="intended")
    return bool(left)


def _has_suggested(snapshot: Snapshot) -> bool:
    """Whether people may have turned down an earlier suggestion, of which only GitHub tells.

    What an attempt that was killed meant to set may be held back as one.
    """
    return any(
        write.form == "suggestion"
        or (write.state == "intended" and write.run_id in snapshot.own_runs)
        for write in snapshot.writes
    )


def _at_best(job: IssueJob, decisions: Sequence[LabelDecision]) -> LabellingContext:
    """An issue and a repository in which every label could be set."""
    renames = job.subject.renames
    names = [renames.get(name_key(decision.name), decision.name) for decision in decisions]
    if job.configuration.fallback_label:
        names.append(job.configuration.fallback_label)
    return LabellingContext({name_key(name): name for name in names})


def _standing(
    job: IssueJob, decisions: Sequence[LabelDecision], *, anew: bool = False
) -> QuestionContext | None:
    """What questions are weighed by; None where people are not to be asked anything.

    Reading it takes the longer the more was tagged in a month, so it may be a moment old.

    :param anew: it may not.
    """
    learning, now = job.configuration.learning, job.context.clock()
    asks = learning.audit_share > 0 or learning.weekly_suggestions > 0
    if not asks or not may_write(job.configuration, [decision.name for decision in decisions]):
        return None
    repository_id, with_budget = job.subject.repository.id, learning.weekly_suggestions > 0
    read = partial(_read_standing, job.context.store, repository_id, now, with_budget=with_budget)
    if anew:
        return read()
    key = repository_id, with_budget
    context: QuestionContext = job.context.question_contexts.get(
        key, now, read, lambda value: value.tagged >= MANY
    )
    return replace(context, now=now)


def _read_standing(
    store: Store, repository_id: int, now: datetime, *, with_budget: bool
) -> QuestionContext:
    since = now - timedelta(days=DAYS_COMPARED)
    with store.read() as work:
        tagged = work.predictions.count(repository_id)
        if not with_budget:
            return QuestionContext(now, tagged)
        return QuestionContext(
            now,
            tagged,
            work.questions.examples(repository_id),
            work.questions.asked(repository_id, since),
            work.questions.informativeness(repository_id, since),
        )


def _record(
    job: IssueJob,
    release_id: str,
    decisions: Sequence[LabelDecision],
    asking: Asking,
    written: writing.Written,
) -> None:
    """Everything that came of the job, in one transaction with its delivery's end."""
    context, subject, now = job.context, job.subject, job.context.clock()
    actions = _by_decision(asking.plan, writing.actions_of(written))
    prediction = PredictionRecord(
        repository_id=subject.repository.id,
        number=subject.issue.number,
        release=release_id,
        at=now,
        mode=str(job.configuration.mode),
        labels=tuple(
            predicted(
                decision, asking.drawings.get(decision.name), actions.get(decision.name, "none")
            )
            for decision in decisions
        ),
        delivery_id=job.delivery_id,
        inclusion=asking.inclusion,
        informativeness=asking.informativeness,
    )
    with context.store.begin() as work:
        if work.issues.find(subject.repository.id, job.number) is None:
            job.end(work, now)  # it was deleted meanwhile: nothing is kept of it
            return
        writing.record(work, job, written, now)
        work.predictions.record(prediction)
        job.end(work, now)


def _by_decision(planned: Plan, actions: Mapping[str, LabelAction]) -> dict[str, LabelAction]:
    """Actions by the release's names of the labels."""
    return {
        choice.decision.name: actions[choice.key]
        for choice in planned.choices
        if choice.key in actions
    }


def _tell(
    job: IssueJob, decisions: Sequence[LabelDecision], planned: Plan, written: writing.Written
) -> None:
    for decision in decisions:
        job.context.metrics.decided(decision.name, decision.decision)
    for mark in written.marks:
        job.context.metrics.writes.labels(*mark.outcome).inc()
    log.info(
        "tagged",
        extra={
            "repository": job.full_name,
            "issue": job.subject.issue.number,
            "applied": [choice.label for choice in planned.to_apply],
            "suggested": [choice.label for choice in planned.to_suggest],
            "fallback": planned.fallback,
        },
    )
