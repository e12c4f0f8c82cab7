"""Who set which label on a discussion: GitHub keeps no timeline, so it is what was heard and done.

What nobody told of, such as a label that was there at first sight, counts as a person's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.receiving.actors import LabelTimeline, LastAct, acts_of
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.receiving.actors import LabelActs
    from store.records import LabelEvent, Write


def heard_acts(
    history: Sequence[LabelEvent],
    present: Iterable[str],
    writes: Iterable[Write] = (),
    own_login: str | None = None,
    *,
    complete: bool = False,
) -> LabelActs:
    """As `label_acts` reads it off a timeline.

    :param history: as stored, the oldest first: webhooks, and writes once they are recorded.
    :param present: labels that the discussion has now.
    :param writes: what the bot did a moment ago, recorded or not.
    :param complete: nothing else is there now: what was set and is gone, somebody took off.
    """
    timeline = LabelTimeline()
    known = {name_key(event.label) for event in history}
    own = [(write, action) for write in writes for action in acts_of(write)]
    known |= {name_key(write.label) for write, _ in own}
    for key in map(name_key, present):
        if key not in known:
            timeline.act(key, LastAct("added", "unknown"))
    for event in history:
        act = LastAct(event.action, event.actor_kind, event.actor or "")
        timeline.act(name_key(event.label), act)
    if complete:
        for key in timeline.on_issue() - set(map(name_key, present)):
            timeline.act(key, LastAct("removed", "unknown"))
    recorded = {(event.key, event.action) for event in history if event.source == "write"}
    for write, action in own:
        if (f"write {write.id}", action) not in recorded:
            timeline.act(name_key(write.label), LastAct(action, "self", own_login or ""))
    return timeline.in_short()


def in_doubt(
    history: Iterable[LabelEvent], present: Iterable[str], writes: Iterable[Write]
) -> list[Write]:
    """Writes that an earlier attempt carried out, by what is there, and could not record."""
    known = {name_key(event.label) for event in history}
    there = set(map(name_key, present)) - known
    return [
        write for write in writes if write.state == "intended" and name_key(write.label) in there
    ]
