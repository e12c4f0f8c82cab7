"""Who set or removed a label: this bot, another bot, or a person, whose word nobody overturns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.receiving.command_lines import OWN_MARK
from store.engine.text import name_key
from store.provenance import PEOPLE
from store.records.issue_types import PREFIX, is_type, type_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.github.models import IssueEvent, User
    from store.records import Action, ActorKind, Write

_ACTS: dict[str, Action] = {"labeled": "added", "unlabeled": "removed"}
_TYPE_ACTS = frozenset({"issue_type_added", "issue_type_changed", "issue_type_removed"})
"""https://docs.github.com/rest/using-the-rest-api/issue-event-types"""
ANY_TYPE = PREFIX
"""Stands for the type of an issue, whichever it is: who takes it away need not say which."""
_ENDS = {"closed": "the issue was closed", "locked": "the conversation was locked"}
_BEGINS = {"reopened": "closed", "unlocked": "locked"}


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


def is_own_doing(sender: User | None, own_login: str | None, body: str) -> bool:
    """Whether what happened to an issue is the bot's own doing.

    Under a token that is a person's own, that person files issues and labels them too: then only
    the issues of the bot are its own, told by how they begin.

    :param body: the issue's text.
    """
    if sender is None or not is_own(sender, own_login):
        return False
    return sender.is_bot or body.startswith(OWN_MARK)


@dataclass(frozen=True)
class LastAct:
    """What happened to a label last, and by whom."""

    action: Action
    kind: ActorKind
    login: str = field(default="", compare=False)


@dataclass(frozen=True)
class TypeAct:
    """A type that was set or taken away, and whose act it was; `target` as GitHub spells it."""

    target: str
    action: Action
    kind: ActorKind


@dataclass(frozen=True)
class TargetAct:
    """One act of an event; `target` as GitHub spells it. A change of types is two acts."""

    target: str
    action: Action


def target_acts(event: IssueEvent) -> tuple[TargetAct, ...]:
    """What an event says of labels and types, none for an event that says nothing of them."""
    action = _ACTS.get(event.event)
    if action is not None:
        return (TargetAct(event.label.name, action),) if event.label is not None else ()
    if event.event not in _TYPE_ACTS:
        return ()
    before, after = event.prev_issue_type, event.issue_type
    gone = (TargetAct(type_target(before), "removed"),) if before else ()
    come = (TargetAct(type_target(after), "added"),) if after else ()
    return (*gone, *come)


@dataclass(frozen=True)
class LabelActs:
    """An issue's label history in short; names are folded, and those of today.

    :ivar last: what was done with a label last.
    :ivar people: what a person did with it last, where one did.
    :ivar taken_off: what the bot had set and anyone else took off last.
    :ivar untouched: what the bot set, and nobody else has ever set or taken off.
    :ivar too_late: what was set last on an issue that was closed or locked by then, and which.
    :ivar type_last: what was done last about the issue's type; `type_by_others`: what anybody but
        the bot did last.
    :ivar ever_removed: what anybody took off at some time, also where it was set again.
    """

    last: Mapping[str, LastAct] = field(default_factory=dict)
    people: Mapping[str, Action] = field(default_factory=dict)
    taken_off: frozenset[str] = frozenset()
    untouched: frozenset[str] = frozenset()
    too_late: Mapping[str, str] = field(default_factory=dict)
    type_last: TypeAct | None = None
    type_by_others: TypeAct | None = None
    ever_removed: frozenset[str] = frozenset()

    @property
    def on_issue(self) -> frozenset[str]:
        """Labels that were added last."""
        return frozenset(key for key, act in self.last.items() if act.action == "added")


def acts_of(write: Write) -> tuple[Action, ...]:
    """What the bot did about a label, or was about to do: what it took back it had set before.

    To suggest is no act, and where it left a label alone somebody else had acted.
    """
    if write.form != "label" or write.state == "left":
        return ()
    taken_back = write.state == "undone" or write.is_being_taken_back
    return ("added", "removed") if taken_back else ("added",)


