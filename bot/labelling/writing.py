"""Writes a plan to GitHub: put down as intended first, carried out, and told apart afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.labelling.approvals import HELD
from bot.labelling.conflict_resolution import Resolution, corrections, settle
from bot.labelling.fallback_clearing import WHY as CLEARED
from bot.labelling.fallback_clearing import clear_fallback
from bot.labelling.label_writes import LabelAnswer, set_labels, take_back_of_before, take_off
from bot.labelling.rationales import reasoned
from bot.labelling.snapshot import still_holds
from bot.labelling.suggesting import suggest
from bot.receiving.deliveries import issue_record
from store.engine.text import name_key
from store.records.issue_types import is_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.labels import ReasonedLabel
    from bot.github.models import Issue
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.policy import LabelChoice, Plan
    from bot.labelling.snapshot import Snapshot
    from store.records import LabelAction, Write, WriteForm, WriteState
    from store.unit_of_work import UnitOfWork


_FORMS: tuple[WriteForm, ...] = ("suggestion", "comment")
"""Of suggestions, the comment's last: who may not comment may suggest all the same."""
REJECTED = "the issue's text speaks against it now"


@dataclass(frozen=True)
class WriteMark:
    """What became of one write.

    :ivar held: it was to set a label, and waits for a person as a suggestion does.
    """

    write: Write
    state: WriteState
    reason: str = ""
    external_id: str | None = None
    held: bool = False

    @classmethod
    def held_back(cls, write: Write) -> WriteMark:
        return cls(write, "left", HELD, held=True)

    @property
    def outcome(self) -> tuple[WriteForm, WriteState]:
        """As it counts: what is held back was suggested."""
        return ("suggestion", "written") if self.held else (self.write.form, self.state)


@dataclass(frozen=True)
class Written:
    """All that a job did on GitHub, to be recorded in one transaction.

    :ivar issue: the issue as it is now; None where GitHub was not looked at.
    """

    marks: tuple[WriteMark, ...] = ()
    run_id: int | None = None
    issue: Issue | None = None
    comment_id: str = ""


async def carry_out(job: IssueJob, snapshot: Snapshot, planned: Plan) -> Written:
    """Ask GitHub for what is planned; what an earlier attempt did is found again, not repeated.

    What GitHub refuses for good is left, and what else was planned goes out all the same.

    :raises LookAgain: what was planned by holds no more.
    :raises GitHubError: nothing is recorded but the intention; the next attempt goes on from it.
    """
    client = job.client
    if client is None or snapshot.issue is None:
        return Written()
    run_id: int | None = next(iter(snapshot.own_runs), None)
    intended: tuple[Write, ...] = ()
    if planned.to_apply or planned.fallback or _suggestible(snapshot, planned):
        run_id, intended = await asyncio.to_thread(_intend, job, snapshot, planned)
    labels = [write for write in intended if write.form == "label" and _is_to_be_set(write)]
    reasons = {choice.key: reasoned(choice) for choice in planned.to_apply}
    marks = await _set(job, client, snapshot, labels, planned.rejected, reasons)
    if run_id is not None and _has_set(marks):
        cleared = await clear_fallback(job, client, snapshot, run_id)
        marks += [WriteMark(cleared, "undone", CLEARED)] if cleared else []
    marks += _forgotten(snapshot, intended)
    comment_id = ""
    for form in _FORMS:
        choices = [
            choice
            for choice in _suggestible(snapshot, planned)
            if snapshot.form_of(choice.label) == form
        ]
        if choices:
            comment_id, refused = await suggest(job, client, snapshot, choices, form)
            state: WriteState = "left" if refused else "written"
            marks += [
                WriteMark(write, state, refused, comment_id or None)
                for write in intended
                if write.form == form
            ]
    return Written(tuple(marks), run_id, snapshot.issue, comment_id)


