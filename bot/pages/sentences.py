"""What the pages say in words, told from documents. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.pages.rendering import harmless
from bot.signin.viewers import HERE

if TYPE_CHECKING:
    from bot.api.documents import ReviewItemDocument, TodayDocument
    from bot.api.learning_documents import LabelActDocument
    from bot.api.teaching_documents import TeachDocument

Group = tuple[str, str, str, list["ReviewItemDocument"]]
"""An anchor, a title, what it means, and the labels."""


def day_sentence(day: TodayDocument, days: int) -> str:
    """The first thing to read."""
    since = "since yesterday" if days == 1 else "today" if days == 0 else f"for {days} days"
    if not day.predicted:
        return f"Nothing was looked at {since}."
    deeds = [item.deed for item in day.spoken_of]
    counts = {
        "set": deeds.count("set"),
        "suggested": deeds.count("suggested"),
        "would set": deeds.count("would be set"),
        "would suggest": deeds.count("would be suggested"),
    }
    done = [f"{verb} {count}" for verb, count in counts.items() if count]
    done += [f"left {len(day.left)} without a label"] if day.left else []
    shown = len({item.number for item in (*day.spoken_of, *day.left)})
    looked = f"{_count(day.predicted, 'issue')} looked at {since}"
    of = "" if shown >= day.predicted else f", {shown} of them here"
    return f"{looked}{of}: {', '.join(done)}."


def day_groups(day: TodayDocument) -> list[Group]:
    """What is to be decided first, then what was set, then what was left."""
    suggesting = {"suggested", "would be suggested"}
    suggested = [item for item in day.spoken_of if item.deed in suggesting]
    done = [item for item in day.spoken_of if item.deed in {"set", "would be set"}]
    return [
        ("decide", "To decide", "Likely, but not sure enough to be set without a person.",
         suggested),
        ("set", "Set", "Sure enough, or would be in mode apply. Take back what is wrong.", done),
        ("left", "Left alone", "The likeliest label of issues where none was likely enough.",
         list(day.left)),
    ]  # fmt: skip


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def together(items: list[ReviewItemDocument], place: int) -> str:
    """How a label is joined to those of the same issue beside it: "again", "more", or both."""
    number = items[place].number
    again = place > 0 and items[place - 1].number == number
    more = place + 1 < len(items) and items[place + 1].number == number
    return " ".join(word for word, is_so in (("again", again), ("more", more)) if is_so)


def teaching_sentence(teach: TeachDocument) -> str:
    """How far the teaching has come."""
    if teach.step:
        return f"{_count(teach.answered, 'issue')} answered; learning from them now."
    rise = f"the F1 to expect is {teach.expected_f1:.2f}"
    if not teach.answered and not teach.learned:
        return f"Nothing is labelled yet; {rise}, from what labels are called."
    if not teach.answered:
        return f"It learned from {_count(teach.learned, 'labelled issue')}; {rise}."
    more = _count(teach.until_next, "answer")
    return f"{_count(teach.answered, 'issue')} answered; {rise}. It learns again after {more}."


def change_sentence(teach: TeachDocument) -> str:
    """What the last lesson brought; "" where there was none."""
    change = teach.change
    if change is None:
        return ""
    moved = change.expected_f1 - change.expected_f1_before
    verb = "rose" if moved > 0.005 else "fell" if moved < -0.005 else "stayed"
    words = f"The last lesson learned from {_count(change.answers, 'issue')} more: the F1 to expect"
    words += f" {verb} to {change.expected_f1:.2f} (from {change.expected_f1_before:.2f})."
    if change.new_servable:
        words += f" Servable from now on: {', '.join(change.new_servable)}."
    return words


def act_sentence(act: LabelActDocument) -> str:
    """Who did what to a label."""
    people = {"self": "this bot", "unknown": "somebody"}
    who = people.get(act.actor_kind) or act.actor or "somebody"
    who = "who opened the pages here" if act.source == "page" and who == HERE else harmless(who, 60)
    verbs = {"added": "approved", "removed": "dismissed"} if act.source == "page" else _VERBS
    return f"{verbs[act.action]} by {who}"


_VERBS = {"added": "set", "removed": "taken off"}
