"""The look at GitHub right before a write: the issue, its history, and the repository's labels."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.configuration.effective import current_configuration, is_pushed_since, known_configuration
from bot.errors import SnapshotOutdated
from bot.github.errors import Gone, Moved, NotFound
from bot.labelling import opt_out
from bot.labelling.issue_job import IssueJob, Subject
from bot.labelling.policy import LabellingContext
from bot.receiving.actors import LabelActs, label_acts
from bot.receiving.deleted_issues import forget_if_gone, issue_id_in
from bot.receiving.heard_acts import heard_acts, in_doubt
from bot.receiving.repository_labels import RepositoryLabels, labels_kept, labels_now
from bot.repositories.census import lives_elsewhere
from store.engine.text import name_key
from store.records.issue_fields import is_field, is_label
from store.records.issue_types import is_type, type_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.github.client import GitHubClient
    from bot.github.models import Issue
    from store.records import Repository, StoredIssue, Write, WriteForm, WriteRun
    from store.unit_of_work import UnitOfWork

_STANDING = frozenset({"written", "approved"})
_ASSIGNING = frozenset({"assigned", "unassigned"})


@dataclass(frozen=True)
class Snapshot:
    """What was seen.

    :ivar issue: as GitHub has it now; None where GitHub was not asked, or has it no more.
    :ivar writes: all that the bot ever meant to write on this issue.
    :ivar own_runs: the runs among them that an earlier attempt at this job began.
    :ivar form: how labels are suggested in this repository; None: not at all. `field_form`: how
        values of fields are.
    :ivar again: it is another look, because what the one before saw did not hold.
    :ivar was_assigned: somebody was assigned or unassigned at some time.
    """

    situation: LabellingContext
    issue: Issue | None = None
    own_login: str | None = None
    acts: LabelActs = field(default_factory=LabelActs)
    writes: tuple[Write, ...] = ()
    own_runs: frozenset[int] = frozenset()
    labels: RepositoryLabels = field(default_factory=lambda: RepositoryLabels({}, {}))
    form: WriteForm | None = None
    field_form: WriteForm | None = None
    again: bool = False
    was_assigned: bool = False

    def form_of(self, target: str) -> WriteForm | None:
        """How a label, a type or a field's value is suggested."""
        return self.field_form if is_field(target) else self.form


def not_looked(why: str) -> Snapshot:
    """No look was taken, so nothing may be written."""
    return Snapshot(LabellingContext({}, closed_because=why))


async def look_again(
    job: IssueJob, client: GitHubClient, *, again: bool = False
) -> tuple[IssueJob, Snapshot]:
    """See what is there now; the issue comes last but for its history, to be as fresh as can be.

    :returns: the job with what was heard since it began, and what was seen. A rename may be found
        by this very look: what comes after it goes by the job returned.
    :raises Moved: the repository has another name by now, of which no webhook told yet.
    :raises NotStored: the issue was forgotten in the meantime.
    """
    now = job.context.clock()
    own_login = await job.context.own_login()
    repository = await asyncio.to_thread(_stored, job)
    rules = await current_configuration(job.context.store, client, repository, now)
    labels = await labels_now(job.context.store, client, repository, now)
    if rules.types:
        labels = labels.with_types(await client.issue_types(repository.full_name))
    if rules.fields:
        labels = labels.with_fields(await client.issue_fields(repository.full_name))
    try:
        timeline = () if _keeps_none(job) else await client.timeline(job.full_name, job.number)
        issue = await client.issue(job.full_name, job.number)
    except (NotFound, Gone):
        github_id = job.subject.issue.github_id or _filed_id(job)
        await forget_if_gone(
            job.context.store,
            client,
            repository,
            job.number,
            now,
            github_id=github_id,
            target=job.subject.issue.target,
        )
        return job, not_looked("the issue is gone")
    if await _was_transferred(job, client, issue):
        return job, not_looked("the issue is gone")
    state = await asyncio.to_thread(_known_now, job)
    if _keeps_none(job):
        acts = await asyncio.to_thread(_heard_acts, job, issue, own_login)
    else:
        acts = label_acts(timeline, own_login, state.writes, state.job.subject.renames)
    situation = _situation(state, issue, acts, labels.names)
    snapshot = Snapshot(situation, issue, own_login, acts, state.writes, state.own_runs, labels)
    was_assigned = any(event.event in _ASSIGNING for event in timeline)
    return state.job, replace(snapshot, again=again, was_assigned=was_assigned)


