"""Why a label, and how certain: what GitHub shows beside it, by what was measured alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.labels import ReasonedLabel

if TYPE_CHECKING:
    from bot.github.labels import Confidence
    from bot.labelling.policy import LabelChoice
    from tagger.domain.decision import LabelDecision


def reasoned(choice: LabelChoice) -> ReasonedLabel:
    """The label of a choice with what GitHub shows beside it."""
    return ReasonedLabel(choice.label, rationale(choice.decision), confidence(choice))


def rationale(decision: LabelDecision) -> str:
    """The probability, the threshold, and the nearest precedent.

    That goes by its number alone: a title is people's text, and may mention somebody.
    """
    words = f"{decision.score:.0%} likely; threshold {decision.cut:.0%}"
    precedents = [each for each in decision.neighbours if decision.name in each.labels]
    return f"{words}; most like #{precedents[0].number}, which has it" if precedents else words


def confidence(choice: LabelChoice) -> Confidence | None:
    """High where the label's precision is guaranteed, medium where its own threshold is met.

    None where people are asked about a label below its threshold: nothing was measured that could
    be claimed.
    """
    by_verdict: dict[str, Confidence] = {"apply": "high", "suggest": "medium"}
    return by_verdict.get(choice.decision.decision)
