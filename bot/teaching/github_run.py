"""Decisions that hold here alone go to GitHub, as one run; and come off again when it is undone.

Each issue is looked at right before: what people did there meanwhile stands. What was decided
stays decided whatever becomes of the run.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.backfilling.undoing import undo
from bot.configuration import RepositoryConfiguration
from bot.errors import CommandRefused, SnapshotOutdated
from bot.labelling.issue_job import IssueJob, Subject
from bot.labelling.issue_lease import issue_lease
from bot.labelling.label_writes import set_labels
from bot.labelling.snapshot import look_again
from bot.labelling.type_writes import add_target, remove_target
from store.engine.text import name_key
from store.records.issue_fields import is_field

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.backfilling.throttling import Throttled
    from bot.github.client import GitHubClient
    from bot.labelling.snapshot import Snapshot
    from bot.receiving.handler_context import HandlerContext
    from store.records import Repository, ReviewEffect, StoredDecision, WriteRunKind
    from tagger.domain.strategy import Progress

KIND: WriteRunKind = "teaching"


@dataclass(frozen=True)
class DecisionsWritten:
    """What a run did: labels set, labels taken off, and decisions that GitHub left as it was."""

    labels_set: int = 0
    taken_off: int = 0
    unchanged: int = 0
    left: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """For people."""
        words = f"{self.labels_set} labels set and {self.taken_off} taken off on GitHub"
        left = f"; left: {'; '.join(self.left[:5])}" if self.left else ""
        return words + left


async def write_decisions(
    context: HandlerContext, repository: Repository, throttled: Throttled, progress: Progress
) -> DecisionsWritten:
    """Tell GitHub of every decision that holds here alone.

    :raises CommandRefused: there are no credentials, or nothing is to be told.
    :raises GitHubError: GitHub refuses; what was told is kept, the same call goes on from it.
    """
    client = await _client(context, repository)
    decisions = await asyncio.to_thread(_not_on_github, context, repository)
    if not decisions:
        raise CommandRefused("there is nothing that GitHub does not know of")
    run_id = await asyncio.to_thread(_open, context, repository)
    writing = _DecisionRun(context, client, repository, run_id)
    result = DecisionsWritten()
    for done, (number, some) in enumerate(sorted(decisions.items()), 1):
        result = await throttled.see_through(writing.act(number, some, result))
        await throttled.after_a_write()
        progress("writing to GitHub", done, len(decisions))
    await asyncio.to_thread(writing.close)
    return result


async def undo_decisions(
    context: HandlerContext, repository: Repository, throttled: Throttled, progress: Progress
) -> str:
    """Take the last run off GitHub again; the decisions hold here as before.

    :raises CommandRefused: there is none, or there are no credentials.
    """
    client = await _client(context, repository)
    run_id, removed = await asyncio.to_thread(_last_run, context, repository)
    undone = await undo(context, run_id, throttled=throttled, progress=progress)
    for decision in removed:
        await add_target(client, repository.full_name, decision.number, decision.label)
        await throttled.after_a_write()
    with context.store.begin() as work:
        work.decisions.back_here(run_id)
    back = f"; {len(removed)} put back" if removed else ""
    left = f"; {len(undone.left)} left, because people touched them" if undone.left else ""
    return f"{len(undone.removed)} labels taken off GitHub again{back}{left}"


@dataclass
class _DecisionRun:
    context: HandlerContext
    client: GitHubClient
    repository: Repository
    run_id: int

    def act(
        self, number: int, decisions: Sequence[StoredDecision], so_far: DecisionsWritten
    ) -> Callable[[], Awaitable[DecisionsWritten]]:
        async def act() -> DecisionsWritten:
            return await self._on_issue(number, decisions, so_far)

        return act

    async def _on_issue(
        self, number: int, decisions: Sequence[StoredDecision], so_far: DecisionsWritten
    ) -> DecisionsWritten:
        with self.context.store.read() as work:
            issue = work.issues.get(self.repository.id, number)
            renames = work.labels.renames(self.repository.id)
        subject = Subject(self.repository, issue, renames)
        rules = RepositoryConfiguration.absent()
        job = IssueJob(self.context, None, subject, rules, self.client, self.run_id)
        try:
            async with issue_lease(self.context, self.repository.id, number) as lease:
                job, snapshot = await look_again(replace(job, lease=lease), self.client)
                return await self._tell(job, snapshot, decisions, so_far)
        except SnapshotOutdated as outdated:
            return replace(so_far, left=(*so_far.left, f"#{number}: {outdated}"))

    async def _tell(
        self,
        job: IssueJob,
        snapshot: Snapshot,
        decisions: Sequence[StoredDecision],
        so_far: DecisionsWritten,
    ) -> DecisionsWritten:
        if snapshot.issue is None:
            return replace(so_far, left=(*so_far.left, f"#{job.number}: the issue is gone"))
        of_fields = [decision.label for decision in decisions if is_field(decision.label)]
        decisions = [decision for decision in decisions if not is_field(decision.label)]
        on_issue, names = snapshot.situation.on_issue, snapshot.labels.names
        adding = [
            decision
            for decision in decisions
            if decision.verdict == "approved" and name_key(decision.label) not in on_issue
        ]
        missing = [each.label for each in adding if name_key(each.label) not in names]
        adding = [each for each in adding if name_key(each.label) in names]
        removing = [
            decision
            for decision in decisions
            if decision.verdict == "dismissed" and name_key(decision.label) in on_issue
        ]
        refused = await self._set(job, snapshot, adding)
        for decision in removing:
            name = self.repository.full_name
            await remove_target(self.client, name, job.number, decision.label)
        await asyncio.to_thread(
            self._record, decisions, adding, removing, set(refused) | set(missing)
        )
        left = [f"#{job.number}: there is no label {label} any more" for label in missing]
        left += [f"#{job.number}: {label} is to be set on GitHub" for label in of_fields]
        left += [f"#{job.number}: {why}" for why in refused.values()]
        n_set = len(adding) - len(refused)
        return DecisionsWritten(
            so_far.labels_set + n_set,
            so_far.taken_off + len(removing),
            so_far.unchanged + len(decisions) - len(adding) - len(removing) - len(missing),
            (*so_far.left, *left),
        )

    async def _set(
        self, job: IssueJob, snapshot: Snapshot, adding: Sequence[StoredDecision]
    ) -> dict[str, str]:
        """Set the labels, put down as intended first; by label why GitHub refused it."""
        if not adding:
            return {}
        labels = [decision.label for decision in adding]
        store, now = self.context.store, self.context.clock()
        ids = {key: str(label_id) for label_id, key in snapshot.labels.ids.items()}
        with store.begin() as work:
            writes = work.writes.intend(self.run_id, job.number, labels, now, external_ids=ids)
        refused = (await set_labels(job, self.client, snapshot, writes)).refused
        with store.begin() as work:
            for write in writes:
                why = refused.get(write.id, "")
                work.writes.mark(write.id, "left" if why else "written", now, reason=why)
        return {write.label: refused[write.id] for write in writes if write.id in refused}

    def _record(
        self,
        decisions: Sequence[StoredDecision],
        adding: Sequence[StoredDecision],
        removing: Sequence[StoredDecision],
        refused: set[str],
    ) -> None:
        effects: dict[int, ReviewEffect] = {each.id: "added" for each in adding}
        effects |= {each.id: "removed" for each in removing}
        with self.context.store.begin() as work:
            for decision in decisions:
                if decision.label not in refused:
                    effect = effects.get(decision.id, "none")
                    work.decisions.mark_on_github(decision.id, effect, self.run_id)

    def close(self) -> None:
        with self.context.store.begin() as work:
            work.writes.close_run(self.run_id, self.context.clock())


async def _client(context: HandlerContext, repository: Repository) -> GitHubClient:
    if context.access is None or repository.github_id is None:
        raise CommandRefused(
            "GitHub has no part in this: there are no credentials, or the issues came from files"
        )
    return await context.access.client(repository.full_name)


def _not_on_github(
    context: HandlerContext, repository: Repository
) -> Mapping[int, Sequence[StoredDecision]]:
    by_issue: dict[int, list[StoredDecision]] = defaultdict(list)
    with context.store.read() as work:
        for decision in work.decisions.not_on_github(repository.id):
            by_issue[decision.number].append(decision)
    return by_issue


def _open(context: HandlerContext, repository: Repository) -> int:
    with context.store.begin() as work:
        return work.writes.open_run(repository.id, KIND, context.clock()).id


def _last_run(
    context: HandlerContext, repository: Repository
) -> tuple[int, Sequence[StoredDecision]]:
    with context.store.read() as work:
        for run in work.writes.runs(repository.id, kind=KIND, limit=20):
            decisions = work.decisions.of_run(run.id)
            if decisions:
                return run.id, [each for each in decisions if each.effect == "removed"]
    raise CommandRefused("nothing was written to GitHub that could be undone")
