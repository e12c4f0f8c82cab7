"""What the bot does with each label of an issue: sets it, suggests it, or leaves it, and why.

Pure. The rules, first the ones that no setting can overturn: what a person took off stays off;
only labels that the repository has are set; what is on the issue stays as it is; of an exclusive
group an issue gets one label, and one that is there already was chosen. An issue's native type
(`store.records.issue_types`) is such a group, and so is each of its fields
(`store.records.issue_fields`); once set it is never changed, and whose type or field somebody took
away gets no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from bot.configuration import Mode
from store.engine.text import name_key
from store.records.issue_fields import attribute_of, is_field, is_label
from store.records.issue_types import is_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.configuration import RepositoryConfiguration
    from tagger.domain.decision import LabelDecision

Action = Literal["apply", "suggest", "skip"]


@dataclass(frozen=True)
class LabellingContext:
    """The issue and its repository right before a write; every name is folded (`name_key`).

    :ivar names: the repository's labels, folded name → as the repository spells it.
    :ivar on_issue: labels that the issue carries now, whoever set them.
    :ivar removed: labels that a person took off, or whose suggestion a person dismissed.
    :ivar taken_off: labels that the bot had set and anybody else took off, such as another bot.
    :ivar ours: labels that the bot set on or suggested for this issue earlier.
    :ivar untouched: those of them that are set, and that nobody but the bot has ever touched.
    :ivar rejected: those that the bot takes off again, and that therefore count as gone.
    :ivar pending: labels that are suggested already and wait for a person.
    :ivar closed_because: why nothing may be written at all (issue closed, ignored, …), or None.
    """

    names: Mapping[str, str]
    on_issue: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    taken_off: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    untouched: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    closed_because: str | None = None

    @property
    def gone(self) -> frozenset[str]:
        """Labels that the bot does not bring back."""
        return self.removed | self.taken_off


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """What becomes of one label; `label` as the repository spells it."""

    label: str
    action: Action
    reason: str
    decision: LabelDecision = field(repr=False)

    @property
    def key(self) -> str:
        return name_key(self.label)


@dataclass(frozen=True)
class Plan:
    """Every label's choice, and the quiet fallback label where nothing else is set.

    :ivar rejected: folded labels of the bot's own that are taken off again.
    """

    choices: tuple[LabelChoice, ...]
    fallback: str | None = None
    rejected: frozenset[str] = frozenset()

    @property
    def to_apply(self) -> tuple[LabelChoice, ...]:
        return tuple(choice for choice in self.choices if choice.action == "apply")

    @property
    def to_suggest(self) -> tuple[LabelChoice, ...]:
        return tuple(choice for choice in self.choices if choice.action == "suggest")

    @property
    def n_to_set(self) -> int:
        """Labels that the issue gets, the fallback among them."""
        return len(self.to_apply) + (self.fallback is not None)

    @property
    def writes(self) -> bool:
        """Whether GitHub is to be asked for anything."""
        return bool(self.to_apply or self.to_suggest or self.fallback or self.rejected)


def plan(
    decisions: Sequence[LabelDecision],
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    renames: Mapping[str, str] | None = None,
) -> Plan:
    """Choose for each label of a release.

    :param decisions: one for each label.
    :param renames: folded former name → present name, for labels renamed since the training.
    """
    choices: list[LabelChoice] = []
    for decision in sorted(decisions, key=_most_certain_first):
        label = (renames or {}).get(name_key(decision.name), decision.name)
        label = situation.names.get(name_key(label), label)
        action, reason = _choose(label, decision, configuration, situation, choices)
        choices.append(LabelChoice(label, action, reason, decision))
    fallback = _fallback(choices, configuration, situation)
    return Plan(tuple(choices), fallback, situation.rejected)


def reconsidered(
    decisions: Sequence[LabelDecision],
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    renames: Mapping[str, str] | None = None,
) -> LabellingContext:
    """The situation without the bot's own labels that the issue's present text speaks against.

    It does where a label is below the threshold from which it would be suggested: that it could not
    be promised any more is not enough to take it off. What anybody else ever touched stays.
    """
    if situation.closed_because:
        return situation
    below = {
        name_key((renames or {}).get(name_key(decision.name), decision.name)): decision
        for decision in decisions
        if decision.decision == "abstain"
    }
    rejected = frozenset(
        key
        for key in below.keys() & situation.untouched & situation.on_issue
        if configuration.mode_for(situation.names.get(key, key)) is Mode.APPLY and is_label(key)
    )
    return replace(
        situation,
        on_issue=situation.on_issue - rejected,
        ours=situation.ours - rejected,
        rejected=rejected,
    )


def open_questions(
    planned: Plan, configuration: RepositoryConfiguration, situation: LabellingContext
) -> tuple[LabelChoice, ...]:
    """Labels that the plan leaves alone and about which people could be asked all the same.

    None of them that a rule keeps the bot from, an exclusive group's rival included, and none of
    an issue that says nothing; only the threshold, and how many labels an issue gets, are no
    reason here.
    """
    chosen = [choice for choice in planned.choices if choice.action != "skip"]
    return tuple(
        choice
        for choice in planned.choices
        if choice.action == "skip"
        and not (
            choice.decision.says_nothing
            or _forbidden(choice.label, configuration, situation)
            or _by_mode(choice.label, configuration.mode_for(choice.label), configuration)
            or situation.closed_because
            or _excluded(choice.label, configuration, situation, chosen)
        )
    )


def places(configuration: RepositoryConfiguration, situation: LabellingContext) -> int:
    """How many labels the bot may still set on or suggest for the issue; types do not count."""
    labels = [key for key in situation.ours - situation.gone if is_label(key)]
    return max(configuration.max_labels - len(labels), 0)


def with_actions(
    planned: Plan,
    changed: Mapping[str, tuple[Action, str]],
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
) -> Plan:
    """The plan with another action and reason for some labels (as spelled in it)."""
    choices = tuple(
        replace(choice, action=changed[choice.label][0], reason=changed[choice.label][1])
        if choice.label in changed
        else choice
        for choice in planned.choices
    )
    return replace(planned, choices=choices, fallback=_fallback(choices, configuration, situation))


def may_write(configuration: RepositoryConfiguration, labels: Iterable[str]) -> bool:
    """Whether any of these labels is to be set or suggested in this repository."""
    return any(configuration.mode_for(label) in {Mode.SUGGEST, Mode.APPLY} for label in labels)


def _most_certain_first(decision: LabelDecision) -> tuple[bool, float, str]:
    return decision.decision != "apply", -decision.score, decision.name


def _choose(
    label: str,
    decision: LabelDecision,
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    before: Sequence[LabelChoice],
) -> tuple[Action, str]:
    """The action and its reason; `before` holds the choices for more certain labels."""
    if decision.says_nothing:
        return "skip", "the issue says nothing"
    if decision.decision == "abstain":
        return "skip", "below the threshold"
    mode = configuration.mode_for(label)
    why_not = (
        _forbidden(label, configuration, situation)
        or _by_mode(label, mode, configuration)
        or situation.closed_because
        or _crowded_out(label, configuration, situation, before)
    )
    if why_not:
        return "skip", why_not
    if mode is Mode.SUGGEST:
        return "suggest", "its mode is suggest"
    if decision.decision == "suggest":
        return "suggest", "its precision cannot be promised"
    return "apply", "meets the target precision"


def _forbidden(
    label: str, configuration: RepositoryConfiguration, situation: LabellingContext
) -> str | None:
    key = name_key(label)
    if key not in situation.names:
        return f"the repository has no such {_kind(key)}"
    decided = {
        "a person removed or dismissed it": situation.removed,
        "somebody took it off again": situation.taken_off,
        "it is on the issue already": situation.on_issue,
        "it is suggested already": situation.pending,
    }
    for reason, keys in decided.items():
        if key in keys:
            return reason
    if not is_label(key) and attribute_of(key) in map(attribute_of, situation.gone):
        what = "type" if is_type(key) else "value"
        return f"somebody took the issue's {what} away or turned one down"
    rivals = configuration.rivals(label, situation.on_issue)
    if rivals:
        return f"the issue has {_one_of(rivals, situation)}, which excludes it"
    return None


def _kind(key: str) -> str:
    return "type" if is_type(key) else "value of a field" if is_field(key) else "label"


def _by_mode(label: str, mode: Mode, configuration: RepositoryConfiguration) -> str | None:
    if mode is Mode.OFF:
        return f"off: {configuration.off_because(label) or 'its mode is off'}"
    return "shadow: recorded only" if mode is Mode.SHADOW else None


def _crowded_out(
    label: str,
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    before: Sequence[LabelChoice],
) -> str | None:
    if why_not := _excluded(label, configuration, situation, before):
        return why_not
    labels = [key for key in _given(label, situation, before) if is_label(key)]
    if len(labels) >= configuration.max_labels and is_label(label):
        return f"the issue gets {configuration.max_labels} labels at most (max_labels)"
    return None


def _excluded(
    label: str,
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
    before: Sequence[LabelChoice],
) -> str | None:
    rivals = configuration.rivals(label, _given(label, situation, before))
    return f"{_one_of(rivals, situation)}, which excludes it, is more certain" if rivals else None


def _given(
    label: str, situation: LabellingContext, before: Sequence[LabelChoice]
) -> frozenset[str]:
    """What the bot set or suggested earlier and what it is about to, this label left out."""
    chosen = frozenset(choice.key for choice in before if choice.action != "skip")
    return chosen | (situation.ours - situation.gone - {name_key(label)})


def _one_of(keys: Iterable[str], situation: LabellingContext) -> str:
    key = min(keys)
    return situation.names.get(key, key)


def _fallback(
    choices: Sequence[LabelChoice],
    configuration: RepositoryConfiguration,
    situation: LabellingContext,
) -> str | None:
    """The fallback label, where the issue would otherwise stay without any."""
    label = configuration.fallback_label
    if label is None or situation.closed_because or any(map(is_label, situation.on_issue)):
        return None
    if any(choice.action == "apply" and is_label(choice.label) for choice in choices):
        return None
    if not may_write(configuration, [choice.label for choice in choices]):
        return None
    key = name_key(label)
    if key in situation.gone or (key not in situation.names and not configuration.create_labels):
        return None
    return situation.names.get(key, label)
