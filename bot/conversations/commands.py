"""`/tagger why|retry|off|retrain|report` in a comment, for those who may label issues here.

Whoever may not gets silence: no answer, no reaction. What takes long is asked for and done by
others (`store.queues.tasks`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from bot.advising.advice import NO_ADVICE
from bot.advising.advice_words import public_lines
from bot.configuration.effective import current_configuration
from bot.configuration.values import Commands
from bot.conversations.answering import answer
from bot.conversations.task_answers import asked_for, request
from bot.errors import SnapshotOutdated
from bot.github.errors import Forbidden, Gone, Invalid, NotFound
from bot.github.markdown import code_span
from bot.github.models import Comment, parse
from bot.labelling import opt_out
from bot.labelling.explanations import decision_of, explanation
from bot.labelling.issue_job import RETRY, IssueJob
from bot.labelling.policy import plan
from bot.labelling.snapshot import heard_now, look_again
from bot.labelling.suggesting import is_locked
from bot.labelling.tag_issue import left_alone, likely_labels, policy_for, subject_of
from bot.receiving.command_lines import COMMANDS, nearest_command, read_command
from bot.receiving.handler_context import Ending, sender_of
from store.records import DeliveryRecord
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.advising.advice import Advice
    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.labelling.issue_job import Subject
    from bot.model_serving.release_cache import LoadedRelease
    from bot.receiving.handler_context import HandlerContext
    from store.records import ClaimedDelivery, StoredPrediction
    from tagger.domain.decision import LabelDecision


_HEARD_LATE = "a later command speaks against it"


@dataclass(frozen=True)
class _Command:
    """A command that is obeyed; the job as for any other issue, and what it has for certain."""

    job: IssueJob
    client: GitHubClient
    claim: ClaimedDelivery


async def obey(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """Do what a comment asks for, and answer it.

    :raises GitHubError: nothing is lost, the delivery runs again and makes no second answer.
    """
    comment = claim.payload.get("comment")
    word = read_command(str(comment.get("body") or "")) if isinstance(comment, dict) else None
    subject = await asyncio.to_thread(subject_of, context, claim)
    if word is None or subject is None:
        return await context.ignore(claim, "there is no command, or no issue")
    client = await context.client(claim, subject.repository)
    if client is None:
        return await context.ignore(claim, "there are no credentials for GitHub")
    configuration = await current_configuration(
        context.store, client, subject.repository, context.clock()
    )
    if why := await _refused(client, configuration, subject, claim):
        return await context.ignore(claim, why)
    job = IssueJob(context, claim, subject, configuration.renamed(subject.renames), client)
    return await (_OBEYED.get(word) or partial(_teach, word))(_Command(job, client, claim))


async def _refused(
    client: GitHubClient,
    configuration: RepositoryConfiguration,
    subject: Subject,
    claim: ClaimedDelivery,
) -> str | None:
    """Why whoever commented is not obeyed, asked of GitHub anew each time; None: they are."""
    if configuration.commands is Commands.OFF:
        return "commands are off"
    sender = sender_of(claim)
    if sender is None or not sender.login or sender.is_bot:
        return "a bot gives no commands"
    permission = await client.permission(subject.repository.full_name, sender.login)
    if not permission.reaches(configuration.commands):
        return f"the sender has not the role {configuration.commands}"
    return None


async def _why(order: _Command) -> Ending:
    """Explain the latest prediction; where there is none, what the release says now."""
    prediction = await asyncio.to_thread(_latest, order.job)
    if prediction is not None:
        decisions: Sequence[LabelDecision] = [decision_of(label) for label in prediction.labels]
        release = code_span(prediction.release)
        first = f"Predicted {prediction.at:%Y-%m-%d %H:%M} UTC by release {release}"
    else:
        cached = await asyncio.to_thread(_cached, order.job)
        if cached is None:
            return await _say(order, _no_release(order.job))
        first = f"Not predicted before; release {code_span(cached.id)} says"
        decisions = await _scored(order.job, cached)
    return await _say(order, f"{first}:\n\n{await _told(order, decisions)}")


async def _retry(order: _Command) -> Ending:
    """Take the issue up again, as it is now; what people decided on it stands all the same."""
    job = order.job
    if await asyncio.to_thread(_remember, opt_out.RETRY, order):
        return await job.context.ignore(order.claim, _HEARD_LATE)
    subject = await asyncio.to_thread(subject_of, job.context, order.claim) or job.subject
    if why := left_alone(job.configuration, subject.issue, job.context.clock()):
        return await _say(order, f"This issue is left alone: {code_span(why)}.")
    cached = await asyncio.to_thread(_cached, job)
    if cached is None:
        return await _say(order, _no_release(job))
    why_untagged = await _told(order, await _scored(job, cached), again=True)
    first = f"Tagged again by release {code_span(cached.id)}"
    if why := await _answered(order, f"{first}:\n\n{why_untagged}"):
        return await job.context.ignore(order.claim, why)
    await asyncio.to_thread(_tag_again, order)
    return Ending("done")


async def _off(order: _Command) -> Ending:
    if not await asyncio.to_thread(_remember, opt_out.OFF, order):
        return await order.job.context.ignore(order.claim, _HEARD_LATE)
    again = code_span("/tagger retry")
    return await _say(order, f"This issue is left alone from now on; {again} takes it up again.")


async def _ask_for(kind: str, order: _Command) -> Ending:
    """Answer first: what is asked for may have ended before an answer that comes after it."""
    job = order.job
    text = asked_for(kind, waits=await asyncio.to_thread(_waits, kind, job))
    if why := await _answered(order, text):
        return await job.context.ignore(order.claim, why)
    await asyncio.to_thread(_request, kind, order)
    return Ending("done")


async def _teach(word: str, order: _Command) -> Ending:
    nearest = nearest_command(word)
    hint = f" Did you mean {code_span(f'/tagger {nearest}')}?" if nearest else ""
    commands = ", ".join(code_span(f"/tagger {command}") for command in COMMANDS)
    return await _say(order, f"Commands are {commands}.{hint}")


async def _say(order: _Command, text: str) -> Ending:
    if why := await _answered(order, text):
        return await order.job.context.ignore(order.claim, why)
    return await order.job.context.finish(order.claim)


async def _answered(order: _Command, text: str) -> str | None:
    """Answer, where that is still wanted; returns why nothing was said, None where it was."""
    job = order.job
    issue_job = await asyncio.to_thread(_heard, job)
    if issue_job is None or issue_job.configuration.commands is Commands.OFF:
        return "commands are off" if issue_job else "the issue is no longer in this repository"
    try:
        subject = issue_job.subject
        await answer(job.context, order.client, subject.repository, subject.issue, text)
    except (Gone, NotFound):
        return "the issue is gone"
    except Invalid as error:
        return f"GitHub refused the answer: {error.message}"
    except Forbidden as error:
        if not is_locked(error):
            raise
        return "the conversation is locked"
    return None


def _heard(job: IssueJob) -> IssueJob | None:
    """The job by what the store has heard until now; None: the issue was forgotten."""
    try:
        return heard_now(job)
    except SnapshotOutdated:
        return None


async def _told(order: _Command, decisions: Sequence[LabelDecision], *, again: bool = False) -> str:
    """What the rules make of the decisions as things stand on GitHub now.

    :param again: the issue is taken up again, so that what others took off does not count.
    """
    job, snapshot = await look_again(order.job, order.client)
    situation = replace(snapshot.situation, taken_off=frozenset()) if again else snapshot.situation
    planned = plan(decisions, job.configuration, situation, job.subject.renames)
    issue = order.claim.payload.get("issue")
    page = issue.get("html_url") if isinstance(issue, dict) else None
    advised = list(public_lines(await asyncio.to_thread(_advice, order, decisions), str(page)))
    return "\n".join([explanation(planned.choices, str(page)), *advised])


def _advice(order: _Command, decisions: Sequence[LabelDecision]) -> Advice:
    """What is said of the issue as it is stored now; nothing is kept."""
    job, advisor = order.job, order.job.context.advisor
    if advisor is None:
        return NO_ADVICE
    subject, rules = job.subject, job.configuration
    likely = likely_labels(decisions, rules, subject.renames)
    return advisor.consider(subject.repository, rules, subject.issue, likely)


def _cached(job: IssueJob) -> LoadedRelease | None:
    return job.context.cache.active(job.subject.repository.id)


async def _scored(job: IssueJob, cached: LoadedRelease) -> Sequence[LabelDecision]:
    issue = job.subject.issue
    policy = policy_for(job.configuration, cached.release.names, job.subject.renames)
    text = IssueText.of(issue.title, issue.body)
    return await job.context.scoring.tag(cached, text, policy)


def _latest(job: IssueJob) -> StoredPrediction | None:
    with job.context.store.read() as work:
        return work.predictions.latest(job.subject.repository.id, job.number)


def _tag_again(order: _Command) -> None:
    """Put the issue into the line of those to be tagged, and end the command."""
    job, claim = order.job, order.claim
    now = job.context.clock()
    again = DeliveryRecord(
        guid=f"{claim.guid}-{RETRY}",
        event="issues",
        action=RETRY,
        payload=claim.payload,
        received_at=now,
        repository=job.full_name,
        issue_number=job.number,
    )
    with job.context.store.begin() as work:
        work.inbox.accept(again)
        work.inbox.finish(claim, now)


def _remember(word: Literal["off", "retry"], order: _Command) -> bool:
    """Whether the issue is left alone, now that this is known as well."""
    said_at = parse(Comment, order.claim.payload.get("comment"), "comment").created_at
    with order.job.context.store.begin() as work:
        issue = order.job.subject.issue
        return opt_out.remember_opt_out(work, issue, word, said_at or order.claim.received_at)


def _waits(kind: str, job: IssueJob) -> bool:
    """Whether the task is due already, and has not begun."""
    with job.context.store.read() as work:
        task = work.tasks.find(kind, job.subject.repository.id)
    return bool(
        task and task.state == "waiting" and task.due_at and task.due_at <= job.context.clock()
    )


def _request(kind: str, order: _Command) -> None:
    """Ask for the task and end the command, in one: a repeat of it asks for nothing."""
    job, now = order.job, order.job.context.clock()
    with job.context.store.begin() as work:
        request(work, kind, job.subject.repository, order.claim, now)
        work.inbox.finish(order.claim, now)


def _no_release(job: IssueJob) -> str:
    command = code_span(f"issue-tagger retrain {job.full_name}")
    return f"There is no release yet that could say anything: {command} makes one."


_OBEYED: dict[str, Callable[[_Command], Awaitable[Ending]]] = {
    "why": _why,
    "retry": _retry,
    "off": _off,
    "retrain": partial(_ask_for, "retrain"),
    "report": partial(_ask_for, "report"),
}
