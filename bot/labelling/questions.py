"""What people are asked beyond the bot's own opinion: by chance, and because it teaches most. Pure.

The audit draws a share of issues. On them nothing is set: what would have been set or suggested
becomes a suggestion, and one label more is asked about, drawn from all others. Each question's
probability is known, so that live precision and miss rate can be told without bias. The weekly
budget asks about labels below their threshold whose answer teaches most.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.configuration import Mode
from bot.labelling.policy import open_questions, places, with_actions
from store.engine.text import name_key
from tagger.statistics.informativeness import informativeness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.configuration import RepositoryConfiguration
    from bot.labelling.policy import Action, LabelChoice, LabellingContext, Plan
    from store.records import AskedQuestion

MIN_SCORE = 1e-4
"""What a label is taken to score at least when one is drawn: each can be."""
MIN_KNOWN = 30
"""Issues after which it can be told which questions teach more than others."""
MIN_INFORMATIVENESS = 0.05
"""Questions that teach less than this are not asked, however much of the budget is left."""
DAYS_COMPARED = 28
"""How far back questions are compared with each other."""


@dataclass(frozen=True)
class QuestionContext:
    """What is known of a repository when a question may be asked.

    :ivar tagged: issues tagged so far.
    :ivar examples: issues that carry a label now, by its folded name.
    :ivar asked: questions of the weekly budget within the last `DAYS_COMPARED`.
    :ivar informativeness: by time, what the most informative question about each issue tagged
        within the last `DAYS_COMPARED` would have taught.
    """

    now: datetime
    tagged: int = 0
    examples: Mapping[str, int] = field(default_factory=dict)
    asked: tuple[AskedQuestion, ...] = ()
    informativeness: tuple[tuple[datetime, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """Why a label is asked about; `inclusion` as in `PredictedLabel`."""

    drawn: str
    inclusion: float | None = None


@dataclass(frozen=True)
class Asking:
    """The plan with its questions.

    :ivar drawings: by the name that the release gives the label.
    :ivar inclusion: probability with which the audit drew the issue; None where it did not.
    :ivar informativeness: as in `PredictionRecord`.
    """

    plan: Plan
    drawings: Mapping[str, Drawing] = field(default_factory=dict)
    inclusion: float | None = None
    informativeness: float | None = None


def is_audited(repository_id: int, number: int, share: float, tagged: int) -> bool:
    """Whether the audit draws this issue: always the same answer for the same issue.

    :param tagged: issues tagged so far. The audit begins with the issue at which one is to be
        expected: a share of fewer issues than that measures nothing and would only get in the way.
    """
    return share > 0 and tagged + 1 >= 1 / share and _uniform(repository_id, number, "draw") < share


def ask(
    planned: Plan,
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    standing: QuestionContext,
    issue: tuple[int, int],
    *,
    can_ask: bool = True,
) -> Asking:
    """Add the questions that the audit or the budget asks.

    :param issue: the repository's id and the issue's number.
    :param can_ask: whether people can be asked here at all; else nothing is held back either.
    """
    share = configuration.learning.audit_share
    if is_audited(*issue, share, standing.tagged):
        if not can_ask:
            return Asking(planned, _all_drawn(planned, configuration, {}), share)
        return _audit(planned, configuration, situation, share, _uniform(*issue, "questions"))
    return _spend(planned, configuration, situation, standing, can_ask=can_ask)


def worth_asking(choice: LabelChoice, standing: QuestionContext) -> float:
    """How much a person's answer would teach, in [0, 1]: uncertain, scarce, unlike those asked."""
    alone = informativeness(choice.decision.score, standing.examples.get(choice.key, 0))
    neighbours = frozenset(neighbour.number for neighbour in choice.decision.neighbours)
    same = [
        asked_question
        for asked_question in standing.asked
        if name_key(asked_question.label) == choice.key
    ]
    alike = max(
        (_overlap(neighbours, asked_question.neighbours) for asked_question in standing.asked),
        default=0.0,
    )
    return float(alone) * (1 - alike) / (1 + len(same))


