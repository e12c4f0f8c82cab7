"""The label history of a repository: its issue events, newest first, walked once and resumed. Pure.

https://docs.github.com/rest/issues/events lists newest first, so new events push older ones to
later pages while one walks. That repeats some, which changes nothing, and skips none: what came in
since the walk began is the next walk's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.github.resource import KnownPage
from bot.receiving.actors import accounted, acts_of, kind_of, target_acts
from store.engine.text import name_key
from store.records import LabelEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from bot.github.models import IssueEvent
    from bot.github.resource import Page
    from bot.receiving.actors import TargetAct
    from store.records import Action, Write

OwnAct = tuple[int, str, str]
"""Issue number, folded label, action: what the bot's records say that it did itself."""


@dataclass(frozen=True, slots=True)
class EventWalk:
    """How far the events are read.

    :ivar until: the newest event of the last walk that went to its end; 0: none did.
    :ivar newest: the newest event of the present walk.
    :ivar next: the page to go on with; None: no walk is under way.
    :ivar known: the first page's URL and ETag.
    """

    until: int = 0
    newest: int = 0
    next: str | None = None
    known: Mapping[str, KnownPage] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> EventWalk:
        """From what `as_json` made; from the beginning where nothing was kept."""
        if not stored:
            return cls()
        known_pages = {url: KnownPage(**page) for url, page in stored["known"].items()}
        return cls(stored["until"], stored["newest"], stored["next"], known_pages)

    def as_json(self) -> dict[str, Any]:
        pages = {url: asdict(page) for url, page in self.known.items()}
        return {"until": self.until, "newest": self.newest, "next": self.next, "known": pages}

    def after(self, page: Page[IssueEvent]) -> EventWalk:
        """Once the page's events are stored."""
        ids = [event.id for event in page.items if event.id is not None]
        first = self.next is None
        newest = max([self.newest, *ids])
        known_pages = (
            {page.url: page.known} if first and page.known else {} if first else self.known
        )
        if page.next is None or (ids and min(ids) <= self.until):
            return EventWalk(until=newest, newest=newest, known=known_pages)
        return replace(self, newest=newest, next=page.next, known=known_pages)

    def ended(self) -> EventWalk:
        """Where GitHub hands out no further page."""
        return EventWalk(until=self.newest, newest=self.newest, known=self.known)


def own_acts(writes: Iterable[Write]) -> frozenset[OwnAct]:
    """What the bot did to labels, or was about to do when it was last heard of."""
    return frozenset(
        _act_on(write.number, action, name_key(write.label))
        for write in writes
        for action in acts_of(write)
    )


def label_events(
    events: Sequence[IssueEvent],
    own_login: str | None,
    acts_of_bot: Collection[OwnAct] = (),
    renames: Mapping[str, str] | None = None,
) -> Iterator[LabelEvent]:
    """Acts on labels and types, each with who did it.

    Other events, and those without an issue, are left out.

    :param events: newest first; acts come oldest first, for GitHub's time knows only seconds and
        the history keeps acts of one second in the order in which it gets them.
    :param renames: folded former name → present name, as in `own`; an event keeps the name of
        its time.
    """
    for event in reversed(events):
        if event.issue is None or event.created_at is None:
            continue
        acts = [act for act in target_acts(event) if act.target]
        number = event.issue.number
        # who changes a type takes the former one away by it
        own = [_own_act(number, act, renames) for act in acts[-1:]]
        wrote = bool(own) and own[0] in acts_of_bot
        for act in acts:
            yield LabelEvent(
                number=number,
                label=act.target,
                action=act.action,
                at=event.created_at,
                actor=event.actor.login if event.actor else None,
                actor_kind=kind_of(event.actor, own_login, wrote=wrote),
                source="sync",
                key=f"event {event.id}",
            )


def _own_act(number: int, act: TargetAct, renames: Mapping[str, str] | None) -> OwnAct:
    present = name_key((renames or {}).get(name_key(act.target), act.target))
    return _act_on(number, act.action, present)


def _act_on(number: int, action: Action, key: str) -> OwnAct:
    act, target = accounted(action, key)
    return number, target, act
