"""Backfill: labels for issues that are open already; looked at first, then written as one run.

A run may last for hours: what people say meanwhile, to the bot, in the file or of labels, is heard
before each issue. A run that was ended, however suddenly, goes on when the same is asked for again:
an issue that has a prediction since the run began is done. What the run meant to write and did not
record is found again by the look before the write. One that was undone does not go on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.backfilling.throttling import Throttled
from bot.configuration.effective import current_configuration
from bot.errors import CommandRefused
from bot.labelling.deciding import act_on
from bot.labelling.issue_job import IssueJob, Subject
from bot.labelling.policy import LabellingContext, may_write, plan
from bot.labelling.tag_issue import left_alone, policy_for
from bot.repositories.changed_paths import read_paths
from bot.repositories.presence import left_because
from store.engine.text import name_key
from store.records.issue_fields import is_field
from tagger.domain.issue import IssueText
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.labelling.policy import Plan
    from bot.labelling.questions import Asking
    from bot.model_serving.release_cache import LoadedRelease
    from bot.receiving.handler_context import HandlerContext
    from store.records import Repository, StoredIssue, TargetKind, WriteRun
    from tagger.domain.decision import LabelDecision
    from tagger.domain.strategy import Progress

AT_ONCE = 64
"""Issues scored in one go; a kill costs no more than scoring them again."""


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """Which issues: opened at `since` or later, the newest `limit` of them; None: all.

    :ivar target: or another kind, by its own release.
    """

    since: datetime | None = None
    limit: int | None = None
    target: TargetKind = "issues"

    def as_json(self) -> dict[str, Any]:
        since = self.since.isoformat() if self.since else None
        other = {} if self.target == "issues" else {"target": self.target}
        return {"since": since, "limit": self.limit, **other}


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """One issue, and what is done about it."""

    number: int
    title: str
    planned: Plan

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "title": self.title,
            "apply": [_label(choice.decision, choice.label) for choice in self.planned.to_apply],
            "suggest": [
                _label(choice.decision, choice.label) for choice in self.planned.to_suggest
            ],
            "fallback": self.planned.fallback,
        }


@dataclass(frozen=True)
class Backfilled:
    """What a backfill would do, or did.

    :ivar run_id: None for a preview.
    :ivar resumed: it went on with a run that had been ended.
    :ivar considered: open issues that no rule leaves alone, those included that were done before.
    :ivar lines: issues about which something is done, the newest first; after a resumption those
        of this time.
    :ivar written: labels set by the whole run; `suggested` likewise.
    """

    repository: str
    release: str
    run_id: int | None
    resumed: bool
    considered: int
    lines: tuple[BackfillRow, ...]
    written: int = 0
    suggested: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "repository": self.repository,
            "release": self.release,
            "run": self.run_id,
            "applied": self.run_id is not None,
            "resumed": self.resumed,
            "considered": self.considered,
            "labels_set": self.written,
            "labels_suggested": self.suggested,
            "issues": [line.as_json() for line in self.lines],
        }


async def backfill(
    context: HandlerContext,
    repository: str,
    wanted: BackfillRequest,
    *,
    apply: bool,
    throttled: Throttled | None = None,
    progress: Progress = silent,
) -> Backfilled:
    """Preview, or write.

    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: no release serves, `apply` where nothing may be written, or the run was
        ended meanwhile; a run that may write no more goes on once it may, when the same is asked.
    :raises GitHubError: GitHub refuses; what was done is recorded, the same call goes on from it.
    """
    filling = await _Backfill.open(context, repository, wanted)
    if not apply:
        return await asyncio.to_thread(filling.preview, progress)
    return await filling.apply(throttled or Throttled(context.clock), progress)


@dataclass
class _Backfill:
    """A backfill with all that it needs to know before the first issue."""

    context: HandlerContext
    repository: Repository
    configuration: RepositoryConfiguration
    client: GitHubClient | None
    cached: LoadedRelease
    renames: Mapping[str, str]
    wanted: BackfillRequest
    lines: list[BackfillRow] = field(default_factory=list)

    @classmethod
    async def open(
        cls, context: HandlerContext, full_name: str, wanted: BackfillRequest
    ) -> _Backfill:
        repository, renames = await asyncio.to_thread(_stored, context, full_name)
        client = await context.access.client(full_name) if context.access else None
        rules = await current_configuration(context.store, client, repository, context.clock())
        cached = await asyncio.to_thread(context.cache.active, repository.id, wanted.target)
        if not rules.covers(wanted.target):
            raise CommandRefused(
                f"targets in .github/issue-tagger.yml leaves out {wanted.target}: nothing to do"
            )
        if cached is None:
            only = "" if wanted.target == "issues" else f" --target {wanted.target}"
            raise CommandRefused(
                f"{full_name} has no active release; issue-tagger retrain {full_name}{only} "
                "makes one"
            )
        return cls(context, repository, rules.renamed(renames), client, cached, renames, wanted)

    def preview(self, progress: Progress) -> Backfilled:
        """What would be done, as far as the store knows; GitHub is not asked."""
        issues = self._issues(None)
        with self.context.store.read() as work:
            names = {
                name_key(label.name): label.name for label in work.labels.list(self.repository.id)
            } or {name_key(name): name for name in self._present_names()}
        targets = (*self.configuration.type_targets, *self._field_values())
        names |= {name_key(target): target for target in targets}
        done = 0
        for some in _in_parts(issues):
            for issue, decisions in zip(some, self._score(some), strict=True):
                situation = self._situation(issue, names)
                self._note(issue, plan(decisions, self.configuration, situation, self.renames))
            done += len(some)
            progress("scoring issues", done, len(issues))
        applied = sum(line.planned.n_to_set for line in self.lines)
        suggested = sum(len(line.planned.to_suggest) for line in self.lines)
        return self._result(None, len(issues), applied, suggested, resumed=False)

    def _field_values(self) -> tuple[str, ...]:
        """The values of fields that the release knows, taken for those that there are."""
        return tuple(filter(is_field, self.cached.release.names))

    async def apply(self, throttled: Throttled, progress: Progress) -> Backfilled:
        """Write, issue by issue."""
        self._refuse_in_vain()
        run, resumed = await asyncio.to_thread(self._run)
        issues = await asyncio.to_thread(self._issues, run)
        done_before = await asyncio.to_thread(self._done, run)
        left = [issue for issue in issues if issue.number not in done_before]
        done = len(issues) - len(left)
        for part in _in_parts(left):
            some = [await self._with_paths(issue) for issue in part]
            scored = await asyncio.to_thread(self._score, some)
            for issue, decisions in zip(some, scored, strict=True):
                await self._act(issue, decisions, run, throttled)
                done += 1
                progress("labelling issues", done, len(issues))
        written, suggested = await asyncio.to_thread(self._close, run)
        return self._result(run.id, len(issues), written, suggested, resumed=resumed)

    async def _with_paths(self, issue: StoredIssue) -> StoredIssue:
        if not issue.is_pull_request or issue.paths is not None or self.client is None:
            return issue
        name = self.repository.full_name
        paths = await read_paths(self.context.store, self.client, name, issue)
        return replace(issue, paths=paths)

    async def _act(
        self,
        issue: StoredIssue,
        decisions: Sequence[LabelDecision],
        run: WriteRun,
        throttled: Throttled,
    ) -> None:
        async def act() -> Asking | None:
            job = await self._job(issue.number, run)
            if job is None:
                return None
            return await act_on(job, self.cached.id, decisions, may_ask=False)

        asking = await throttled.see_through(act)
        if asking is None:
            return
        self._note(issue, asking.plan)
        if asking.plan.writes:
            await throttled.after_a_write()

    async def _job(self, number: int, run: WriteRun) -> IssueJob | None:
        """The job on an issue by what is known now; None: it is to be left alone by now.

        :raises CommandRefused: nothing may be written any more, or the run was ended.
        """
        issue = await asyncio.to_thread(self._hear, number, run)
        now = self.context.clock()
        rules = await current_configuration(self.context.store, self.client, self.repository, now)
        self.configuration = rules.renamed(self.renames)
        self._refuse_in_vain()
        if issue is None or left_alone(self.configuration, issue, now):
            return None
        subject = Subject(self.repository, issue, self.renames)
        # Old issues are many: a comment on each would be read as noise by all who follow them.
        return IssueJob(
            self.context, None, subject, self.configuration, self.client, run.id, may_comment=False
        ).on_its_kind()

    def _hear(self, number: int, run: WriteRun) -> StoredIssue | None:
        """The issue, None where it is gone, and what the store has heard of the repository."""
        with self.context.store.read() as work:
            if work.writes.run(run.id).finished_at is not None:
                raise CommandRefused(
                    f"run {run.id} was ended meanwhile, by issue-tagger undo or by another "
                    f"backfill; issue-tagger undo {run.id} takes back what is left of it"
                )
            self.repository = work.repositories.by_id(self.repository.id)
            self.renames = work.labels.renames(self.repository.id)
            return work.issues.find(self.repository.id, number)

    def _refuse_in_vain(self) -> None:
        """:raises CommandRefused: nothing can or may be written."""
        name = self.repository.full_name
        if self.client is None:
            raise CommandRefused(
                "there are no credentials for GitHub; set ISSUE_TAGGER_GITHUB_TOKEN, or a GitHub "
                "App (issue-tagger doctor says what is missing)"
            )
        if why := left_because(self.repository):
            raise CommandRefused(f"the bot has left {name}: {why}")
        if not may_write(self.configuration, self._present_names()):
            raise CommandRefused(
                f"every label of {name} is in mode shadow or off, so that nothing would be "
                "written; set mode: suggest or apply in .github/issue-tagger.yml"
            )

    def _run(self) -> tuple[WriteRun, bool]:
        """The run to write under, and whether it was begun before."""
        repository_id, request = self.repository.id, self.wanted.as_json()
        with self.context.store.begin() as work:
            for run in work.writes.runs(repository_id, kind="backfill", unfinished=True):
                if {key: run.detail.get(key) for key in request} == request:
                    return run, True
            newest = max(work.issues.numbers(repository_id), default=0)
            detail = {**request, "newest": newest}
            now = self.context.clock()
            return work.writes.open_run(repository_id, "backfill", now, detail=detail), False

    def _done(self, run: WriteRun) -> frozenset[int]:
        with self.context.store.read() as work:
            return work.predictions.numbers_since(self.repository.id, run.started_at)

    def _close(self, run: WriteRun) -> tuple[int, int]:
        with self.context.store.begin() as work:
            work.writes.close_run(run.id, self.context.clock())
            written = [
                write for write in work.writes.list(run_id=run.id) if write.state == "written"
            ]
        labels = sum(write.form == "label" for write in written)
        return labels, len(written) - labels

    def _issues(self, run: WriteRun | None) -> list[StoredIssue]:
        """The issues in question; for a run those that were there when it began."""
        newest = run.detail.get("newest") if run else None
        found: list[StoredIssue] = []
        now = self.context.clock()
        with self.context.store.read() as work:
            issues = work.issues.walk(
                self.repository.id,
                created_since=self.wanted.since,
                state="open",
                every_kind=self.wanted.target != "issues",
            )
            for issue in issues:
                if issue.target != self.wanted.target:
                    continue
                if newest is not None and issue.number > newest:
                    continue
                if left_alone(self.configuration, issue, now) is None:
                    found.append(issue)
                if self.wanted.limit is not None and len(found) >= self.wanted.limit:
                    break
        return found

    def _score(self, issues: Sequence[StoredIssue]) -> list[Sequence[LabelDecision]]:
        release = self.cached.release
        policy = policy_for(self.configuration, release.names, self.renames)
        texts = [
            IssueText.of(issue.filed_title, issue.filed_body, place=issue.place) for issue in issues
        ]
        decided = zip(issues, release.tag(texts, policy), strict=True)
        return [tuple(label.without(issue.number) for label in labels) for issue, labels in decided]

    def _situation(self, issue: StoredIssue, names: Mapping[str, str]) -> LabellingContext:
        with self.context.store.read() as work:
            removed = work.labels.removed_by_people(self.repository.id, issue.number)
            taken_off = work.labels.taken_off(self.repository.id, issue.number)
            writes = work.writes.list(repository_id=self.repository.id, number=issue.number)
        ours = {name_key(write.label) for write in writes if write.state in {"written", "approved"}}
        suggested = {name_key(write.label) for write in writes if write.form == "suggestion"}
        return LabellingContext(
            names=names,
            on_issue=frozenset(map(name_key, issue.targets)),
            removed=frozenset(map(name_key, removed)),
            taken_off=frozenset(map(name_key, taken_off)),
            ours=frozenset(ours) - {name_key(self.configuration.fallback_label or "")},
            pending=frozenset(ours & suggested),
        )

    def _present_names(self) -> list[str]:
        return [self.renames.get(name_key(name), name) for name in self.cached.release.names]

    def _note(self, issue: StoredIssue, planned: Plan) -> None:
        if planned.writes:
            self.lines.append(BackfillRow(issue.number, issue.title, planned))

    def _result(
        self, run_id: int | None, considered: int, written: int, suggested: int, *, resumed: bool
    ) -> Backfilled:
        return Backfilled(
            self.repository.full_name,
            self.cached.id,
            run_id,
            resumed,
            considered,
            tuple(self.lines),
            written,
            suggested,
        )


def _stored(context: HandlerContext, full_name: str) -> tuple[Repository, Mapping[str, str]]:
    with context.store.read() as work:
        repository = work.repositories.get(full_name)
        return repository, work.labels.renames(repository.id)


def _in_parts(issues: Sequence[StoredIssue]) -> Iterator[Sequence[StoredIssue]]:
    for start in range(0, len(issues), AT_ONCE):
        yield issues[start : start + AT_ONCE]


def _label(decision: LabelDecision, name: str) -> dict[str, Any]:
    entry = replace(decision, name=name).as_json()
    return {key: entry[key] for key in ("name", "score", "cut")}