def least_to_ask(budget: int, standing: QuestionContext) -> float | None:
    """What a question must teach to be asked, so that about `budget` are in a week; None: none is.

    The best of the last weeks' questions would have used the budget up; this one is to be as good.
    """
    history = standing.informativeness
    this_week = [
        asked_question
        for asked_question in standing.asked
        if (standing.now - asked_question.at).days < 7
    ]
    if len(history) < MIN_KNOWN or len(this_week) >= budget:
        return None
    weeks = max((standing.now - history[0][0]).total_seconds() / (7 * 86400), 1 / 7)
    number = max(1, round(budget * weeks))
    values = sorted((value for _, value in history), reverse=True)
    return max(values[number - 1] if number <= len(values) else 0.0, MIN_INFORMATIVENESS)


def inclusions(spoken: int, scores: Sequence[float], room: int) -> tuple[float, list[float]]:
    """Probability of being asked about: of each label spoken of, and of each of the others.

    One of the others is asked about, with a probability that grows with the square root of its
    score: so the estimate of how many labels are missed varies least. Where that is one too many
    for the issue, chance decides who gives way.
    """
    others = min(1.0, room / 2, len(scores))
    each = min(1.0, (room - others) / spoken) if spoken else 0.0
    roots = [math.sqrt(max(score, MIN_SCORE)) for score in scores]
    return each, [others * root / sum(roots) for root in roots]


def systematic(probabilities: Sequence[float], start: float) -> Iterator[int]:
    """Positions drawn with just these probabilities, by one random number in [0, 1).

    Madow's systematic sampling (1949): at most one is drawn of any stretch that sums to one.
    """
    reached = 0.0
    for position, probability in enumerate(probabilities):
        before, reached = reached, reached + probability
        if _rungs(reached - start) > _rungs(before - start):
            yield position


def _rungs(height: float) -> int:
    return math.ceil(round(height, 9))  # a sum of probabilities is not quite what it should be


def _audit(
    planned: Plan,
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    share: float,
    start: float,
) -> Asking:
    spoken = [choice for choice in planned.choices if choice.action != "skip"]
    others = open_questions(planned, configuration, situation)
    scores = [choice.decision.score for choice in others]
    each, rest = inclusions(len(spoken), scores, places(configuration, situation))
    probabilities = [each] * len(spoken) + rest
    drawn = set(systematic(probabilities, start))
    actions: dict[str, tuple[Action, str]] = {}
    scores_drawn: dict[str, float] = {}
    for position, choice in enumerate([*spoken, *others]):
        if position in drawn:
            actions[choice.label] = "suggest", "drawn for the audit: people are asked"
            scores_drawn[choice.decision.name] = share * probabilities[position]
        elif choice.action != "skip":
            actions[choice.label] = "skip", "left out by chance: the issue is audited"
    plan = with_actions(planned, actions, configuration, situation)
    return Asking(plan, _all_drawn(plan, configuration, scores_drawn), share)


def _all_drawn(
    planned: Plan, configuration: RepositoryConfiguration, drawn: Mapping[str, float]
) -> dict[str, Drawing]:
    """Every label of an audited issue that the bot speaks of in this repository."""
    return {
        choice.decision.name: Drawing("audit", drawn.get(choice.decision.name))
        for choice in planned.choices
        if configuration.mode_for(choice.label) in {Mode.SUGGEST, Mode.APPLY}
    }


def _spend(
    planned: Plan,
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    standing: QuestionContext,
    *,
    can_ask: bool,
) -> Asking:
    """Ask the most informative question, if the budget is there and it is informative enough."""
    budget = configuration.learning.weekly_suggestions
    spoken = [choice for choice in planned.choices if choice.action != "skip"]
    if not can_ask or len(spoken) >= places(configuration, situation):
        return Asking(planned)
    values = [
        (worth_asking(choice, standing), choice)
        for choice in open_questions(planned, configuration, situation)
    ]
    if not budget or not values:
        return Asking(planned)
    value, choice = max(values, key=lambda pair: (pair[0], pair[1].label))
    least = least_to_ask(budget, standing)
    if least is None or value < least:
        return Asking(planned, informativeness=value)
    drawn: dict[str, tuple[Action, str]] = {
        choice.label: ("suggest", "below the threshold, but its answer teaches much")
    }
    plan = with_actions(planned, drawn, configuration, situation)
    return Asking(plan, {choice.decision.name: Drawing("budget")}, informativeness=value)


def _overlap(first: frozenset[int], other: frozenset[int]) -> float:
    return len(first & other) / len(first | other) if first and other else 0.0


def _uniform(repository_id: int, number: int, what: str) -> float:
    """A number in [0, 1) that looks like chance and is the same in every attempt."""
    digest = hashlib.sha256(f"audit {repository_id} {number} {what}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
