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

from bot.errors import CommandRefused
from bot.use_cases.configuration import current_configuration
from bot.use_cases.deciding import act_on
from bot.use_cases.job import Job, Subject
from bot.use_cases.policy import Situation, may_write, plan
from bot.use_cases.presence import left_because
from bot.use_cases.tag_issue import left_alone, policy_for
from bot.use_cases.unhurried import Unhurried
from store.text import name_key
from tagger.issue import IssueText
from tagger.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.release_shelf import OnShelf
    from bot.use_cases.desk import Desk
    from bot.use_cases.policy import Plan
    from bot.use_cases.questions import Asking
    from store.records import Repository, StoredIssue, WriteRun
    from tagger.decision import LabelDecision
    from tagger.strategy import Progress

AT_ONCE = 64
"""Issues scored in one go; a kill costs no more than scoring them again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which issues: opened at `since` or later, the newest `limit` of them; None: all."""

    since: datetime | None = None
    limit: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {"since": self.since.isoformat() if self.since else None, "limit": self.limit}


@dataclass(frozen=True, slots=True)
class Line:
    """One issue, and what is done about it."""

    number: int
    title: str
    planned: Plan

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "title": self.title,
            "apply": [_label(one.decision, one.label) for one in self.planned.to_apply],
            "suggest": [_label(one.decision, one.label) for one in self.planned.to_suggest],
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
    lines: tuple[Line, ...]
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
    desk: Desk,
    repository: str,
    wanted: Wanted,
    *,
    apply: bool,
    unhurried: Unhurried | None = None,
    progress: Progress = silent,
) -> Backfilled:
    """Preview, or write.

    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: no release serves, `apply` where nothing may be written, or the run was
        ended meanwhile; a run that may write no more goes on once it may, when the same is asked.
    :raises GitHubError: GitHub refuses; what was done is recorded, the same call goes on from it.
    """
    filling = await _Filling.open(desk, repository, wanted)
    if not apply:
        return await asyncio.to_thread(filling.preview, progress)
    return await filling.apply(unhurried or Unhurried(desk.clock), progress)


