"""`/tagger why|retry|off|retrain|report` in a comment, for those who may label issues here.

Whoever may not gets silence: no answer, no reaction. What takes long is asked for and done by
others (`store.tasks`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from bot.configuration.values import Commands
from bot.errors import LookAgain
from bot.github.errors import Forbidden, Gone, NotFound
from bot.github.models import Comment, parse
from bot.markdown import code_span
from bot.use_cases import told_off
from bot.use_cases.answering import answer
from bot.use_cases.command_line import COMMANDS, nearest_command, read_command
from bot.use_cases.configuration import current_configuration
from bot.use_cases.desk import Ending, sender_of
from bot.use_cases.explaining import decision_of, explanation
from bot.use_cases.job import RETRY, Job
from bot.use_cases.look import heard_now, look_again
from bot.use_cases.policy import plan
from bot.use_cases.suggesting import is_locked
from bot.use_cases.tag_issue import left_alone, policy_for, subject_of
from bot.use_cases.task_answers import asked_for, request
from store.records import DeliveryRecord
from tagger.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.release_shelf import OnShelf
    from bot.use_cases.desk import Desk
    from bot.use_cases.job import Subject
    from store.records import ClaimedDelivery, StoredPrediction
    from tagger.decision import LabelDecision


_HEARD_LATE = "a later command speaks against it"


@dataclass(frozen=True)
class _Order:
    """A command that is obeyed; the job as for any other issue, and what it has for certain."""

    job: Job
    client: GitHubClient
    claim: ClaimedDelivery


async def obey(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """Do what a comment asks for, and answer it.

    :raises GitHubError: nothing is lost, the delivery runs again and makes no second answer.
    """
    comment = claim.payload.get("comment")
    word = read_command(str(comment.get("body") or "")) if isinstance(comment, dict) else None
    subject = await asyncio.to_thread(subject_of, desk, claim)
    if word is None or subject is None:
        return await desk.ignore(claim, "there is no command, or no issue")
    client = await desk.client(claim, subject.repository)
    if client is None:
        return await desk.ignore(claim, "there are no credentials for GitHub")
    configuration = await current_configuration(
        desk.store, client, subject.repository, desk.clock()
    )
    if why := await _refused(client, configuration, subject, claim):
        return await desk.ignore(claim, why)
    job = Job(desk, claim, subject, configuration.renamed(subject.renames), client)
    return await (_OBEYED.get(word) or partial(_teach, word))(_Order(job, client, claim))


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


async def _why(order: _Order) -> Ending:
    """Explain the latest prediction; where there is none, what the release says now."""
    kept = await asyncio.to_thread(_latest, order.job)
    if kept is not None:
        decisions: Sequence[LabelDecision] = [decision_of(label) for label in kept.labels]
        first = f"Predicted {kept.at:%Y-%m-%d %H:%M} UTC by release {code_span(kept.release)}"
    else:
        shelved = await asyncio.to_thread(_shelved, order.job)
        if shelved is None:
            return await _say(order, _no_release(order.job))
        first = f"Not predicted before; release {code_span(shelved.id)} says"
        decisions = await _scored(order.job, shelved)
    return await _say(order, f"{first}:\n\n{await _told(order, decisions)}")


async def _retry(order: _Order) -> Ending:
    """Take the issue up again, as it is now; what people decided on it stands all the same."""
    job = order.job
    if await asyncio.to_thread(_remember, told_off.RETRY, order):
        return await job.desk.ignore(order.claim, _HEARD_LATE)
    subject = await asyncio.to_thread(subject_of, job.desk, order.claim) or job.subject
    if why := left_alone(job.configuration, subject.issue, job.desk.clock()):
        return await _say(order, f"This issue is left alone: {code_span(why)}.")
    shelved = await asyncio.to_thread(_shelved, job)
    if shelved is None:
        return await _say(order, _no_release(job))
    told = await _told(order, await _scored(job, shelved), again=True)
    first = f"Tagged again by release {code_span(shelved.id)}"
    if why := await _answered(order, f"{first}:\n\n{told}"):
        return await job.desk.ignore(order.claim, why)
    await asyncio.to_thread(_tag_again, order)
    return Ending("done")


async def _off(order: _Order) -> Ending:
    if not await asyncio.to_thread(_remember, told_off.OFF, order):
        return await order.job.desk.ignore(order.claim, _HEARD_LATE)
    again = code_span("/tagger retry")
    return await _say(order, f"This issue is left alone from now on; {again} takes it up again.")


async def _ask_for(kind: str, order: _Order) -> Ending:
    """Answer first: what is asked for may have ended before an answer that comes after it."""
    job = order.job
    text = asked_for(kind, waits=await asyncio.to_thread(_waits, kind, job))
    if why := await _answered(order, text):
        return await job.desk.ignore(order.claim, why)
    await asyncio.to_thread(_request, kind, order)
    return Ending("done")


async def _teach(word: str, order: _Order) -> Ending:
    near = nearest_command(word)
    hint = f" Did you mean {code_span(f'/tagger {near}')}?" if near else ""
    known = ", ".join(code_span(f"/tagger {one}") for one in COMMANDS)
    return await _say(order, f"Commands are {known}.{hint}")


async def _say(order: _Order, text: str) -> Ending:
    if why := await _answered(order, text):
        return await order.job.desk.ignore(order.claim, why)
    return await order.job.desk.finish(order.claim)


async def _answered(order: _Order, text: str) -> str | None:
    """Answer, where that is still wanted; returns why nothing was said, None where it was."""
    job = order.job
    heard = await asyncio.to_thread(_heard, job)
    if heard is None or heard.configuration.commands is Commands.OFF:
        return "commands are off" if heard else "the issue is no longer in this repository"
    try:
        subject = heard.subject
        await answer(job.desk, order.client, subject.repository, subject.issue, text)
    except (Gone, NotFound):
        return "the issue is gone"
    except Forbidden as error:
        if not is_locked(error):
            raise
        return "the conversation is locked"
    return None


def _heard(job: Job) -> Job | None:
    """The job by what the store has heard until now; None: the issue was forgotten."""
    try:
        return heard_now(job)
    except LookAgain:
        return None


async def _told(order: _Order, decisions: Sequence[LabelDecision], *, again: bool = False) -> str:
    """What the rules make of the decisions as things stand on GitHub now.

    :param again: the issue is taken up again, so that what others took off does not count.
    """
    job, look = await look_again(order.job, order.client)
    situation = replace(look.situation, taken_off=frozenset()) if again else look.situation
    planned = plan(decisions, job.configuration, situation, job.subject.renames)
    issue = order.claim.payload.get("issue")
    page = issue.get("html_url") if isinstance(issue, dict) else None
    return explanation(planned.choices, str(page))


def _shelved(job: Job) -> OnShelf | None:
    return job.desk.shelf.active(job.subject.repository.id)


async def _scored(job: Job, shelved: OnShelf) -> Sequence[LabelDecision]:
    issue = job.subject.issue
    policy = policy_for(job.configuration, shelved.release.names, job.subject.renames)
    text = IssueText.of(issue.title, issue.body)
    return await job.desk.scoring.tag(shelved, text, policy)


def _latest(job: Job) -> StoredPrediction | None:
    with job.desk.store.read() as work:
        return work.predictions.latest(job.subject.repository.id, job.number)


def _tag_again(order: _Order) -> None:
    """Put the issue into the line of those to be tagged, and end the command."""
    job, claim = order.job, order.claim
    now = job.desk.clock()
    again = DeliveryRecord(
        guid=f"{claim.guid}-{RETRY}",
        event="issues",
        action=RETRY,
        payload=claim.payload,
        received_at=now,
        repository=job.full_name,
        issue_number=job.number,
    )
    with job.desk.store.begin() as work:
        work.inbox.accept(again)
        work.inbox.finish(claim, now)


def _remember(word: Literal["off", "retry"], order: _Order) -> bool:
    """Whether the issue is left alone, now that this is known as well."""
    said_at = parse(Comment, order.claim.payload.get("comment"), "comment").created_at
    with order.job.desk.store.begin() as work:
        issue = order.job.subject.issue
        return told_off.remember_said(work, issue, word, said_at or order.claim.received_at)


def _waits(kind: str, job: Job) -> bool:
    """Whether the task is due already, and has not begun."""
    with job.desk.store.read() as work:
        found = work.tasks.find(kind, job.subject.repository.id)
    return bool(
        found and found.state == "waiting" and found.due_at and found.due_at <= job.desk.clock()
    )


def _request(kind: str, order: _Order) -> None:
    """Ask for the task and end the command, in one: a repeat of it asks for nothing."""
    job, now = order.job, order.job.desk.clock()
    with job.desk.store.begin() as work:
        request(work, kind, job.subject.repository, order.claim, now)
        work.inbox.finish(order.claim, now)


def _no_release(job: Job) -> str:
    command = code_span(f"issue-tagger retrain {job.full_name}")
    return f"There is no release yet that could say anything: {command} makes one."


_OBEYED: dict[str, Callable[[_Order], Awaitable[Ending]]] = {
    "why": _why,
    "retry": _retry,
    "off": _off,
    "retrain": partial(_ask_for, "retrain"),
    "report": partial(_ask_for, "report"),
}
