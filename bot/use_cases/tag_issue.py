"""Tags one issue: scores it, looks at GitHub again, decides, writes, and records all of it.

What the bot is about to write is put down first (`store.writes`), so that after a crash the same
additive write is repeated, which changes nothing, and `undo` knows of it. Prediction, writes and
the delivery's end are one transaction.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.use_cases import writing
from bot.use_cases.actors import is_own
from bot.use_cases.configuration import current_configuration
from bot.use_cases.desk import Ending, repository_of, sender_of
from bot.use_cases.job import Job, Subject
from bot.use_cases.look import look_again, not_looked
from bot.use_cases.policy import may_write, plan
from bot.use_cases.suggesting import look_at_suggestions
from store.records import PredictedLabel, PredictionRecord
from store.text import name_key
from tagger.decision import Policy
from tagger.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.configuration import RepositoryConfiguration
    from bot.release_shelf import OnShelf
    from bot.use_cases.desk import Desk
    from bot.use_cases.look import Look
    from bot.use_cases.policy import Plan
    from store.records import ClaimedDelivery, StoredIssue
    from tagger.decision import LabelDecision

log = logging.getLogger(__name__)


async def tag_issue(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """Do what `issues` opened, reopened or edited asks for.

    :raises GitHubError: GitHub could not be asked; nothing is lost, the delivery runs again.
    :raises ReleaseDamaged: the active release cannot be loaded.
    :raises LeaseLost: the delivery is no longer ours; nothing was recorded.
    """
    subject = await asyncio.to_thread(subject_of, desk, claim)
    if subject is None:
        return await desk.ignore(claim, "the issue is no longer in this repository")
    if is_own(sender_of(claim), await desk.own_login()):
        return await desk.ignore(claim, "the bot did this itself")
    now = desk.clock()
    client = await desk.client(claim, subject.repository)
    configuration = await current_configuration(desk.store, client, subject.repository, now)
    configuration = configuration.renamed(subject.renames)
    due_at = claim.received_at + timedelta(seconds=configuration.delay_seconds)
    if now < due_at:
        return await desk.postpone(claim, due_at, "delay_seconds have not passed")
    if why := left_alone(configuration, subject.issue, now):
        return await desk.ignore(claim, why)
    shelved = await asyncio.to_thread(desk.shelf.active, subject.repository.id)
    if shelved is None:
        name = subject.repository.full_name
        return await desk.ignore(claim, f"no release yet: run issue-tagger retrain {name}")
    return await _tag(Job(desk, claim, subject, configuration, client), shelved)


def left_alone(
    configuration: RepositoryConfiguration, issue: StoredIssue, now: datetime
) -> str | None:
    """Why an issue is not even scored, or None where it is."""
    if issue.is_pull_request:
        return "pull requests are not tagged"
    if issue.memory.get("off"):
        return "somebody told the bot to leave this issue alone"
    if configuration.mode == "off" and not any(
        one.mode not in {None, "off"} for one in configuration.labels.values()
    ):
        return "mode is off"
    why = configuration.ignores(
        author=issue.author or "",
        title=issue.title,
        labels=issue.labels,
        created_at=issue.created_at,
        now=now,
    )
    return f"ignored: {why}" if why else None


async def _tag(job: Job, shelved: OnShelf) -> Ending:
    decisions = await asyncio.to_thread(_score, job, shelved)

    def planned_after(look: Look) -> Plan:
        return plan(decisions, job.configuration, look.situation, job.subject.renames)

    look = not_looked("no write is possible")
    if job.client is not None and _may_write_any(job, decisions):
        look = await look_again(job, job.client)
        if planned_after(look).to_suggest:
            look = await look_at_suggestions(job, job.client, look)
    planned = planned_after(look)
    written = await writing.carry_out(job, look, planned)
    await asyncio.to_thread(_record, job, shelved, decisions, written)
    _tell(job, decisions, planned, written)
    return Ending("done")


def _may_write_any(job: Job, decisions: Sequence[LabelDecision]) -> bool:
    """Whether it could come to a write at all: a shadow asks GitHub for nothing.

    An attempt after the first looks in any case: the one before may have written.
    """
    configuration = job.configuration
    wanted = [
        one.name
        for one in decisions
        if one.decision != "abstain" or configuration.fallback_label is not None
    ]
    return job.claim.attempts > 1 or may_write(configuration, wanted)


def subject_of(desk: Desk, claim: ClaimedDelivery) -> Subject | None:
    repository = repository_of(desk, claim)
    if repository is None or claim.issue_number is None:
        return None
    with desk.store.read() as work:
        issue = work.issues.find(repository.id, claim.issue_number)
        renames = work.labels.renames(repository.id)
    return None if issue is None else Subject(repository, issue, renames)


def _score(job: Job, shelved: OnShelf) -> tuple[LabelDecision, ...]:
    issue, configuration = job.subject.issue, job.configuration
    labels = shelved.release.names
    edited = job.claim.action == "edited"
    text = (issue.title, issue.body) if edited else (issue.filed_title, issue.filed_body)
    began = time.perf_counter()
    asked = policy_for(configuration, labels, job.subject.renames)
    decisions = shelved.release.tag([IssueText.of(*text)], asked)
    job.desk.metrics.tagging_seconds.observe(time.perf_counter() - began)
    return tuple(decisions[0])


def policy_for(
    configuration: RepositoryConfiguration,
    labels: Sequence[str],
    renames: Mapping[str, str] | None = None,
) -> Policy:
    """What the configuration asks of decisions, in the release's own spelling of its labels.

    :param renames: folded former name → present name, in which the configuration speaks.
    """
    present = {label: (renames or {}).get(name_key(label), label) for label in labels}
    spelled = {now.casefold(): label for label, now in present.items()}
    groups = (
        tuple(spelled[name.casefold()] for name in group if name.casefold() in spelled)
        for group in configuration.exclusive
    )
    return Policy(
        default_precision=configuration.precision,
        precision={label: configuration.precision_for(now) for label, now in present.items()},
        exclusive=tuple(group for group in groups if len(group) > 1),
    )


def _record(
    job: Job,
    shelved: OnShelf,
    decisions: Sequence[LabelDecision],
    written: writing.Written,
) -> None:
    """Everything that came of the delivery, in one transaction with its end."""
    desk, subject, now = job.desk, job.subject, job.desk.clock()
    prediction = PredictionRecord(
        repository_id=subject.repository.id,
        number=subject.issue.number,
        release=shelved.id,
        at=now,
        mode=str(job.configuration.mode),
        labels=tuple(predicted(decision) for decision in decisions),
        delivery_id=job.claim.id,
    )
    with desk.store.begin() as work:
        writing.record(work, job, written, now)
        work.predictions.record(prediction)
        work.inbox.finish(job.claim, now)


def predicted(decision: LabelDecision) -> PredictedLabel:
    """A decision as the store keeps it."""
    told = decision.as_json()
    return PredictedLabel(
        name=decision.name,
        score=decision.score,
        cut=decision.cut,
        decision=decision.decision,
        decided_by=decision.decided_by,
        votes=told["votes"],
        neighbours=tuple(told["neighbours"]),
    )


def _tell(
    job: Job, decisions: Sequence[LabelDecision], planned: Plan, written: writing.Written
) -> None:
    for decision in decisions:
        job.desk.metrics.decisions.labels(decision.name, decision.decision).inc()
    for mark in written.marks:
        job.desk.metrics.writes.labels(mark.write.form, mark.state).inc()
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
