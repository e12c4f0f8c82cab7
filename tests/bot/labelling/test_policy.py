"""What no configuration and no score may overturn, for any decisions and any situation."""

from __future__ import annotations

import pytest
from fakes_bot import decision
from hypothesis import given
from hypothesis import strategies as st

from bot.configuration import Mode, RepositoryConfiguration, parse
from bot.labelling.policy import LabellingContext, Plan, may_write, open_questions, plan
from tagger.domain.decision import SAYS_NOTHING, LabelDecision

NAMES = ("bug", "Feature", "docs", "question", "area/ui", "wip")
KEYS = tuple(name.casefold() for name in NAMES)


def situation(**given_: object) -> LabellingContext:
    return LabellingContext(**{"names": dict(zip(KEYS, NAMES, strict=True)), **given_})  # type: ignore[arg-type]


@st.composite
def configurations(draw: st.DrawFn) -> RepositoryConfiguration:
    some = st.lists(st.sampled_from(NAMES), unique=True, max_size=3)
    return RepositoryConfiguration.model_validate(
        {
            "mode": draw(st.sampled_from(Mode)),
            "max_labels": draw(st.integers(1, 4)),
            "fallback_label": draw(st.none() | st.just("wip")),
            "block": draw(some),
            "allow": draw(some),
            "exclusive": draw(
                st.lists(
                    st.lists(st.sampled_from(NAMES), unique=True, min_size=2, max_size=4),
                    max_size=2,
                )
            ),
        }
    )


@st.composite
def situations(draw: st.DrawFn) -> LabellingContext:
    some = st.frozensets(st.sampled_from(KEYS), max_size=4)
    existing = draw(st.frozensets(st.sampled_from(KEYS)))
    return LabellingContext(
        names={key: name for key, name in zip(KEYS, NAMES, strict=True) if key in existing},
        on_issue=draw(some),
        removed=draw(some),
        ours=draw(some),
        pending=draw(some),
        closed_because=draw(st.none() | st.just("closed")),
    )


decided = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.floats(0, 1), st.sampled_from(["apply", "suggest", "abstain"])
    ),
    unique_by=lambda one: one[0],
).map(lambda found: [decision(*one) for one in found])


@given(decided, configurations(), situations())
def test_whatever_is_asked_these_hold(decisions, configuration, seen) -> None:
    planned = plan(decisions, configuration, seen)
    chosen = [*planned.to_apply, *planned.to_suggest]
    keys = {choice.key for choice in chosen}
    assert not keys & seen.removed, "what a person took off stays off"
    assert not keys & seen.on_issue, "what is there is left as it is"
    assert keys <= seen.names.keys(), "no label is made"
    assert not (seen.closed_because and planned.writes)
    assert len({choice.label for choice in planned.choices}) == len(decisions)
    assert all(choice.reason for choice in planned.choices)
    assert all(configuration.mode_for(one.label) is Mode.APPLY for one in planned.to_apply)
    assert all(one.decision.decision == "apply" for one in planned.to_apply)
    for one in chosen:
        assert configuration.mode_for(one.label) in {Mode.APPLY, Mode.SUGGEST}
        assert one.decision.decision != "abstain"
        rivals = {name.casefold() for name in configuration.exclusive_with(one.label)}
        assert not rivals & (seen.on_issue | (keys - {one.key}))
    if chosen:
        assert len(keys | (seen.ours - seen.removed)) <= configuration.max_labels + len(
            seen.ours - seen.removed - keys
        )
    if configuration.mode in {Mode.OFF, Mode.SHADOW}:
        assert not planned.writes
    if planned.fallback:
        assert not planned.to_apply
        assert not seen.on_issue
        assert planned.fallback.casefold() not in seen.removed


@given(decided, configurations(), situations())
def test_the_order_of_decisions_changes_nothing(decisions, configuration, seen) -> None:
    forwards, backwards = (
        plan(given_, configuration, seen) for given_ in (decisions, decisions[::-1])
    )
    assert forwards == backwards


def only(planned: Plan) -> tuple[str, str]:
    (choice,) = planned.choices
    return choice.action, choice.reason


@pytest.mark.parametrize(
    ("mode", "verdict", "action"),
    [
        ("apply", "apply", "apply"),
        ("apply", "suggest", "suggest"),
        ("apply", "abstain", "skip"),
        ("suggest", "apply", "suggest"),
        ("suggest", "suggest", "suggest"),
        ("shadow", "apply", "skip"),
        ("off", "apply", "skip"),
    ],
)
def test_mode_and_decision_together(mode, verdict, action) -> None:
    configuration = RepositoryConfiguration(mode=mode)
    assert only(plan([decision("bug", 0.9, verdict)], configuration, situation()))[0] == action


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ({"removed": frozenset({"bug"})}, "a person removed"),
        ({"on_issue": frozenset({"bug"})}, "already"),
        ({"pending": frozenset({"bug"})}, "suggested already"),
        ({"names": {}}, "no such label"),
        ({"on_issue": frozenset({"docs"})}, "the issue has docs, which excludes it"),
        ({"ours": frozenset({"docs"})}, "excludes"),
        ({"closed_because": "the issue is closed"}, "closed"),
        ({"ours": frozenset({"x", "y"})}, "2 labels at most"),
    ],
)
def test_each_skip_says_why(given_, reason) -> None:
    configuration = parse("mode: apply\nmax_labels: 2\nexclusive: [[BUG, Docs]]")
    action, why = only(plan([decision("bug")], configuration, situation(**given_)))
    assert action == "skip"
    assert reason in why


def test_of_a_group_the_more_certain_wins() -> None:
    configuration = parse("mode: apply\nexclusive: [[bug, docs]]")
    planned = plan([decision("bug", 0.9), decision("docs", 0.95)], configuration, situation())
    assert [choice.label for choice in planned.to_apply] == ["docs"]


def test_labels_are_compared_as_github_compares_them() -> None:
    planned = plan([decision("FEATURE")], RepositoryConfiguration(mode="apply"), situation())
    assert [choice.label for choice in planned.to_apply] == ["Feature"]


def test_a_label_of_its_own_mode_beside_a_shadow() -> None:
    configuration = parse("labels: {bug: {mode: apply}}")
    planned = plan([decision("bug"), decision("docs")], configuration, situation())
    assert [choice.label for choice in planned.to_apply] == ["bug"]
    assert may_write(configuration, ["bug"])
    assert not may_write(configuration, ["docs"])


def test_the_fallback_label_is_made_only_where_asked() -> None:
    text = "mode: apply\nfallback_label: needs-triage\n"
    unsure = [decision("bug", 0.1)]
    assert plan(unsure, parse(text), situation()).fallback is None
    asked = parse(text + "create_labels: true\n")
    assert plan(unsure, asked, situation()).fallback == "needs-triage"


def test_an_issue_that_says_nothing_gets_the_fallback_label_and_no_other() -> None:
    silent = [
        LabelDecision(name, 0.99, 0.5, "abstain", SAYS_NOTHING, {}, ()) for name in ("bug", "docs")
    ]
    configuration = parse("version: 1\nmode: apply\nfallback_label: wip\n")
    planned = plan(silent, configuration, situation())
    assert (planned.to_apply, planned.to_suggest) == ((), ())
    assert {choice.reason for choice in planned.choices} == {"the issue says nothing"}
    assert planned.fallback == "wip"
    assert not open_questions(planned, configuration, situation())
