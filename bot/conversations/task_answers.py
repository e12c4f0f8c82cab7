"""Tells issues what came of the trainings and reports that were asked for on them.

A task that ends puts a delivery for each issue that asked into the inbox, in the transaction that
ends it: the answer waits for GitHub, is repeated and survives kills like all other work, and a
task that ran twice has ended once. The bot's one answer on the issue is edited.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from bot.conversations.answering import amend, line_mark
from bot.github.markdown import code_span, issue_link
from bot.labelling.tag_issue import subject_of
from bot.receiving.handler_context import sender_of
from store.records import DeliveryRecord

if TYPE_CHECKING:
    from datetime import datetime

    from bot.receiving.handler_context import Ending, HandlerContext
    from store.records import ClaimedDelivery, ClaimedTask, Repository
    from store.unit_of_work import UnitOfWork

EVENT = "task"
"""An event that is none of GitHub's: something that was asked for in a comment has ended."""

End = Literal["done", "refused", "given up"]

_WHAT = {"retrain": "training", "report": "report"}
_LONGEST = 500
"""Characters of an outcome."""


def asked_for(kind: str, *, waits: bool) -> str:
    """What is answered to the command.

    :param waits: it was asked for before and has not begun.
    """
    state = "was asked for already and still waits" if waits else "is asked for"
    return (
        f"A {_WHAT[kind]} {state}; it runs beside the tagging of issues, and what came of it will "
        f"stand here.{line_mark(kind)}"
    )


def request(
    work: UnitOfWork, kind: str, repository: Repository, claim: ClaimedDelivery, now: datetime
) -> None:
    """Ask for a task on behalf of a comment, whose issue is told of its end."""
    sender, issue = sender_of(claim), claim.payload.get("issue")
    page = issue.get("html_url") if isinstance(issue, dict) else None
    requests = {claim.guid: {"number": claim.issue_number, "page": str(page)}}
    login = sender.login if sender else ""
    work.tasks.request(kind, repository.id, now, by=login, detail=requests)


def put_into_inbox(
    work: UnitOfWork, task: ClaimedTask, end: End, outcome: str, now: datetime
) -> None:
    """Have those told who asked for this run; in the unit of work that ends it."""
    requests = {
        guid: answer_request
        for guid, answer_request in task.detail.items()
        if isinstance(answer_request, dict)
    }
    if task.repository_id is None or task.kind not in _WHAT or not requests:
        return
    repository = work.repositories.by_id(task.repository_id)
    for guid, answer_request in requests.items():
        payload = {
            "end": end,
            "said": outcome,
            "at": now.isoformat(),
            "page": answer_request["page"],
        }
        work.inbox.accept(
            DeliveryRecord(
                guid=f"{guid}-ended",
                event=EVENT,
                action=task.kind,
                payload={**payload, "repository": {"id": repository.github_id}},
                received_at=now,
                repository=repository.full_name,
                issue_number=answer_request["number"],
                aside=True,  # as the command was
            )
        )


async def tell(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """The job on such a delivery.

    :raises GitHubError: nothing is lost, the delivery runs again and says nothing twice.
    """
    subject = await asyncio.to_thread(subject_of, context, claim)
    if subject is None:
        return await context.ignore(claim, "the issue is no longer in this repository")
    client = await context.client(claim, subject.repository)
    if client is None:
        return await context.ignore(claim, "there are no credentials for GitHub")
    line = ended(str(claim.action), claim.payload, subject.repository)
    if not await amend(context, client, subject.repository, subject.issue, line):
        return await context.ignore(claim, "somebody has deleted the answer")
    return await context.finish(claim)


def ended(kind: str, answer: dict[str, Any], repository: Repository) -> str:
    """The line of the answer that says what came of it."""
    what, at = f"The {_WHAT[kind]}", str(answer["at"])[:16].replace("T", " ")
    outcome = code_span(str(answer["said"]), _LONGEST)
    if answer["end"] == "given up":
        text = (
            f"{what} failed again and again and was given up {at} UTC; the service's log says why."
        )
    elif answer["end"] == "refused":
        text = f"{what} was refused {at} UTC: {outcome}."
    else:
        text = f"{what} ended {at} UTC: {outcome}{_link(kind, answer, repository)}."
    return text + line_mark(kind)


def _link(kind: str, answer: dict[str, Any], repository: Repository) -> str:
    number = repository.report_issue
    if kind != "report" or "issue #" not in answer["said"] or number is None:
        return ""
    return f", see {issue_link(str(answer['page']), number)}"
