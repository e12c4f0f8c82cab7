"""What chance and the weekly budget ask people, and with which probability."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes_bot import decision
from hypothesis import given
from hypothesis import strategies as st

from bot.configuration import parse
from bot.labelling.policy import LabellingContext, plan
from bot.labelling.questions import (
    MIN_INFORMATIVENESS,
    QuestionContext,
    ask,
    inclusions,
    is_audited,
    least_to_ask,
    systematic,
    worth_asking,
)
from store.records import AskedQuestion

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("bug", "docs", "feature", "question", "ui", "wip")
SEEN = LabellingContext({name: name for name in NAMES})
LONG = [(NOW - timedelta(days=14) + timedelta(hours=n), 0.2 + n / 1000) for n in range(100)]


def configuration(text: str = "", *, audit: float = 0, budget: int = 0):
    learning = f"learning: {{audit_share: {audit}, weekly_suggestions: {budget}}}\n"
    return parse(f"mode: apply\n{learning}{text}")


def asking(scores: dict[str, float], rules, standing: QuestionContext, number: int = 1, **given_):
    decisions = [
        decision(name, score, "suggest" if 0.5 < score < 0.8 else None)
        for name, score in scores.items()
    ]
    situation = given_.pop("situation", SEEN)
    planned = plan(decisions, rules, situation)
    return ask(planned, rules, situation, standing, (1, number), **given_)


def names(choices) -> set[str]:
    return {choice.label for choice in choices}


# the audit


def test_the_audit_draws_about_its_share_and_always_the_same_issues():
    drawn = [number for number in range(20_000) if is_audited(7, number, 0.02, 1000)]
    assert 330 < len(drawn) < 470
    assert drawn == [number for number in range(20_000) if is_audited(7, number, 0.02, 5000)]
    assert drawn != [number for number in range(20_000) if is_audited(8, number, 0.02, 1000)]


@pytest.mark.parametrize(("share", "tagged", "expected"), [(0, 10**6, 0), (1, 0, 100), (0.5, 0, 0)])
def test_the_audit_begins_where_one_issue_is_to_be_expected(share, tagged, expected):
    assert sum(is_audited(1, number, share, tagged) for number in range(100)) == expected


def test_an_audited_issue_gets_questions_instead_of_labels():
    scores = {"bug": 0.9, "docs": 0.6, "feature": 0.3, "ui": 0.1}
    asked = asking(scores, configuration(audit=1), QuestionContext(NOW))
    assert asked.plan.to_apply == ()
    assert {"bug", "docs"} < names(asked.plan.to_suggest)
    assert len(asked.plan.to_suggest) == 3, "and one label more"
    assert {name: one.drawn for name, one in asked.drawings.items()} == dict.fromkeys(
        scores, "audit"
    )
    assert asked.drawings["bug"].inclusion == 1
    assert asked.inclusion == 1


def test_where_nobody_can_be_asked_an_audit_holds_nothing_back():
    scores = {"bug": 0.9, "docs": 0.3}
    asked = asking(scores, configuration(audit=1), QuestionContext(NOW), can_ask=False)
    assert names(asked.plan.to_apply) == {"bug"}
    assert asked.plan.to_suggest == ()
    assert {one.inclusion for one in asked.drawings.values()} == {None}


def test_nothing_that_a_rule_forbids_is_asked():
    rules = configuration(
        "exclusive: [[bug, feature]]\nlabels: {docs: {mode: shadow}}\nignore: {labels: [wip]}",
        audit=1,
    )
    seen = replace(SEEN, removed=frozenset({"ui"}), on_issue=frozenset({"question"}))
    scores = dict.fromkeys(NAMES, 0.3) | {"bug": 0.9}
    asked = asking(scores, rules, QuestionContext(NOW), situation=seen)
    assert names(asked.plan.to_suggest) == {"bug"}
    assert set(asked.drawings) == {"bug", "feature", "question", "ui"}


@given(
    st.lists(st.floats(0, 1), max_size=12),
    st.integers(0, 6),
    st.integers(0, 6),
    st.floats(0, 0.999),
)
def test_probabilities_fit_the_room_and_what_is_drawn_fits_them(scores, spoken, room, start):
    spoken = min(spoken, room)
    each, rest = inclusions(spoken, scores, room)
    probabilities = [each] * spoken + rest
    assert all(0 <= one <= 1 + 1e-9 for one in probabilities)
    assert sum(probabilities) <= room + 1e-9
    assert not room or all(one > 0 for one in probabilities), "each label can be asked about"
    drawn = list(systematic(probabilities, start))
    assert abs(len(drawn) - sum(probabilities)) < 1 + 1e-6
    assert sum(position >= spoken for position in drawn) <= 1


def test_labels_are_drawn_with_the_probability_that_is_recorded():
    chance = random.Random(3)
    probabilities = [0.75, 0.75, 0.1, 0.3, 0.1]
    counts = Counter[int]()
    for _ in range(20_000):
        counts.update(systematic(probabilities, chance.random()))
    for position, probability in enumerate(probabilities):
        assert counts[position] / 20_000 == pytest.approx(probability, abs=0.015)


def test_weighing_by_the_probabilities_gives_the_true_miss_rate():
    """A simulated repository: what the audit sees, weighed, is what there is (within chance)."""
    chance = random.Random(5)
    rules = configuration("max_labels: 2", audit=0.25)
    hits = misses = seen_hits = seen_misses = 0.0
    for number in range(1500):
        scores = {name: round(chance.random() ** 2, 3) for name in NAMES}
        truth = {name for name, score in scores.items() if chance.random() < score}
        usual = asking(scores, configuration("max_labels: 2"), QuestionContext(NOW), number)
        said = names(usual.plan.to_apply)
        hits, misses = hits + len(said & truth), misses + len(truth - said)
        asked = asking(scores, rules, QuestionContext(NOW, 100), number)
        for name in names(asked.plan.to_suggest) & truth:
            inclusion = asked.drawings[name].inclusion if asked.drawings else None
            if inclusion is not None:
                seen_hits += (name in said) / inclusion
                seen_misses += (name not in said) / inclusion
    assert seen_misses / (seen_hits + seen_misses) == pytest.approx(
        misses / (hits + misses), abs=0.04
    )


# the budget


def test_uncertain_scarce_and_new_questions_teach_most():
    standing = QuestionContext(
        NOW,
        examples={"docs": 300},
        asked=(AskedQuestion("ui", NOW, frozenset({1})),),
    )
    scores = {"bug": 0.5, "feature": 0.1, "docs": 0.5, "ui": 0.5}
    planned = plan(
        [decision(name, score, "abstain") for name, score in scores.items()],
        configuration(),
        SEEN,
    )
    values = {
        choice.label: worth_asking(choice, replace(standing, asked=()))
        for choice in planned.choices
    }
    assert values["bug"] > values["feature"] > values["docs"], "uncertain, and short of examples"
    after = {choice.label: worth_asking(choice, standing) for choice in planned.choices}
    assert after["ui"] == 0, "the same neighbours were asked about"
    elsewhere = replace(standing, asked=(AskedQuestion("ui", NOW, frozenset({2})),))
    (ui,) = (one for one in planned.choices if one.label == "ui")
    assert worth_asking(ui, elsewhere) == pytest.approx(values["ui"] / 2), (
        "its label was asked about"
    )


def test_about_the_budget_is_asked_in_a_week_of_the_best_questions():
    standing = QuestionContext(NOW, informativeness=tuple(LONG))
    least = least_to_ask(10, standing)
    assert least == pytest.approx(sorted((value for _, value in LONG), reverse=True)[19])
    assert least_to_ask(1000, standing) == MIN_INFORMATIVENESS
    few = replace(standing, informativeness=tuple(LONG[:10]))
    assert least_to_ask(10, few) is None, "too little is known to tell what is telling"
    asked = tuple(AskedQuestion("bug", NOW - timedelta(days=1), frozenset()) for _ in range(10))
    assert least_to_ask(10, replace(standing, asked=asked)) is None, "it is used up"
    older = tuple(replace(one, at=NOW - timedelta(days=8)) for one in asked)
    assert least_to_ask(10, replace(standing, asked=older)) is not None


def test_the_most_telling_question_is_asked_and_marked():
    standing = QuestionContext(NOW, informativeness=tuple(LONG))
    scores = {"bug": 0.9, "feature": 0.49, "ui": 0.1}
    asked = asking(scores, configuration(budget=10), standing)
    assert names(asked.plan.to_apply) == {"bug"}
    assert names(asked.plan.to_suggest) == {"feature"}
    assert {name: one.drawn for name, one in asked.drawings.items()} == {"feature": "budget"}
    assert asked.informativeness == pytest.approx(1, abs=0.01)
    assert asked.inclusion is None


@pytest.mark.parametrize(
    ("rules", "standing"),
    [
        (configuration(budget=0), QuestionContext(NOW, informativeness=tuple(LONG))),
        (configuration(budget=10), QuestionContext(NOW)),
        (
            configuration("max_labels: 1", budget=10),
            QuestionContext(NOW, informativeness=tuple(LONG)),
        ),
        (
            configuration("exclusive: [[bug, feature]]", budget=10),
            QuestionContext(NOW, informativeness=tuple(LONG)),
        ),
    ],
    ids=["no budget", "nothing known", "no room", "excluded"],
)
def test_no_question_is_asked_where_none_may_be(rules, standing):
    asked = asking({"bug": 0.9, "feature": 0.49}, rules, standing)
    assert asked.plan.to_suggest == ()
    assert asked.drawings == {}