class OwnActs:
    """What the bot's records account for on one issue: each write for each of its acts once.

    Whoever shares the login may do the same by hand: what goes beyond the records is theirs.

    :param writes: of one that is given twice the later counts.
    :param told: actions and folded labels that were accounted for before.
    """

    def __init__(self, writes: Iterable[Write], events: Iterable[tuple[Action, str]] = ()) -> None:
        once = {write.id: write for write in writes}.values()
        self._open = Counter(
            accounted(act, name_key(write.label)) for write in once for act in acts_of(write)
        )
        self._open.subtract(accounted(act, key) for act, key in events)

    def kind_of(
        self, user: User | None, own_login: str | None, action: Action, key: str
    ) -> ActorKind:
        """Whose the next such act is, in the order in which they happened."""
        act = accounted(action, key)
        kind = kind_of(user, own_login, wrote=self._open[act] > 0)
        if kind != kind_of(user, own_login, wrote=False):
            self._open[act] -= 1
        return kind

    def kinds_of(
        self, user: User | None, own_login: str | None, acts: Sequence[tuple[Action, str]]
    ) -> list[ActorKind]:
        """Whose the acts of one event are: who changes a type takes the former one away by it."""
        kind = self.kind_of(user, own_login, *acts[-1]) if acts else "unknown"
        return [kind] * len(acts)


def accounted(action: Action, key: str) -> tuple[Action, str]:
    """What the records account for; whichever type was there goes when a type is taken away."""
    return action, ANY_TYPE if action == "removed" and is_type(key) else key


def label_acts(
    timeline: Iterable[IssueEvent],
    own_login: str | None,
    writes: Iterable[Write] = (),
    renames: Mapping[str, str] | None = None,
) -> LabelActs:
    """Read a timeline, oldest first.

    :param writes: what the bot's records say that it wrote, or was about to; of one that is
        given twice the later counts.
    :param renames: folded former name → present name; a timeline keeps the names of its time.
    """
    own_acts, history = OwnActs(writes), LabelTimeline()
    for event in timeline:
        history.ended(event.event)
        acts = target_acts(event)
        keyed = [(act.action, _present_key(act.target, renames)) for act in acts]
        kinds = own_acts.kinds_of(event.actor, own_login, keyed)
        login = event.actor.login if event.actor else ""
        for act, (action, key), kind in zip(acts, keyed, kinds, strict=True):
            history.act(key, LastAct(action, kind, login))
            if is_type(key):
                history.type_act(TypeAct(act.target, action, kind))
    return history.in_short()


def _present_key(name: str, renames: Mapping[str, str] | None) -> str:
    """As in the bot's records."""
    key = name_key(name)
    return name_key((renames or {}).get(key, key))


@dataclass
class LabelTimeline:
    """What a timeline has told so far."""

    last: dict[str, LastAct] = field(default_factory=dict)
    people: dict[str, Action] = field(default_factory=dict)
    set_by_bot: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    too_late: dict[str, str] = field(default_factory=dict)
    type_last: TypeAct | None = None
    type_by_others: TypeAct | None = None
    removed: set[str] = field(default_factory=set)
    _over: dict[str, str] = field(default_factory=dict)

    def ended(self, event: str) -> None:
        if event in _ENDS:
            self._over[event] = _ENDS[event]
        self._over.pop(_BEGINS.get(event, ""), None)

    def act(self, key: str, act: LastAct) -> None:
        action, kind = act.action, act.kind
        self.last[key] = act
        self.too_late.pop(key, None)
        if action == "removed":
            self.removed.add(key)
        if kind in PEOPLE:
            self.people[key] = action
        if kind != "self":
            self.touched.add(key)
        elif action == "added":
            self.set_by_bot.add(key)
            if self._over:
                self.too_late[key] = next(iter(self._over.values()))

    def type_act(self, act: TypeAct) -> None:
        self.type_last = act
        if act.kind != "self":
            self.type_by_others = act

    def on_issue(self) -> frozenset[str]:
        """Labels that were added last."""
        return frozenset(key for key, act in self.last.items() if act.action == "added")

    def in_short(self) -> LabelActs:
        off = {key for key in self.set_by_bot if _by_others(self.last[key])}
        alone = self.set_by_bot - self.touched
        return LabelActs(
            self.last,
            self.people,
            frozenset(off),
            frozenset(alone),
            self.too_late,
            self.type_last,
            self.type_by_others,
            frozenset(self.removed),
        )


def _by_others(act: LastAct) -> bool:
    return act.action == "removed" and act.kind != "self"
