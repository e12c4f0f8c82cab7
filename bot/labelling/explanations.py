"""Why the bot says what it says, in Markdown: scores, thresholds, votes, nearest issues. Pure.

Titles and names of people's making stand in code spans: nothing in them is markup or a mention.
Numbers of other issues are links that leave no trace there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.github.markdown import code_span, issue_link
from tagger.domain.decision import UNFAMILIAR, LabelDecision, Neighbour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.labelling.policy import LabelChoice
    from store.records import PredictedLabel

MAX_SHOWN = 8
"""Labels; more would bury the answer."""
ALWAYS_SHOWN = 3
MAX_NEIGHBOURS = 3

UNFAMILIAR_WORDS = "it is unlike the issues that were learned from, so nothing is set"

NOTHING_TO_GO_BY = (
    "- The issue says nothing: it has no words, or none that any labelled issue taught. "
    "No label is set or suggested."
)


def explanation(choices: Sequence[LabelChoice], page: str) -> str:
    """What becomes of the likeliest labels, and why.

    :param choices: the most certain first.
    :param page: the issue's own page, which tells where the others are.
    """
    if choices and all(choice.decision.says_nothing for choice in choices):
        return NOTHING_TO_GO_BY
    spoken_of = [choice for choice in choices if choice.decision.decision != "abstain"]
    rest = [choice for choice in choices if choice.decision.decision == "abstain"]
    shown = [*spoken_of, *rest[: max(ALWAYS_SHOWN - len(spoken_of), 0)]][:MAX_SHOWN]
    lines = [line for choice in shown for line in _of_label(choice, page)]
    hidden = len(choices) - len(shown)
    if hidden:
        lines.append(f"- {hidden} more labels are less likely.")
    return "\n".join(lines)


def decision_of(label: PredictedLabel) -> LabelDecision:
    """A decision as it was recorded."""
    neighbours = tuple(
        Neighbour(
            neighbour["number"],
            neighbour["title"],
            tuple(neighbour["labels"]),
            neighbour["similarity"],
        )
        for neighbour in label.neighbours
    )
    return LabelDecision(
        label.name,
        label.score,
        label.cut,
        label.decision,
        label.decided_by,
        label.votes,
        neighbours,
    )


def _of_label(choice: LabelChoice, page: str) -> Iterator[str]:
    decision = choice.decision
    verb = {"apply": "set", "suggest": "suggested", "skip": "left alone"}[choice.action]
    yield (
        f"- {code_span(choice.label)} {decision.score:.2f} (threshold {decision.cut:.2f}): "
        f"{verb}, {_plain(choice.reason)}"
    )
    if decision.votes:
        votes = sorted(decision.votes.items(), key=lambda vote: (-vote[1], vote[0]))
        votes_text = ", ".join(f"{name} {score:.2f}" for name, score in votes)
        unfamiliar = decision.decided_by == UNFAMILIAR
        why = UNFAMILIAR_WORDS if unfamiliar else f"{decision.decided_by} weighed most"
        yield f"  - votes: {votes_text}; {why}"
    neighbours = list(_nearest(decision.neighbours, page))
    if neighbours:
        yield f"  - nearest: {'; '.join(neighbours)}"


def _nearest(neighbours: Iterable[Neighbour], page: str) -> Iterator[str]:
    for neighbour in list(neighbours)[:MAX_NEIGHBOURS]:
        labels = ", ".join(code_span(label) for label in neighbour.labels) or "no label"
        yield (
            f"{issue_link(page, neighbour.number)} {code_span(neighbour.title, 100)} "
            f"{neighbour.similarity:.2f} ({labels})"
        )


def _plain(reason: str) -> str:
    """A reason may quote a label, a title's pattern or a login."""
    return reason if re.fullmatch(r"[\w ,:'-]*", reason) else code_span(reason)