def _has_set(marks: Iterable[WriteMark]) -> bool:
    """Whether a label came to the issue, and stays there."""
    states = {mark.write.id: mark.state for mark in marks if not is_type(mark.write.label)}
    return "written" in states.values()


async def make_way(job: IssueJob, client: GitHubClient, snapshot: Snapshot) -> Written:
    """Take the bot's labels off again that have to step aside for what is on the issue now."""
    if snapshot.issue is None:
        return Written()
    return Written(tuple(await _set(job, client, snapshot)), None, snapshot.issue)


def record(work: UnitOfWork, job: IssueJob, written: Written, now: datetime) -> None:
    """Put down what was done; within the transaction that ends the delivery."""
    repository_id = job.subject.repository.id
    if written.issue is not None:
        work.issues.upsert(repository_id, [issue_record(written.issue, now)])
    for mark in written.marks:
        work.writes.mark(
            mark.write.id, mark.state, now, reason=mark.reason, external_id=mark.external_id
        )
        if mark.held:
            _record_suggestion(work, mark.write, now)
    if written.run_id is not None and job.run_id is None:
        work.writes.close_run(written.run_id, now)
    if written.comment_id:
        work.issues.set_suggestion_comment(job.subject.issue.id, int(written.comment_id))


def _record_suggestion(work: UnitOfWork, write: Write, now: datetime) -> None:
    """Let a label that is held back be answered, and forgotten, like any other suggestion."""
    ids = {name_key(write.label): write.external_id} if write.external_id else None
    suggestions = work.writes.intend(
        write.run_id, write.number, [write.label], now, form="suggestion", external_ids=ids
    )
    for suggestion in suggestions:
        work.writes.mark(suggestion.id, "written", now)


def actions_of(written: Written) -> dict[str, LabelAction]:
    """What was done about labels, by folded name; the others were left alone."""
    done: dict[str, LabelAction] = {}
    for mark in written.marks:
        form, state = mark.outcome
        if state in {"written", "undone"}:
            done[name_key(mark.write.label)] = "set" if form == "label" else "suggested"
    return done


def _intend(job: IssueJob, snapshot: Snapshot, planned: Plan) -> tuple[int, tuple[Write, ...]]:
    """Put down what is about to be asked, in a run that an earlier attempt may have begun."""
    labels = [choice.label for choice in planned.to_apply]
    labels += [planned.fallback] if planned.fallback else []
    suggested = [choice.label for choice in _suggestible(snapshot, planned)]
    now = job.context.clock()
    with job.context.store.begin() as work:
        still_holds(work, job, snapshot, [*labels, *suggested])
        if job.lease is not None:
            job.lease.renew(work)
        repository_id = job.subject.repository.id
        run_id = job.run_id
        if run_id is None:
            run_id = work.writes.open_run(
                repository_id, "webhook", now, delivery_id=job.delivery_id
            ).id
        ids = {key: str(label_id) for label_id, key in snapshot.labels.ids.items()}
        writes = work.writes.intend(run_id, job.number, labels, now, external_ids=ids)
        for form in _FORMS:
            some = [label for label in suggested if snapshot.form_of(label) == form]
            of_labels = ids if form == "suggestion" else None
            writes += work.writes.intend(
                run_id, job.number, some, now, form=form, external_ids=of_labels
            )
    return run_id, writes


def _suggestible(snapshot: Snapshot, planned: Plan) -> tuple[LabelChoice, ...]:
    """What is to be suggested, and can be here."""
    return tuple(choice for choice in planned.to_suggest if snapshot.form_of(choice.label))


