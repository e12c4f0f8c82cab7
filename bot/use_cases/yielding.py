"""After a write: look again until what people did last stands, whenever they did it.

GitHub has no conditional write, so somebody may act between the look and the write. What that
somebody did is seen in the timeline afterwards, and the bot gives way: its label goes where a
person had removed it or chosen another of its group, closed the issue or switched the label off,
and a label that the bot took away goes back where a person had just set it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.configuration import Mode
from bot.errors import LookAgain
from bot.github.errors import Gone, NotFound
from bot.use_cases import told_off
from bot.use_cases.label_writes import set_labels, take_off
from bot.use_cases.look import acts_since, heard_now
from bot.use_cases.policy import may_write
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

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


async def settle(
    job: Job,
    client: GitHubClient,
    look: Look,
    mine: Mapping[str, Write],
    fresh: Collection[str] = (),
) -> Settled:
    """Look, give way, look again.

    :param mine: folded label → the write that set it, for what this job may touch.
    :param fresh: those of them that this job has set.
    :raises LookAgain: the issue is gone.
    """
    settled = Settled(look.acts)
    known = list(mine.values())
    for _ in range(MOST_ROUNDS):
        try:
            settled.acts = await acts_since(job, client, look, known)
        except (NotFound, Gone) as error:
            raise LookAgain("the issue is gone") from error
        existing = look.labels.names
        against = await asyncio.to_thread(_against, job, settled.acts, fresh, existing)
        wrong = list(amends(mine, settled.acts, job.configuration, existing, against))
        for one in wrong:
            await _make(job, client, look, mine[one.key], one, settled)
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
    against: Mapping[str, str] | None = None,
) -> Iterable[Amends]:
    """What the bot did last and a person's word speaks against.

    :param mine: folded labels that the bot may touch.
    :param existing: folded labels that the repository has.
    :param against: folded labels that came too late, and why.
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
        elif person is None and against and key in against:
            yield Amends(key, "removed", against[key])
        elif person is None and rivals:
            yield Amends(key, "removed", f"a person chose {min(rivals)}")
        elif person is None and key == fallback and present - {key}:
            yield Amends(key, "removed", "a label arrived")


def _against(
    job: Job, acts: LabelActs, fresh: Collection[str], existing: Mapping[str, str]
) -> dict[str, str]:
    """Why labels that were just set are not wanted: what was heard since, or seen to come before.

    Who closed the issue or switched the label off before it came has not asked for it.
    """
    if not fresh:
        return {}
    why = {key: acts.too_late[key] for key in fresh if key in acts.too_late}
    now = heard_now(job)
    for key in fresh:
        if told_off.is_told_off(now.subject.issue):
            why[key] = told_off.WHY
        elif not _may_be_set(key, now.configuration, existing):
            why[key] = "the configuration has changed"
    return why


def _may_be_set(
    key: str, configuration: RepositoryConfiguration, existing: Mapping[str, str]
) -> bool:
    if key == name_key(configuration.fallback_label or ""):
        return may_write(configuration, existing.values())
    return configuration.mode_for(existing.get(key, key)) is Mode.APPLY


async def _make(
    job: Job, client: GitHubClient, look: Look, write: Write, one: Amends, settled: Settled
) -> None:
    if one.action == "removed":
        await take_off(job, client, write, one.reason)
        settled.undone[one.key] = one.reason
    else:
        await set_labels(job, client, look, [write])
        settled.undone.pop(one.key, None)
        settled.restored.add(one.key)
