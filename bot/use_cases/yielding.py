"""After a write: look again until what people did last stands, whenever they did it.

GitHub has no conditional write, so somebody may act between the look and the write. What that
somebody did is seen in the timeline afterwards, and the bot gives way: its label goes where a
person had removed it or chosen another of its group, and a label that the bot took away goes back
where a person had just set it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.github.errors import RateLimited, Refused, Unreachable
from bot.use_cases.look import acts_since
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.use_cases.actors import LabelActs
    from bot.use_cases.job import Job
    from bot.use_cases.look import Look
    from store.records import Action, Write

MOST_ROUNDS = 5
"""Each round but the first means that somebody acted within the last second."""


@dataclass(frozen=True)
class Amends:
    """What the bot must do to a label of its own."""

    key: str
    action: Action
    reason: str


@dataclass
class Settled:
    """How it stands in the end.

    :ivar undone: folded labels that were taken back, and why.
    :ivar restored: those that were put back because a person had set them.
    """

    acts: LabelActs
    undone: dict[str, str] = field(default_factory=dict)
    restored: set[str] = field(default_factory=set)


async def settle(job: Job, client: GitHubClient, look: Look, mine: Mapping[str, Write]) -> Settled:
    """Look, give way, look again.

    :param mine: folded label → the write that set it, for what this job may touch.
    """
    settled = Settled(look.acts)
    known = list(mine.values())
    for _ in range(MOST_ROUNDS):
        settled.acts = await acts_since(job, client, look, known)
        wrong = list(amends(mine, settled.acts, job.configuration, look.labels.names))
        for one in wrong:
            await _make(job, client, mine[one.key], one, settled)
            if one.action == "removed":  # or it would pass for a person's, who shares the login
                known.append(replace(mine[one.key], state="undone"))
        if not wrong:
            break
    return settled


def amends(
    mine: Iterable[str],
    acts: LabelActs,
    configuration: RepositoryConfiguration,
    existing: Iterable[str],
) -> Iterable[Amends]:
    """What the bot did last and a person's word speaks against.

    :param mine: folded labels that the bot may touch.
    :param existing: folded labels that the repository has.
    """
    fallback = name_key(configuration.fallback_label or "")
    present = acts.on_issue & frozenset(existing)
    chosen = frozenset(key for key in present if acts.last[key].kind != "self")
    for key in mine:
        last, person = acts.last.get(key), acts.people.get(key)
        if last is None or last.kind != "self":
            continue
        if last.action == "removed":
            if person == "added":
                yield Amends(key, "added", "a person set it")
            continue
        rivals = configuration.rivals(key, chosen)
        if person == "removed":
            yield Amends(key, "removed", "a person removed it")
        elif person is None and rivals:
            yield Amends(key, "removed", f"a person chose {min(rivals)}")
        elif person is None and key == fallback and present - {key}:
            yield Amends(key, "removed", "a label arrived")


async def take_off(job: Job, client: GitHubClient, write: Write, reason: str) -> None:
    """Take a label of the bot's off, put down first: GitHub's webhook may come before the record.

    :raises GitHubError: where nothing can have happened, it is no longer put down.
    """
    await asyncio.to_thread(_put_down, job, write, reason)
    try:
        await client.remove_label(job.full_name, job.number, write.label)
    except (RateLimited, Refused, Unreachable) as error:
        # The next removal under this login would pass for the bot's, and may be a person's.
        if not getattr(error, "may_have_happened", False):
            await asyncio.to_thread(_put_down, job, write, write.reason)
        raise


def _put_down(job: Job, write: Write, reason: str) -> None:
    with job.desk.store.begin() as work:
        work.writes.take_back(write.id, reason)


async def _make(
    job: Job, client: GitHubClient, write: Write, one: Amends, settled: Settled
) -> None:
    if one.action == "removed":
        await take_off(job, client, write, one.reason)
        settled.undone[one.key] = one.reason
    else:
        await client.add_labels(job.full_name, job.number, [write.label])
        settled.undone.pop(one.key, None)
        settled.restored.add(one.key)