def _situation(
    state: _StoredState, issue: Issue, acts: LabelActs, names: Mapping[str, str]
) -> LabellingContext:
    """What GitHub and the store say of the issue, put together."""
    job = state.job
    standing = _standing(state.writes, issue)
    added = {key for key, act in acts.people.items() if act == "added"}
    removed = {key for key, act in acts.people.items() if act == "removed"}
    return LabellingContext(
        names=names,
        on_issue=frozenset(map(name_key, issue.target_names)),
        removed=(state.removed | removed) - added,
        taken_off=frozenset() if job.is_retry else state.taken_off | acts.taken_off,
        ours=standing - _fallback_key(job),
        untouched=acts.untouched & standing - _fallback_key(job),
        closed_because=state.closed_because or _closed_because(job, issue),
    )


def still_holds(work: UnitOfWork, job: IssueJob, snapshot: Snapshot, labels: Iterable[str]) -> None:
    """Compare with what the store has heard since the look; in the transaction before a write.

    GitHub has no conditional write. What its webhooks have told by now is all that can be known
    without another request, after which the same would have to be asked again.

    :param labels: that are about to be set or suggested.
    :raises LookAgain: something has changed.
    """
    issue = work.issues.find(job.subject.repository.id, job.number)
    if issue is None:
        raise SnapshotOutdated("the issue was forgotten")
    state = _heard(work, job, issue)
    keys = frozenset(map(name_key, labels))
    added = frozenset(key for key, act in snapshot.acts.people.items() if act == "added")
    listed = labels_kept(state.job.subject.repository).names
    if state.job.configuration != job.configuration or state.pushed:
        raise SnapshotOutdated("the configuration has changed")
    if why := state.closed_because or _closed_since(state.job.subject.issue, snapshot):
        raise SnapshotOutdated(why)
    if state.removed & keys - added or (not job.is_retry and state.taken_off & keys):
        raise SnapshotOutdated("a label was taken off")
    labels_seen = {key for key in snapshot.labels.names if is_label(key)}
    if keys & labels_seen - listed.keys():
        raise SnapshotOutdated("a label was renamed or deleted")
    if any(map(is_type, keys)) and _was_typed_since(state.job.subject.issue, snapshot):
        raise SnapshotOutdated("the issue has a type by now")


def _closed_since(issue: StoredIssue, snapshot: Snapshot) -> str | None:
    """Why the issue is closed, where a webhook told of it that is later than the look."""
    issue_seen = snapshot.issue
    if issue.state == "open" or issue_seen is None or snapshot.again:
        return None
    if issue.updated_at and issue_seen.updated_at and issue.updated_at < issue_seen.updated_at:
        return None
    return "the issue is closed"


def _was_typed_since(issue: StoredIssue, snapshot: Snapshot) -> bool:
    """Whether a webhook told of a type that is later than the look."""
    issue_seen = snapshot.issue
    if not issue.type or issue_seen is None or issue_seen.type:
        return False
    if name_key(type_target(issue.type)) not in snapshot.acts.last:
        return not snapshot.again
    return bool(
        issue.updated_at and issue_seen.updated_at and issue.updated_at > issue_seen.updated_at
    )


async def acts_since(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, writes: Iterable[Write]
) -> LabelActs:
    """`Snapshot.acts` once more, after `writes` were made or taken back."""
    if _keeps_none(job):
        return await asyncio.to_thread(
            _heard_acts, job, snapshot.issue, snapshot.own_login, tuple(writes)
        )
    timeline = await client.timeline(job.full_name, job.number)
    return label_acts(
        timeline, snapshot.own_login, (*snapshot.writes, *writes), job.subject.renames
    )


def _keeps_none(job: IssueJob) -> bool:
    """Whether GitHub keeps no timeline of what is labelled."""
    return job.subject.issue.target == "discussions"


def _heard_acts(
    job: IssueJob,
    issue: Issue | None,
    own_login: str | None,
    writes: Sequence[Write] | None = None,
) -> LabelActs:
    """A discussion's acts, from the store.

    :param writes: made or taken back since the look; None: this is the look.
    """
    present = issue.label_names if issue else frozenset()
    with job.context.store.read() as work:
        repository_id = job.subject.repository.id
        history = work.labels.history(repository_id, job.number)
        stored = work.writes.list(repository_id=repository_id, number=job.number, form="label")
    if writes is not None:
        return heard_acts(history, present, writes, own_login)
    own = in_doubt(history, present, stored)
    return heard_acts(history, present, own, own_login, complete=True)


def with_pending(
    snapshot: Snapshot, *, pending: frozenset[str], dismissed: frozenset[str]
) -> Snapshot:
    """The look once the repository's suggestions were read; names are folded."""
    situation = replace(
        snapshot.situation,
        pending=pending,
        removed=snapshot.situation.removed | dismissed,
    )
    return replace(snapshot, situation=situation)


@dataclass(frozen=True)
class _StoredState:
    """What the store says once GitHub was asked.

    :ivar removed: what people took off, folded.
    :ivar taken_off: what the bot had set and anybody took off, folded.
    :ivar pushed: the configuration may have changed: a push was not followed yet.
    """

    job: IssueJob
    writes: tuple[Write, ...]
    removed: frozenset[str]
    taken_off: frozenset[str]
    own_runs: frozenset[int]
    closed_because: str | None
    pushed: bool