async def _set(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    writes: Sequence[Write] = (),
    rejected: frozenset[str] = frozenset(),
    reasons: Mapping[str, ReasonedLabel] | None = None,
) -> list[WriteMark]:
    """Add labels, and give way to whoever acted in the same moment, or chose otherwise since.

    What an earlier attempt at this delivery added is looked after as well.

    :param rejected: folded labels of the bot's own that go before.
    :param reasons: by folded label, what GitHub is to show beside it.
    """
    standing = {name_key(write.label): write for write in _standing(snapshot)}
    earlier = [write for write in snapshot.writes if _is_left_over(write, snapshot, "label")]
    await take_back_of_before(job, client, snapshot, earlier)
    for key in rejected & standing.keys():
        await take_off(job, client, standing[key], REJECTED)
        standing[key] = replace(standing[key], reason=REJECTED)
    answer = await set_labels(job, client, snapshot, writes, reasons) if writes else LabelAnswer()
    refused, meant = answer.refused, {write.id: write for write in (*earlier, *writes)}
    held = answer.held | _pending(earlier, snapshot)
    waiting = [WriteMark.held_back(write) for write in meant.values() if write.id in held]
    fresh = {name_key(write.label): write for write in meant.values() if write.id not in held}
    own_writes = standing | fresh
    names = snapshot.labels.names
    if (
        not fresh
        and not rejected
        and not list(corrections(own_writes, snapshot.acts, job.configuration, names))
    ):
        return waiting
    settled = await settle(job, client, snapshot, own_writes, fresh.keys())
    added = {write.id for write in writes if write.id not in refused}
    left = [WriteMark(write, "left", refused[write.id]) for write in writes if write.id in refused]
    settled_marks = [
        mark
        for key, write in own_writes.items()
        for mark in _marks(key, write, settled, just_added=write.id in added)
        if write.id not in refused
    ]
    return settled_marks + left + waiting


def _marks(
    key: str, write: Write, settled: Resolution, *, just_added: bool = False
) -> list[WriteMark]:
    """What to put down about one label once all is settled."""
    if key in settled.restored:
        return [WriteMark(write, "left", "a person set it")]
    last, person = settled.acts.last.get(key), settled.acts.people.get(key)
    took_off = last is not None and last.kind == "self" and last.action == "removed"
    # What an earlier attempt took off and could not record has kept its reason.
    if why := settled.undone.get(key) or (write.reason if took_off else ""):
        return [WriteMark(write, "written"), WriteMark(write, "undone", why)]
    if write.state != "intended" and not write.is_being_taken_back:
        return []
    if person == "added" and last is not None and last.kind != "self":
        return [WriteMark(write, "left", "a person set it")]
    if just_added or (last is not None and last.kind == "self" and last.action == "added"):
        return [WriteMark(write, "written")]
    return [WriteMark(write, "left", "it is no longer wanted")]


def _is_left_over(write: Write, snapshot: Snapshot, form: WriteForm) -> bool:
    """Whether an earlier attempt at this delivery meant it, and ended before it was recorded."""
    return write.state == "intended" and write.form == form and write.run_id in snapshot.own_runs


def _pending(writes: Sequence[Write], snapshot: Snapshot) -> frozenset[int]:
    """Writes of an earlier attempt whose labels wait for a person."""
    pending = snapshot.situation.pending
    return frozenset(write.id for write in writes if name_key(write.label) in pending)


def _is_to_be_set(write: Write) -> bool:
    return write.state == "intended" and not write.is_being_taken_back


def _forgotten(snapshot: Snapshot, intended: Sequence[Write]) -> list[WriteMark]:
    """What became of suggestions that an earlier attempt made, or meant to."""
    now_meant = {write.id for write in intended}
    marks = []
    for write in snapshot.writes:
        if write.id in now_meant or not _is_left_over(write, snapshot, "suggestion"):
            continue
        there = name_key(write.label) in snapshot.situation.pending
        reason = "" if there else "it is not among the suggestions"
        marks.append(WriteMark(write, "written" if there else "left", reason))
    return marks


def _standing(snapshot: Snapshot) -> list[Write]:
    """The bot's own labels that are on the issue."""
    return [
        write
        for write in snapshot.writes
        if write.form == "label"
        and write.state == "written"
        and name_key(write.label) in snapshot.situation.on_issue
    ]
