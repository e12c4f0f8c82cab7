"""Who set or removed a label: this bot, another bot, or a person, whose word nobody overturns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.github.models import IssueEvent, User
    from store.records import Action, ActorKind

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


def last_acts_by_people(
    timeline: Iterable[IssueEvent],
    own_login: str | None,
    *,
    added: Collection[str] = (),
    removed: Collection[str] = (),
) -> dict[str, Action]:
    """Folded label → what a person did with it last, from an issue's timeline, oldest first.

    :param added: folded labels that the bot's records say it added; `removed` likewise.
    """
    last: dict[str, Action] = {}
    for event in timeline:
        action = _ACTS.get(event.event)
        if action is None or event.label is None:
            continue
        key = name_key(event.label.name)
        wrote = key in (added if action == "added" else removed)
        if kind_of(event.actor, own_login, wrote=wrote) in {"person", "unknown"}:
            last[key] = action
    return last
