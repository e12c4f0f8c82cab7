"""Shows an invalid configuration file where its author looks.

As a failed check run on the commit; where checks are not permitted, as one issue that is edited in
place. Once the file is right, the check run passes and the issue is closed.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from bot.configuration.effective import CONFIGURATION_PATH
from bot.github.errors import Forbidden, Gone, Invalid, NotFound
from bot.github.markdown import code_span
from bot.receiving.actors import is_own
from store.records import BEING_MADE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.configuration import Problem
    from bot.configuration.last_reading import Reading
    from bot.github.client import GitHubClient
    from bot.receiving.handler_context import HandlerContext
    from store.records import Repository

CHECK_NAME = "issue-tagger configuration"
TITLE = f"issue-tagger: {CONFIGURATION_PATH} cannot be used"
MARK = "<!-- issue-tagger: configuration -->"
"""How the bot finds its own issue again after a crash."""
MAX_ANNOTATIONS = 50
"""https://docs.github.com/rest/checks/runs#create-a-check-run"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownNotice:
    """What stands on GitHub.

    :ivar failing: whether it says that the file is invalid.
    :ivar head: the commit that `check_run` belongs to.
    :ivar issue: its number, 0 where there is none; `BEING_MADE`.
    """

    failing: bool = False
    head: str = ""
    check_run: int = 0
    issue: int = 0

    @classmethod
    def of(cls, repository: Repository) -> Self:
        stored = repository.configuration_notice
        return cls() if stored is None else cls.from_json(stored)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(stored["failing"], stored["head"], stored["check_run"], stored["issue"])

    def to_json(self) -> dict[str, Any]:
        """As stored in `Repository.configuration_notice`."""
        return asdict(self)


@dataclass(frozen=True)
class _NoticePlace:
    """Where a notice goes."""

    context: HandlerContext
    client: GitHubClient
    repository: Repository
    began: datetime = field(repr=False)

    @property
    def name(self) -> str:
        return self.repository.full_name

    async def keep(self, shown: ShownNotice) -> None:
        await asyncio.to_thread(self._keep, shown)

    def _keep(self, shown: ShownNotice) -> None:
        with self.context.store.begin() as work:
            work.repositories.set_configuration_notice(self.repository.id, shown.to_json())


async def show(
    context: HandlerContext,
    client: GitHubClient,
    repository: Repository,
    reading: Reading,
    head: str,
) -> None:
    """Bring what stands on GitHub into line with the file.

    Only a repository's own file concerns it: its organisation's is shown where that is.

    :param head: the commit that the file was read at.
    :raises GitHubError: GitHub could not be asked; asking again repairs it.
    """
    if not is_needed(repository, reading):
        return
    problems, before = reading.own_problems, ShownNotice.of(repository)
    place = _NoticePlace(context, client, repository, context.clock())
    try:
        checked = await _check(place, before, problems, head)
    except (Forbidden, NotFound):  # a token may not make check runs, nor may every App
        await _tell_in_issue(place, before, problems)
        return
    except Invalid:  # the commit is gone: a later push has its own webhook
        log.warning("no check run could be made", extra={"repository": repository.full_name})
        return
    await place.keep(checked)


def is_needed(repository: Repository, reading: Reading) -> bool:
    """Whether there is anything to show, or to take back."""
    return bool(reading.own_problems) or ShownNotice.of(repository).failing


async def _check(
    place: _NoticePlace, before: ShownNotice, problems: Sequence[Problem], head: str
) -> ShownNotice:
    conclusion = "failure" if problems else "success"
    output = check_output(problems)
    if before.check_run and before.head == head:
        await place.client.update_check_run(
            place.name, before.check_run, conclusion=conclusion, output=output
        )
        return replace(before, failing=bool(problems))
    run = await place.client.create_check_run(
        place.name, CHECK_NAME, head, conclusion=conclusion, output=output
    )
    return replace(before, failing=bool(problems), head=head, check_run=run.id)


def check_output(problems: Sequence[Problem]) -> dict[str, Any]:
    """A check run's title, summary and annotations; these stand beside the lines they name."""
    if not problems:
        return {"title": "The file can be used", "summary": f"{CONFIGURATION_PATH} is in force."}
    number = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
    return {
        "title": f"The file cannot be used: {number}",
        "summary": _in_words(problems),
        "annotations": [_annotation(problem) for problem in problems[:MAX_ANNOTATIONS]],
    }


def issue_body(problems: Sequence[Problem]) -> str:
    """The body of the issue that stands in for a check run."""
    if not problems:
        return f"{MARK}\n{code_span(CONFIGURATION_PATH)} can be used again."
    advice = f"{code_span('issue-tagger validate FILE')} checks a file before it is pushed."
    return f"{MARK}\n{_in_words(problems)}\n\n{advice} This issue closes once the file is right."


def _in_words(problems: Sequence[Problem]) -> str:
    lines = [f"- line {code_span(str(problem))}" for problem in problems[:MAX_ANNOTATIONS]]
    more = len(problems) - len(lines)
    lines += [f"- and {more} more"] if more > 0 else []
    first = f"{code_span(CONFIGURATION_PATH)} is invalid and changes nothing: what held before it"
    return "\n".join([f"{first} still holds.", "", *lines])


def _annotation(problem: Problem) -> dict[str, Any]:
    return {
        "path": CONFIGURATION_PATH,
        "start_line": problem.line,
        "end_line": problem.line,
        "annotation_level": "failure",
        "title": problem.key or "the file",
        "message": problem.message,
    }


async def _tell_in_issue(
    place: _NoticePlace, before: ShownNotice, problems: Sequence[Problem]
) -> None:
    try:
        number = await _standing_issue(place, before)
        if number and await _edit(place, number, problems):
            await place.keep(replace(before, failing=bool(problems), issue=number))
        elif problems:
            await _open(place, before, problems)
        else:
            await place.keep(replace(before, failing=False, issue=0))
    except (Forbidden, Gone, Invalid, NotFound) as refused:
        log.warning(
            "the configuration's problems can be shown nowhere",
            extra={"repository": place.name, "reason": str(refused)},
        )


async def _open(place: _NoticePlace, before: ShownNotice, problems: Sequence[Problem]) -> None:
    """Make the issue; that one is being made is put down first, so that a crash makes no second."""
    await place.keep(replace(before, issue=BEING_MADE))
    made = await place.client.create_issue(place.name, TITLE, issue_body(problems))
    await place.keep(replace(before, failing=True, issue=made.number))


async def _edit(place: _NoticePlace, number: int, problems: Sequence[Problem]) -> bool:
    """False: somebody deleted the issue."""
    state = "open" if problems else "closed"
    try:
        await place.client.edit_issue(place.name, number, body=issue_body(problems), state=state)
    except (NotFound, Gone):
        return False
    return True


async def _standing_issue(place: _NoticePlace, before: ShownNotice) -> int:
    """The number of the bot's issue, 0 where there is none."""
    if before.issue != BEING_MADE:
        return before.issue
    login = await place.context.own_login()
    async for page in place.client.issues(place.name, state="open"):
        for issue in page.items:
            if issue.body.startswith(MARK) and is_own(issue.user, login):
                return issue.number
    return 0
