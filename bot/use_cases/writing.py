"""Writes a plan to GitHub: put down as intended first, carried out, and told apart afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.use_cases.label_writes import set_labels, take_off
from bot.use_cases.look import still_holds
from bot.use_cases.receive import issue_record
from bot.use_cases.suggesting import COMMENT_KEPT_AS, suggest
from bot.use_cases.yielding import Settled, amends, settle
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.models import Issue
    from bot.use_cases.job import Job
    from bot.use_cases.look import Look
    from bot.use_cases.policy import Plan
    from store.records import LabelAction, Write, WriteForm, WriteState
    from store.unit_of_work import UnitOfWork


REJECTED = "the issue's text speaks against it now"


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


async def carry_out(job: Job, look: Look, planned: Plan) -> Written:
    """Ask GitHub for what is planned; what an earlier attempt did is found again, not repeated.

    What GitHub refuses for good is left, and what else was planned goes out all the same.

    :raises LookAgain: what was planned by holds no more.
    :raises GitHubError: nothing is recorded but the intention; the next attempt goes on from it.
    """
    client = job.client
    if client is None or look.issue is None:
        return Written()
    run_id: int | None = next(iter(look.own_runs), None)
    intended: tuple[Write, ...] = ()
    if planned.to_apply or planned.fallback or (planned.to_suggest and look.form):
        run_id, intended = await asyncio.to_thread(_intend, job, look, planned)
    labels = [write for write in intended if write.form == "label" and _is_to_be_set(write)]
    marks = await _set(job, client, look, labels, planned.rejected)
    marks += _forgotten(look, intended)
    suggested = [write for write in intended if write.form != "label"]
    comment_id = ""
    if suggested:
        comment_id, refused = await suggest(job, client, look, planned.to_suggest)
        state: WriteState = "left" if refused else "written"
        marks += [Mark(write, state, refused, comment_id or None) for write in suggested]
    return Written(tuple(marks), run_id, look.issue, comment_id)


async def make_way(job: Job, client: GitHubClient, look: Look) -> Written:
    """Take the bot's labels off again that have to step aside for what is on the issue now."""
    if look.issue is None:
        return Written()
    return Written(tuple(await _set(job, client, look, (), frozenset())), None, look.issue)


def record(work: UnitOfWork, job: Job, written: Written, now: datetime) -> None:
    """Put down what was done; within the transaction that ends the delivery."""
    repository_id = job.subject.repository.id
    if written.issue is not None:
        work.issues.upsert(repository_id, [issue_record(written.issue, now)])
    for mark in written.marks:
        work.writes.mark(
            mark.write.id, mark.state, now, reason=mark.reason, external_id=mark.external_id
        )
    if written.run_id is not None and job.run_id is None:
        work.writes.close_run(written.run_id, now)
    if written.comment_id:
        work.issues.remember(job.subject.issue.id, COMMENT_KEPT_AS, int(written.comment_id))


def actions_of(written: Written) -> dict[str, LabelAction]:
    """What was done about labels, by folded name; the others were left alone."""
    done: dict[str, LabelAction] = {}
    for mark in written.marks:
        if mark.state in {"written", "undone"}:
            done[name_key(mark.write.label)] = "set" if mark.write.form == "label" else "suggested"
    return done


def _intend(job: Job, look: Look, planned: Plan) -> tuple[int, tuple[Write, ...]]:
    """Put down what is about to be asked, in a run that an earlier attempt may have begun."""
    labels = [choice.label for choice in planned.to_apply]
    labels += [planned.fallback] if planned.fallback else []
    suggested = [choice.label for choice in planned.to_suggest] if look.form else []
    now = job.desk.clock()
    with job.desk.store.begin() as work:
        still_holds(work, job, look, [*labels, *suggested])
        if job.lease is not None:
            job.lease.renew(work)
        repository_id = job.subject.repository.id
        run_id = job.run_id
        if run_id is None:
            run_id = work.writes.open_run(
                repository_id, "webhook", now, delivery_id=job.delivery_id
            ).id
        writes = work.writes.intend(run_id, job.number, labels, now)
        if look.form is not None:
            writes += work.writes.intend(run_id, job.number, suggested, now, form=look.form)
    return run_id, writes


async def _set(
    job: Job,
    client: GitHubClient,
    look: Look,
    writes: Sequence[Write],
    rejected: frozenset[str],
) -> list[Mark]:
    """Add labels, and give way to whoever acted in the same moment, or chose otherwise since.

    What an earlier attempt at this delivery added is looked after as well.

    :param rejected: folded labels of the bot's own that go before.
    """
    standing = {name_key(write.label): write for write in _standing(look)}
    earlier = [write for write in look.writes if _is_left_over(write, look, "label")]
    for key in rejected & standing.keys():
        await take_off(job, client, standing[key], REJECTED)
        standing[key] = replace(standing[key], reason=REJECTED)
    refused = await set_labels(job, client, look, writes) if writes else {}
    fresh = {name_key(write.label): write for write in (*earlier, *writes)}
    mine = standing | fresh
    names = look.labels.names
    if not fresh and not rejected and not list(amends(mine, look.acts, job.configuration, names)):
        return []
    settled = await settle(job, client, look, mine, fresh.keys())
    added = {write.id for write in writes if write.id not in refused}
    return [
        mark
        for key, write in mine.items()
        for mark in _marks(key, write, settled, just_added=write.id in added)
        if write.id not in refused
    ] + [Mark(write, "left", refused[write.id]) for write in writes if write.id in refused]


def _marks(key: str, write: Write, settled: Settled, *, just_added: bool = False) -> list[Mark]:
    """What to put down about one label once all is settled."""
    if key in settled.restored:
        return [Mark(write, "left", "a person set it")]
    last, person = settled.acts.last.get(key), settled.acts.people.get(key)
    took_off = last is not None and last.kind == "self" and last.action == "removed"
    # What an earlier attempt took off and could not record has kept its reason.
    if why := settled.undone.get(key) or (write.reason if took_off else ""):
        return [Mark(write, "written"), Mark(write, "undone", why)]
    if write.state != "intended" and not write.is_being_taken_back:
        return []
    if person == "added" and last is not None and last.kind != "self":
        return [Mark(write, "left", "a person set it")]
    if just_added or (last is not None and last.kind == "self" and last.action == "added"):
        return [Mark(write, "written")]
    return [Mark(write, "left", "it is no longer wanted")]


def _is_left_over(write: Write, look: Look, form: WriteForm) -> bool:
    """Whether an earlier attempt at this delivery meant it, and ended before it was recorded."""
    return write.state == "intended" and write.form == form and write.run_id in look.own_runs


def _is_to_be_set(write: Write) -> bool:
    return write.state == "intended" and not write.is_being_taken_back


def _forgotten(look: Look, intended: Sequence[Write]) -> list[Mark]:
    """What became of suggestions that an earlier attempt made, or meant to."""
    now_meant = {write.id for write in intended}
    marks = []
    for write in look.writes:
        if write.id in now_meant or not _is_left_over(write, look, "suggestion"):
            continue
        there = name_key(write.label) in look.situation.pending
        reason = "" if there else "it is not among the suggestions"
        marks.append(Mark(write, "written" if there else "left", reason))
    return marks


def _standing(look: Look) -> list[Write]:
    """The bot's own labels that are on the issue."""
    return [
        write
        for write in look.writes
        if write.form == "label"
        and write.state == "written"
        and name_key(write.label) in look.situation.on_issue
    ]
