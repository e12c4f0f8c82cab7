"""Tags the issue of a delivery: finds out whether it is to be tagged at all, and scores it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.advising.advice import NO_ADVICE
from bot.configuration import Mode
from bot.configuration.effective import current_configuration
from bot.labelling import opt_out
from bot.labelling.deciding import act_on, may_have_written
from bot.labelling.issue_job import RETRY, IssueJob, Subject
from bot.receiving.actors import is_own_doing
from bot.receiving.command_lines import OWN_MARK
from bot.receiving.handler_context import Ending, repository_of, sender_of
from bot.repositories.changed_paths import read_paths
from store.engine.text import name_key
from store.records.issue_fields import attribute_of, is_label
from tagger.domain.decision import Policy
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.advising.advice import Advice
    from bot.configuration import RepositoryConfiguration
    from bot.model_serving.release_cache import LoadedRelease
    from bot.receiving.handler_context import HandlerContext
    from store.records import ClaimedDelivery, StoredIssue
    from tagger.domain.decision import LabelDecision


_KINDS = {"issues": "issues", "pull_requests": "pull requests", "discussions": "discussions"}


async def tag_issue(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """Do what `issues` opened, reopened or edited asks for.

    :raises GitHubError: GitHub could not be asked; nothing is lost, the delivery runs again.
    :raises ReleaseDamaged: the active release cannot be loaded.
    :raises LeaseLost: the delivery is no longer ours; nothing was recorded.
    """
    subject = await asyncio.to_thread(subject_of, context, claim)
    if subject is None:
        return await context.ignore(claim, "the issue is no longer in this repository")
    sender, own_login = sender_of(claim), await context.own_login()
    if claim.action != RETRY and is_own_doing(sender, own_login, subject.issue.body):
        return await context.ignore(claim, "the bot did this itself")
    now = context.clock()
    client = await context.client(claim, subject.repository)
    configuration = await current_configuration(context.store, client, subject.repository, now)
    configuration = configuration.renamed(subject.renames)
    delay = 0 if claim.action == RETRY else configuration.delay_seconds
    due_at = claim.received_at + timedelta(seconds=delay)
    if claim.received_at <= now < due_at:  # received in the future: the clock was set back
        return await context.postpone(claim, due_at, "delay_seconds have not passed")
    job = IssueJob(context, claim, subject, configuration, client).on_its_kind()
    why = left_alone(configuration, subject.issue, now)
    # What an earlier attempt wrote is looked after, whatever the rules say by now.
    if why and not await asyncio.to_thread(may_have_written, job):
        return await context.ignore(claim, why)
    target = subject.issue.target
    cached = await asyncio.to_thread(context.cache.active, subject.repository.id, target)
    if cached is None:
        name = subject.repository.full_name
        only = "" if target == "issues" else f" --target {target}"
        return await context.ignore(claim, f"no release yet: run issue-tagger retrain {name}{only}")
    return await _tag(await _with_paths(job), cached)


async def _with_paths(job: IssueJob) -> IssueJob:
    """The job with the files that its pull request changes; an issue changes none."""
    issue = job.subject.issue
    if not issue.is_pull_request or issue.paths is not None or job.client is None:
        return job
    paths = await read_paths(job.context.store, job.client, job.full_name, issue)
    return replace(job, subject=replace(job.subject, issue=replace(issue, paths=paths)))


def left_alone(
    configuration: RepositoryConfiguration, issue: StoredIssue, now: datetime
) -> str | None:
    """Why an issue is not even scored, or None where it is."""
    if not configuration.covers(issue.target):
        return f"{_KINDS[issue.target]} are not tagged"
    if issue.body.startswith(OWN_MARK):
        return "the bot wrote this issue itself"
    if opt_out.is_told_off(issue):
        return opt_out.WHY
    if configuration.mode == "off" and not any(
        label.mode not in {None, "off"} for label in configuration.labels.values()
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


async def _tag(job: IssueJob, cached: LoadedRelease) -> Ending:
    decisions = await _score(job, cached)
    # What the audit draws and the week's questions are shares of issues, and so is what is advised.
    of_issue = job.subject.issue.target == "issues"
    if of_issue:
        job = replace(job, advice=await asyncio.to_thread(_advise, job, decisions))
    await act_on(job, cached.id, decisions, may_ask=of_issue)
    return Ending("done")


def _advise(job: IssueJob, decisions: Sequence[LabelDecision]) -> Advice:
    advisor, subject, rules = job.context.advisor, job.subject, job.configuration
    if advisor is None:
        return NO_ADVICE
    likely = likely_labels(decisions, rules, subject.renames)
    return advisor.advise(subject.repository, rules, subject.issue, likely, job.context.clock())


def likely_labels(
    decisions: Iterable[LabelDecision],
    configuration: RepositoryConfiguration,
    renames: Mapping[str, str],
) -> list[str]:
    """Present names of what a release sets or suggests and the file does not rule out."""
    names = (
        renames.get(name_key(decision.name), decision.name)
        for decision in decisions
        if decision.decision != "abstain"
    )
    return [name for name in names if configuration.mode_for(name) is not Mode.OFF]


def subject_of(context: HandlerContext, claim: ClaimedDelivery) -> Subject | None:
    repository = repository_of(context, claim)
    if repository is None or claim.issue_number is None:
        return None
    with context.store.read() as work:
        issue = work.issues.find(repository.id, claim.issue_number)
        renames = work.labels.renames(repository.id)
    return None if issue is None else Subject(repository, issue, renames)


async def _score(job: IssueJob, cached: LoadedRelease) -> tuple[LabelDecision, ...]:
    issue, configuration = job.subject.issue, job.configuration
    labels = cached.release.names
    text = (
        (issue.title, issue.body) if job.by_present_text else (issue.filed_title, issue.filed_body)
    )
    began = time.perf_counter()
    policy = policy_for(configuration, labels, job.subject.renames)
    read = IssueText.of(*text, place=issue.place)
    decisions = await job.context.scoring.tag(cached, read, policy)
    job.context.metrics.tagging_seconds.observe(time.perf_counter() - began)
    return tuple(label.without(issue.number) for label in decisions)


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
    of_attributes = defaultdict(list)
    for label in present.values():
        if not is_label(label):
            of_attributes[attribute_of(label)].append(label)
    groups = (
        tuple(spelled[name.casefold()] for name in group if name.casefold() in spelled)
        for group in (*configuration.exclusive, *of_attributes.values())
    )
    return Policy(
        default_precision=configuration.precision,
        precision={label: configuration.precision_for(now) for label, now in present.items()},
        exclusive=tuple(group for group in groups if len(group) > 1),
    )
