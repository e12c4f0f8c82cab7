"""Writes a plan to GitHub: put down as intended first, carried out, and told apart afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.use_cases.look import people_since
from bot.use_cases.receive import issue_record
from bot.use_cases.suggesting import COMMENT_KEPT_AS, suggest
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.models import Issue, Label
    from bot.use_cases.job import Job
    from bot.use_cases.look import Look
    from bot.use_cases.policy import Plan
    from store.records import Action, Write, WriteState
    from store.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Mark:
    """What became of one write."""

    write: Write
    state: WriteState
    reason: str = ""
    external_id: str | None = None


@dataclass(frozen=True)
class Written:
    """All that a job did on GitHub, to be recorded in one transaction.

    :ivar issue: the issue as it is now; None where GitHub was not looked at.
    """

    marks: tuple[Mark, ...] = ()
    run_id: int | None = None
    issue: Issue | None = None
    comment_id: str = ""


@dataclass
class _Progress:
    labels: Sequence[Label]
    marks: list[Mark] = field(default_factory=list)
    comment_id: str = ""


async def carry_out(job: Job, look: Look, planned: Plan) -> Written:
    """Ask GitHub for what is planned; what an earlier attempt did is found again, not repeated.

    :raises GitHubError: nothing is recorded but the intention; the next attempt goes on from it.
    """
    client = job.client
    if client is None or look.issue is None:
        return Written()
    done = _Progress(look.issue.labels)
    run_id: int | None = next(iter(look.own_runs), None)
    intended: tuple[Write, ...] = ()
    if planned.to_apply or planned.fallback or (planned.to_suggest and look.form):
        run_id, intended = await asyncio.to_thread(_intend, job, look, planned)
    done.marks += _left_over(look, intended)
    for write in _set_against_a_person(look):
        await _take_back(job, client, write, "a person removed it", done)
    labels = [write for write in intended if write.form == "label" and write.state == "intended"]
    if labels:
        await _set(job, client, look, labels, done)
    suggested = [write for write in intended if write.form != "label"]
    if suggested:
        done.comment_id = await suggest(job, client, look, planned.to_suggest)
        done.marks += [Mark(one, "written", "", done.comment_id or None) for one in suggested]
    issue = look.issue.model_copy(update={"labels": tuple(done.labels)})
    return Written(tuple(done.marks), run_id, issue, done.comment_id)


def record(work: UnitOfWork, job: Job, written: Written, now: datetime) -> None:
    """Put down what was done; within the transaction that ends the delivery."""
    repository_id = job.subject.repository.id
    if written.issue is not None:
        work.issues.upsert(repository_id, [issue_record(written.issue, now)])
    for mark in written.marks:
        work.writes.mark(
            mark.write.id, mark.state, now, reason=mark.reason, external_id=mark.external_id
        )
    if written.run_id is not None:
        work.writes.close_run(written.run_id, now)
    if written.comment_id:
        work.issues.remember(job.subject.issue.id, COMMENT_KEPT_AS, int(written.comment_id))


def _intend(job: Job, look: Look, planned: Plan) -> tuple[int, tuple[Write, ...]]:
    """Put down what is about to be asked, in a run that an earlier attempt may have begun."""
    labels = [choice.label for choice in planned.to_apply]
    labels += [planned.fallback] if planned.fallback else []
    now = job.desk.clock()
    with job.desk.store.begin() as work:
        repository_id = job.subject.repository.id
        run = work.writes.open_run(repository_id, "webhook", now, delivery_id=job.claim.id)
        writes = work.writes.intend(run.id, job.number, labels, now)
        if look.form is not None:
            suggested = [choice.label for choice in planned.to_suggest]
            writes += work.writes.intend(run.id, job.number, suggested, now, form=look.form)
    return run.id, writes


def _left_over(look: Look, intended: Iterable[Write]) -> list[Mark]:
    """What became of writes that an earlier attempt meant and this one does not mean any more."""
    now_meant = {write.id for write in intended}
    return [
        Mark(write, *_fate(write, look))
        for write in look.writes
        if write.state == "intended" and write.id not in now_meant and write.run_id in look.own_runs
    ]


def _set_against_a_person(look: Look) -> list[Write]:
    """What an attempt that ended early set although a person had removed it in that moment."""
    return [
        write
        for write in look.writes
        if write.state == "intended"
        and write.form == "label"
        and write.run_id in look.own_runs
        and name_key(write.label) in look.situation.on_issue
        and look.people.get(name_key(write.label)) == "removed"
    ]


def _fate(write: Write, look: Look) -> tuple[WriteState, str]:
    key = name_key(write.label)
    if write.form == "suggestion":
        there = key in look.situation.pending
        return ("written", "") if there else ("left", "it is not among the suggestions")
    if key not in look.situation.on_issue:
        return "left", "it is no longer wanted"
    if look.people.get(key) == "added":
        return "left", "a person set it"
    return "written", ""


async def _set(
    job: Job, client: GitHubClient, look: Look, writes: Sequence[Write], done: _Progress
) -> None:
    """Add labels; then look once more, and yield to whoever acted in the same moment."""
    names = [write.label for write in writes]
    done.labels = await client.add_labels(job.full_name, job.number, names)
    done.marks += [Mark(write, "written") for write in writes]
    new = {name_key(one.name) for one in done.labels} - look.situation.on_issue
    chosen = new - {name_key(name) for name in names}
    people = await people_since(job, client, look, writes)
    for write in writes:
        rivals = chosen & frozenset(map(name_key, job.configuration.exclusive_with(write.label)))
        if rivals:
            await _take_back(job, client, write, f"a person chose {min(rivals)}", done)
        elif people.get(name_key(write.label)) == "removed":
            await _take_back(job, client, write, "a person removed it", done)
        elif chosen and _is_fallback(job, write):
            await _take_back(job, client, write, "a label arrived", done)
    if not all(_is_fallback(job, write) for write in writes):
        for write in _fallback_writes(job, look, people):
            await _take_back(job, client, write, "another label was set", done)


async def _take_back(
    job: Job, client: GitHubClient, write: Write, reason: str, done: _Progress
) -> None:
    await client.remove_label(job.full_name, job.number, write.label)
    done.marks.append(Mark(write, "undone", reason))
    key = name_key(write.label)
    done.labels = [one for one in done.labels if name_key(one.name) != key]


def _is_fallback(job: Job, write: Write) -> bool:
    fallback = job.configuration.fallback_label
    return fallback is not None and name_key(write.label) == name_key(fallback)


def _fallback_writes(job: Job, look: Look, people: Mapping[str, Action]) -> list[Write]:
    """The bot's own fallback label on the issue, unless a person set it too."""
    key = name_key(job.configuration.fallback_label or "")
    if key not in look.situation.on_issue or people.get(key) == "added":
        return []
    return [
        write
        for write in look.writes
        if name_key(write.label) == key and write.form == "label" and write.state == "written"
    ]


async def remove_fallback(job: Job, client: GitHubClient, look: Look) -> Written:
    """Take the fallback label off again now that the issue has a label."""
    done = _Progress(labels=look.issue.labels if look.issue else ())
    for write in _fallback_writes(job, look, look.people):
        await _take_back(job, client, write, "a label arrived", done)
    issue = look.issue and look.issue.model_copy(update={"labels": tuple(done.labels or ())})
    return replace(Written(), marks=tuple(done.marks), issue=issue)
