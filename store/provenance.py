"""Whose word a label is: what people decided about an issue, told from its history. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.records.issue_fields import is_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from store.records import Action, ActorKind, Answer, LabelAction

PEOPLE = frozenset({"person", "unknown"})
"""Kinds of actor whose word counts as a person's: nobody may overturn what might be one."""


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of an issue's label history; `label` is folded (`store.engine.text.name_key`)."""

    label: str
    action: Action
    actor_kind: ActorKind
    at: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be learned from an issue's labels, all folded."""

    confirmed: frozenset[str]
    unconfirmed: frozenset[str]
    refused: frozenset[str]


@dataclass(frozen=True, slots=True)
class ImplicitConsent:
    """The rule that a bot's label which stood unopposed for so long counts as confirmed."""

    age: timedelta
    now: datetime


def last_by_people(acts: Iterable[Act]) -> dict[str, Action]:
    """Each label's last act by a person. `acts` in the order in which they happened."""
    return {act.label: act.action for act in acts if act.actor_kind in PEOPLE}


def judge(
    present: Iterable[str], acts: Sequence[Act], patience: ImplicitConsent | None = None
) -> Verdict:
    """Tell truth from a bot's word that nobody confirmed.

    A label on the issue is confirmed where a person set it last, where no act of it is recorded
    at all (it was imported without history), or where a person edited the issue's labels after
    a bot had set it and left it there. What a person took off last is refused, whoever set it
    again afterwards. Who sets a type or a field says nothing of labels, nor the other way round.
    """
    by_people = last_by_people(acts)
    last = {act.label: (position, act) for position, act in enumerate(acts)}
    by_hand = [(n, act.label) for n, act in enumerate(acts) if act.actor_kind in PEOPLE]
    last_edit = max((n for n, label in by_hand if is_label(label)), default=-1)

    def is_confirmed(label: str) -> bool:
        if label in by_people:
            return by_people[label] == "added"
        if label not in last:
            return True
        position, act = last[label]
        stood = patience is not None and patience.now - act.at >= patience.age
        return stood or (last_edit > position and is_label(label))

    labels = frozenset(present)
    confirmed = frozenset(filter(is_confirmed, labels))
    refused = frozenset(label for label, action in by_people.items() if action == "removed")
    return Verdict(confirmed, labels - confirmed, refused)


def declined(acts: Sequence[Act]) -> frozenset[str]:
    """Labels that this bot set or suggested, and that a person took off or turned down last.

    Only these make an issue an example of what a label is not. That a person takes off what
    another person or bot had set tells little: triage labels go when their work is done; on a page
    they were asked about the label itself.
    """
    proposed = {act.label for act in acts if act.actor_kind == "self" and act.action == "added"}
    proposed |= {act.label for act in acts if act.source in {"suggestion", "page"}}
    last = last_by_people(acts)
    return frozenset(label for label in proposed if last.get(label) == "removed")


def taken_off(acts: Iterable[Act]) -> frozenset[str]:
    """Labels that this bot had set, and that anybody else took off last.

    The bot does not set them again; but only where a person did it does it say what the issue is
    not (`declined`): another bot, or whoever acts through one, may have had any reason.
    """
    set_by_bot: set[str] = set()
    last: dict[str, Act] = {}
    for act in acts:
        last[act.label] = act
        if act.actor_kind == "self" and act.action == "added":
            set_by_bot.add(act.label)
    return frozenset(
        label
        for label in set_by_bot
        if last[label].action == "removed" and last[label].actor_kind != "self"
    )


def answer_to(
    label: str,
    action: LabelAction,
    present: Iterable[str],
    acts: Sequence[Act],
    patience: ImplicitConsent | None = None,
) -> tuple[Answer, datetime | None]:
    """What people said to a label that the bot set, suggested or kept to itself, and when.

    A person's act on the label counts whenever it was: the bot neither sets nor suggests what a
    person has spoken of before.

    :param label: folded, as are the names in `present` and `acts`.
    :param acts: the issue's whole history, in the order in which it happened.
    """
    of_label = [(position, act) for position, act in enumerate(acts) if act.label == label]
    by_people = [act for _, act in of_label if act.actor_kind in PEOPLE]
    if by_people:
        return _said(action, by_people[-1].action), by_people[-1].at
    if label not in frozenset(present):
        return "none", None
    if not of_label:
        return _said(action, "added"), None
    position, act = of_label[-1]
    later = [act.at for act in acts[position + 1 :] if act.actor_kind in PEOPLE]
    if action == "set" and later:
        return "confirmed", later[-1]
    if action == "set" and patience is not None and patience.now - act.at >= patience.age:
        return "confirmed", act.at + patience.age
    return "none", None


def _said(action: LabelAction, last: Action) -> Answer:
    if last == "removed":
        return "dismissed" if action == "suggested" else "removed"
    return "added" if action == "none" else "confirmed"