def _known_now(job: IssueJob) -> _StoredState:
    with job.context.store.read() as work:
        return _heard(work, job, work.issues.get(job.subject.repository.id, job.number))


def heard_now(job: IssueJob) -> IssueJob:
    """The job by what the store has heard until now. Blocks.

    :raises LookAgain: the issue was forgotten.
    """
    with job.context.store.read() as work:
        issue = work.issues.find(job.subject.repository.id, job.number)
        if issue is None:
            raise SnapshotOutdated("the issue was forgotten")
        return _up_to_date(work, job, issue)


def _stored(job: IssueJob) -> Repository:
    with job.context.store.read() as work:
        return work.repositories.by_id(job.subject.repository.id)


def _heard(work: UnitOfWork, job: IssueJob, issue: StoredIssue) -> _StoredState:
    job = _up_to_date(work, job, issue)
    writes = work.writes.list(repository_id=job.subject.repository.id, number=job.number)
    removed, off = work.labels.taken_away(issue.id)
    runs = [work.writes.run(run_id) for run_id in {write.run_id for write in writes}]
    why = opt_out.WHY if opt_out.is_told_off(job.subject.issue) else None
    if job.run_id is not None and work.writes.run(job.run_id).finished_at is not None:
        why = "its run was ended"
    own_runs = frozenset(run.id for run in runs if _is_own(run, job))
    pushed = is_pushed_since(work, job.subject.repository)
    removed, off = (frozenset(map(name_key, names)) for names in (removed, off))
    return _StoredState(job, writes, removed, off, own_runs, why, pushed)


def _up_to_date(work: UnitOfWork, job: IssueJob, issue: StoredIssue) -> IssueJob:
    """The job with what the store has heard of its issue, repository and labels since."""
    repository = work.repositories.by_id(job.subject.repository.id)
    renames = work.labels.renames(repository.id)
    rules = known_configuration(repository) or job.configuration
    subject = Subject(repository, issue, renames)
    return replace(job, subject=subject, configuration=rules.renamed(renames))


def _is_own(run: WriteRun, job: IssueJob) -> bool:
    """Whether what the run meant to write is this job's to finish."""
    if job.run_id is not None:
        return run.id == job.run_id
    return run.delivery_id is not None and run.delivery_id == job.delivery_id


def _standing(writes: tuple[Write, ...], issue: Issue) -> frozenset[str]:
    """Folded names of what the bot set or suggested and nobody took back, as far as known.

    What was only intended counts once it is on the issue: a crash came between.
    """
    on_issue = set(map(name_key, issue.target_names))
    return frozenset(
        name_key(write.label)
        for write in writes
        if write.state in _STANDING
        or (write.state == "intended" and name_key(write.label) in on_issue)
    )


def _fallback_key(job: IssueJob) -> frozenset[str]:
    label = job.configuration.fallback_label
    return frozenset({name_key(label)} if label else ())


async def _was_transferred(job: IssueJob, client: GitHubClient, issue: Issue) -> bool:
    """Whether a redirect led to where the issue is now: no longer in this repository.

    :raises Moved: it led to this repository under another name, so that it holds for all issues;
        or the name is another repository's by now.
    """
    elsewhere = lives_elsewhere(issue, job.full_name, job.number)
    if not elsewhere and not _is_another(job, issue):
        return False
    if issue.number == job.number:  # a transfer may have kept it by chance
        now = await client.repository(job.full_name)
        ours = job.subject.repository.github_id
        given_away = None not in {now.id, ours} and now.id != ours
        if given_away or (elsewhere and not lives_elsewhere(issue, now.full_name, job.number)):
            raise Moved(f"issue {job.full_name}#{job.number}", 301, location=issue.repository_url)
    return True


def _is_another(job: IssueJob, issue: Issue) -> bool:
    """Whether it is not the issue that the delivery tells of, by GitHub's ids."""
    expected = _filed_id(job)
    return expected is not None and issue.id is not None and issue.id != expected


def _filed_id(job: IssueJob) -> int | None:
    """GitHub's id of the issue, as the delivery tells it."""
    return issue_id_in(job.claim.payload) if job.claim else None


def _closed_because(job: IssueJob, issue: Issue) -> str | None:
    if not job.configuration.covers(issue.target):
        return "targets leaves it out"
    if issue.state != "open":
        return "the issue is closed"
    if issue.locked:
        return "the conversation is locked"
    why = job.configuration.ignores(
        author=issue.user.login if issue.user else "",
        title=issue.title,
        labels=issue.label_names,
        created_at=issue.created_at or job.subject.issue.created_at,
        now=job.context.clock(),
    )
    return f"ignored: {why}" if why else None