@dataclass
class _Filling:
    """A backfill with all that it needs to know before the first issue."""

    desk: Desk
    repository: Repository
    configuration: RepositoryConfiguration
    client: GitHubClient | None
    shelved: OnShelf
    renames: Mapping[str, str]
    wanted: Wanted
    lines: list[Line] = field(default_factory=list)

    @classmethod
    async def open(cls, desk: Desk, full_name: str, wanted: Wanted) -> _Filling:
        repository, renames = await asyncio.to_thread(_stored, desk, full_name)
        client = await desk.access.client(full_name) if desk.access else None
        rules = await current_configuration(desk.store, client, repository, desk.clock())
        shelved = await asyncio.to_thread(desk.shelf.active, repository.id)
        if shelved is None:
            raise CommandRefused(
                f"{full_name} has no active release; issue-tagger retrain {full_name} makes one"
            )
        return cls(desk, repository, rules.renamed(renames), client, shelved, renames, wanted)

    def preview(self, progress: Progress) -> Backfilled:
        """What would be done, as far as the store knows; GitHub is not asked."""
        issues = self._issues(None)
        with self.desk.store.read() as work:
            names = {
                name_key(one.name): one.name for one in work.labels.list(self.repository.id)
            } or {name_key(name): name for name in self._present_names()}
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

    async def apply(self, unhurried: Unhurried, progress: Progress) -> Backfilled:
        """Write, issue by issue."""
        self._refuse_in_vain()
        run, resumed = await asyncio.to_thread(self._run)
        issues = await asyncio.to_thread(self._issues, run)
        done_before = await asyncio.to_thread(self._done, run)
        left = [issue for issue in issues if issue.number not in done_before]
        done = len(issues) - len(left)
        for some in _in_parts(left):
            scored = await asyncio.to_thread(self._score, some)
            for issue, decisions in zip(some, scored, strict=True):
                await self._act(issue, decisions, run, unhurried)
                done += 1
                progress("labelling issues", done, len(issues))
        written, suggested = await asyncio.to_thread(self._close, run)
        return self._result(run.id, len(issues), written, suggested, resumed=resumed)

    async def _act(
        self,
        issue: StoredIssue,
        decisions: Sequence[LabelDecision],
        run: WriteRun,
        unhurried: Unhurried,
    ) -> None:
        async def act() -> Asking | None:
            job = await self._job(issue.number, run)
            if job is None:
                return None
            return await act_on(job, self.shelved.id, decisions, may_ask=False)

        asking = await unhurried.see_through(act)
        if asking is None:
            return
        self._note(issue, asking.plan)
        if asking.plan.writes:
            await unhurried.after_a_write()

    async def _job(self, number: int, run: WriteRun) -> Job | None:
        """The job on an issue by what is known now; None: it is to be left alone by now.

        :raises CommandRefused: nothing may be written any more, or the run was ended.
        """
        issue = await asyncio.to_thread(self._hear, number, run)
        now = self.desk.clock()
        rules = await current_configuration(self.desk.store, self.client, self.repository, now)
        self.configuration = rules.renamed(self.renames)
        self._refuse_in_vain()
        if issue is None or left_alone(self.configuration, issue, now):
            return None
        subject = Subject(self.repository, issue, self.renames)
        # Old issues are many: a comment on each would be read as noise by all who follow them.
        return Job(
            self.desk, None, subject, self.configuration, self.client, run.id, may_comment=False
        )

    def _hear(self, number: int, run: WriteRun) -> StoredIssue | None:
        """The issue, None where it is gone, and what the store has heard of the repository."""
        with self.desk.store.read() as work:
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
        repository_id, asked = self.repository.id, self.wanted.as_json()
        with self.desk.store.begin() as work:
            for run in work.writes.runs(repository_id, kind="backfill", unfinished=True):
                if {key: run.detail.get(key) for key in asked} == asked:
                    return run, True
            newest = max(work.issues.numbers(repository_id), default=0)
            detail = {**asked, "newest": newest}
            now = self.desk.clock()
            return work.writes.open_run(repository_id, "backfill", now, detail=detail), False

    def _done(self, run: WriteRun) -> frozenset[int]:
        with self.desk.store.read() as work:
            return work.predictions.numbers_since(self.repository.id, run.started_at)

    def _close(self, run: WriteRun) -> tuple[int, int]:
        with self.desk.store.begin() as work:
            work.writes.close_run(run.id, self.desk.clock())
            written = [one for one in work.writes.list(run_id=run.id) if one.state == "written"]
        labels = sum(one.form == "label" for one in written)
        return labels, len(written) - labels

    def _issues(self, run: WriteRun | None) -> list[StoredIssue]:
        """The issues in question; for a run those that were there when it began."""
        newest = run.detail.get("newest") if run else None
        found: list[StoredIssue] = []
        now = self.desk.clock()
        with self.desk.store.read() as work:
            issues = work.issues.walk(
                self.repository.id, created_since=self.wanted.since, state="open"
            )
            for issue in issues:
                if newest is not None and issue.number > newest:
                    continue
                if left_alone(self.configuration, issue, now) is None:
                    found.append(issue)
                if self.wanted.limit is not None and len(found) >= self.wanted.limit:
                    break
        return found

    def _score(self, issues: Sequence[StoredIssue]) -> list[Sequence[LabelDecision]]:
        release = self.shelved.release
        asked = policy_for(self.configuration, release.names, self.renames)
        texts = [IssueText.of(issue.filed_title, issue.filed_body) for issue in issues]
        decided = zip(issues, release.tag(texts, asked), strict=True)
        return [tuple(one.without(issue.number) for one in labels) for issue, labels in decided]

    def _situation(self, issue: StoredIssue, names: Mapping[str, str]) -> Situation:
        with self.desk.store.read() as work:
            removed = work.labels.removed_by_people(self.repository.id, issue.number)
            taken_off = work.labels.taken_off(self.repository.id, issue.number)
            writes = work.writes.list(repository_id=self.repository.id, number=issue.number)
        ours = {name_key(one.label) for one in writes if one.state in {"written", "approved"}}
        suggested = {name_key(one.label) for one in writes if one.form == "suggestion"}
        return Situation(
            names=names,
            on_issue=frozenset(map(name_key, issue.labels)),
            removed=frozenset(map(name_key, removed)),
            taken_off=frozenset(map(name_key, taken_off)),
            ours=frozenset(ours) - {name_key(self.configuration.fallback_label or "")},
            pending=frozenset(ours & suggested),
        )

    def _present_names(self) -> list[str]:
        return [self.renames.get(name_key(name), name) for name in self.shelved.release.names]

    def _note(self, issue: StoredIssue, planned: Plan) -> None:
        if planned.writes:
            self.lines.append(Line(issue.number, issue.title, planned))

    def _result(
        self, run_id: int | None, considered: int, written: int, suggested: int, *, resumed: bool
    ) -> Backfilled:
        return Backfilled(
            self.repository.full_name,
            self.shelved.id,
            run_id,
            resumed,
            considered,
            tuple(self.lines),
            written,
            suggested,
        )


def _stored(desk: Desk, full_name: str) -> tuple[Repository, Mapping[str, str]]:
    with desk.store.read() as work:
        repository = work.repositories.get(full_name)
        return repository, work.labels.renames(repository.id)


def _in_parts(issues: Sequence[StoredIssue]) -> Iterator[Sequence[StoredIssue]]:
    for start in range(0, len(issues), AT_ONCE):
        yield issues[start : start + AT_ONCE]


def _label(decision: LabelDecision, name: str) -> dict[str, Any]:
    told = replace(decision, name=name).as_json()
    return {key: told[key] for key in ("name", "score", "cut")}
