"""Who set or removed a label: this bot, another bot, or a person, whose word nobody overturns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from store.provenance import PEOPLE
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.github.models import IssueEvent, User
    from store.records import Action, ActorKind, Write

_ACTS: dict[str, Action] = {"labeled": "added", "unlabeled": "removed"}


def kind_of(user: User | None, own_login: str | None, *, wrote: bool) -> ActorKind:
    """Whose act on a label this is.

    A token may be a maintainer's own, so that the bot and a person share a login: then only what
    the bot is known to have written counts as its own.

    :param own_login: under which the bot acts; None where GitHub has not told yet.
    :param wrote: the bot's records say that it did (or was about to do) exactly this.
    """
    if user is None or not user.login:
        return "unknown"
    if own_login is None:
        # What the bot wrote must not pass for a person's word: nobody confirmed it.
        return "bot" if user.is_bot or wrote else "person"
    if user.login.casefold() == own_login.casefold():
        return "self" if user.is_bot or wrote else "person"
    return "bot" if user.is_bot else "person"


def is_own(user: User | None, own_login: str | None) -> bool:
    """Whether the bot itself caused an event, by its login alone."""
    return user is not None and own_login is not None and (
        user.login.casefold() == own_login.casefold()
    )  # fmt: skip


@dataclass(frozen=True)
class LastAct:
    """What happened to a label last, and by whom."""

    action: Action
    kind: ActorKind


@dataclass(frozen=True)
class LabelActs:
    """An issue's label history in short; names are folded, and those of today.

    :ivar last: what was done with a label last.
    :ivar people: what a person did with it last, where one did.
    """

    last: Mapping[str, LastAct] = field(default_factory=dict)
    people: Mapping[str, Action] = field(default_factory=dict)

    @property
    def on_issue(self) -> frozenset[str]:
        """Labels that were added last."""
        return frozenset(key for key, act in self.last.items() if act.action == "added")


def _wrote(write: Write) -> tuple[Action, ...]:
    """What the bot did, or was about to do: what it took back it had set before."""
    return ("added", "removed") if write.state == "undone" else ("added",)


def label_acts(
    timeline: Iterable[IssueEvent],
    own_login: str | None,
    writes: Iterable[Write] = (),
    renames: Mapping[str, str] | None = None,
) -> LabelActs:
    """Read a timeline, oldest first.

    :param writes: what the bot's records say that it wrote, or was about to.
    :param renames: folded former name → present name; a timeline keeps the names of its time.
    """
    wrote = {(action, name_key(write.label)) for write in writes for action in _wrote(write)}
    last: dict[str, LastAct] = {}
    people: dict[str, Action] = {}
    for event in timeline:
        action = _ACTS.get(event.event)
        if action is None or event.label is None:
            continue
        key = name_key(event.label.name)
        key = name_key((renames or {}).get(key, key))  # as in the bot's records
        kind = kind_of(event.actor, own_login, wrote=(action, key) in wrote)
        last[key] = LastAct(action, kind)
        if kind in PEOPLE:
            people[key] = action
    return LabelActs(last, people)
