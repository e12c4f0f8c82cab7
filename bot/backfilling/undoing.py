"""Undo: takes back the labels of a run that nobody has touched since, and says what it left.

Each issue's timeline is read right before its label is taken off, and once more afterwards: who
set the label in that very moment finds it there again. Done twice, it changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.backfilling.throttling import Throttled
from bot.configuration import RepositoryConfiguration
from bot.errors import CommandRefused
from bot.github.errors import Gone, NotFound
from bot.labelling.conflict_resolution import settle
from bot.labelling.issue_job import IssueJob, Subject
from bot.labelling.issue_lease import issue_lease
from bot.labelling.label_writes import take_off
from bot.labelling.snapshot import look_again
from store.engine.text import name_key
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.github.client import GitHubClient
    from bot.labelling.snapshot import Snapshot
    from bot.receiving.handler_context import HandlerContext
    from store.records import Repository, Write, WriteRun
    from tagger.domain.strategy import Progress


@dataclass(frozen=True, slots=True)
class UndoneLabel:
    """A label that the run had set; `reason` says why it was left, "" where it was taken off."""

    number: int
    label: str
    reason: str = ""


@dataclass(frozen=True)
class Undone:
    """What an undo did.

    :ivar run_id: the run that was undone; `undo_id`: the one that undid it, where there was
        anything to take off.
    """

    repository: str
    run_id: int
    undo_id: int | None
    removed: tuple[UndoneLabel, ...]
    left: tuple[UndoneLabel, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "repository": self.repository,
            "run": self.run_id,
            "undo": self.undo_id,
            "removed": [
                {"number": undone_label.number, "label": undone_label.label}
                for undone_label in self.removed
            ],
            "left": [
                {
                    "number": undone_label.number,
                    "label": undone_label.label,
                    "reason": undone_label.reason,
                }
                for undone_label in self.left
            ],
        }


async def undo(
    context: HandlerContext,
    run_id: int,
    *,
    throttled: Throttled | None = None,
    progress: Progress = silent,
) -> Undone:
    """Take back a run.

    :raises NotStored: there is no such run.
    :raises CommandRefused: it is an undo itself, or there are no credentials.
    :raises GitHubError: GitHub refuses; what was taken back is recorded, the same call goes on.
    """
    run, repository, renames = await asyncio.to_thread(_stored, context, run_id)
    if context.access is None:
        raise CommandRefused(
            "there are no credentials for GitHub; set ISSUE_TAGGER_GITHUB_TOKEN, or a GitHub App"
        )
    writes = await asyncio.to_thread(_ended, context, run)
    client = await context.access.client(repository.full_name)
    undoing = _Undoing(context, client, repository, run, renames)
    patient = throttled or Throttled(context.clock)
    taken, by_issue = _parted(writes)
    for done, (number, some) in enumerate(sorted(by_issue.items()), 1):
        undone = await patient.see_through(_on_issue(undoing, number, some))
        taken += undone
        if any(not label.reason for label in undone):
            await patient.after_a_write()
        progress("undoing", done, len(by_issue))
    undo_id = await asyncio.to_thread(undoing.close)
    gone, left = (
        tuple(label for label in taken if bool(label.reason) == stays) for stays in (False, True)
    )
    return Undone(repository.full_name, run.id, undo_id, gone, left)


def _parted(writes: Sequence[Write]) -> tuple[list[UndoneLabel], dict[int, list[Write]]]:
    """What stays, with the reason, and by issue what may be taken back."""
    staying: list[UndoneLabel] = []
    by_issue: dict[int, list[Write]] = defaultdict(list)
    for write in writes:
        if reason := _not_ours_to_take(write):
            staying.append(UndoneLabel(write.number, write.label, reason))
        else:
            by_issue[write.number].append(write)
    return staying, by_issue


@dataclass
class _Undoing:
    context: HandlerContext
    client: GitHubClient
    repository: Repository
    run: WriteRun
    renames: Mapping[str, str]
    undo_id: int | None = None

    async def take_back(self, number: int, writes: Sequence[Write]) -> list[UndoneLabel]:
        """Take the labels off one issue, each unless somebody has touched it."""
        with self.context.store.read() as work:
            issue = work.issues.find(self.repository.id, number)
        if issue is None:
            return [UndoneLabel(number, write.label, "the issue is gone") for write in writes]
        subject = Subject(self.repository, issue, self.renames)
        client = self.client.labelling(issue.target)
        job = IssueJob(self.context, None, subject, RepositoryConfiguration.absent(), client)
        async with issue_lease(self.context, self.repository.id, number) as lease:
            return await self._take_back(replace(job, lease=lease), client, number, writes)

    async def _take_back(
        self, job: IssueJob, client: GitHubClient, number: int, writes: Sequence[Write]
    ) -> list[UndoneLabel]:
        job, snapshot = await look_again(job, client)
        # By the names that the labels have now.
        by_id = {write.id: write for write in snapshot.writes}
        writes = [by_id.get(write.id, write) for write in writes]
        reasons = {write.id: _touched(write, snapshot) for write in writes}
        own_writes = {name_key(write.label): write for write in writes if reasons[write.id] is None}
        if own_writes:
            await asyncio.to_thread(self._open)
        for write in own_writes.values():
            await take_off(job, client, write, self._reason)
        # Its own removals are known for its own, also where it shares a login with a person.
        as_undone = {key: replace(write, state="undone") for key, write in own_writes.items()}
        restored = (
            (await settle(job, client, snapshot, as_undone)).restored if own_writes else set()
        )
        for key in restored:
            reasons[own_writes[key].id] = "a person set it in this moment"
        undone_labels = [
            UndoneLabel(number, write.label, reasons[write.id] or "") for write in writes
        ]
        await asyncio.to_thread(self._record, writes, undone_labels)
        return undone_labels

    @property
    def _reason(self) -> str:
        return f"undo of run {self.run.id}"

    def close(self) -> int | None:
        """The run that undid."""
        if self.undo_id is not None:
            with self.context.store.begin() as work:
                work.writes.close_run(self.undo_id, self.context.clock())
        return self.undo_id

    def _open(self) -> None:
        if self.undo_id is None:
            with self.context.store.begin() as work:
                opened = work.writes.open_run(
                    self.repository.id, "undo", self.context.clock(), undoes=self.run.id
                )
            self.undo_id = opened.id

    def _record(self, writes: Sequence[Write], taken: Sequence[UndoneLabel]) -> None:
        now = self.context.clock()
        with self.context.store.begin() as work:
            for write, undone_label in zip(writes, taken, strict=True):
                if not undone_label.reason:
                    work.writes.mark(write.id, "undone", now, reason=self._reason)


def _on_issue(undoing: _Undoing, number: int, writes: Sequence[Write]) -> Any:
    async def act() -> list[UndoneLabel]:
        try:
            return await undoing.take_back(number, writes)
        except (NotFound, Gone):
            return [UndoneLabel(number, write.label, "the issue is gone") for write in writes]

    return act


def _stored(context: HandlerContext, run_id: int) -> tuple[WriteRun, Repository, Mapping[str, str]]:
    with context.store.read() as work:
        run = work.writes.run(run_id)
        if run.kind == "undo":
            raise CommandRefused(
                f"run {run_id} is an undo itself; what it took off, issue-tagger backfill sets anew"
            )
        repository = work.repositories.by_id(run.repository_id)
        return run, repository, work.labels.renames(repository.id)


def _ended(context: HandlerContext, run: WriteRun) -> tuple[Write, ...]:
    """What the run wrote, now that it is over also for a backfill that is still at it."""
    with context.store.begin() as work:
        if run.finished_at is None:
            work.writes.close_run(run.id, context.clock())
        return tuple(
            write
            for write in work.writes.list(run_id=run.id)
            if write.state in {"intended", "written", "approved"}
        )


def _not_ours_to_take(write: Write) -> str:
    """Why a write is no label to take off, or ""."""
    if write.form == "label":
        return ""
    if write.state == "approved":
        return "a person approved it"
    return "it is only suggested: people decide"


def _touched(write: Write, snapshot: Snapshot) -> str | None:
    """Why a label is left alone: somebody else had a word in it."""
    key = name_key(write.label)
    last, person = snapshot.acts.last.get(key), snapshot.acts.people.get(key)
    there = key in snapshot.situation.on_issue
    why = None
    if snapshot.issue is None:
        why = "the issue is gone"
    elif person is not None:
        why = "a person set it" if person == "added" else "a person took it off"
    elif last is None or last.kind != "self":
        why = "somebody else set it last" if there else "it is not on the issue any more"
    elif not there and last.action == "added":
        why = "it is not on the issue any more"
    # What the bot itself took off last was an undo that was ended before it could record this.
    return why
