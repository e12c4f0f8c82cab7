"""What a label's score and threshold mean, in the same words wherever they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.cli.output import plain, say, shortened, terminal_width
from tagger.domain.decision import BASE, UNFAMILIAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.container import Container
    from bot.labelling.tagging import IssuePrediction
    from tagger.domain.decision import LabelDecision, Neighbour

DETAILED = 2
"""Labels of an issue that are explained; the others are named."""

NEAR_MISSES = 3

NEAR = 0.5
"""Share of its threshold from which a label that was left counts as nearly given."""

LEAST = 0.05
"""Scores below this are no near miss, however low the threshold."""

PARTS = 3
"""Members named in the sum; the others are added up."""

HOW = {"apply": "set", "suggest": "suggested", "abstain": "left"}

LEGEND = "Parts (log odds) sum to the score; base: the label's frequency and rivals."


class Scored(Protocol):
    """A label with a score and a threshold, fresh or as it was recorded."""

    @property
    def score(self) -> float: ...

    @property
    def cut(self) -> float: ...


def threshold_in_words(how: str, label: Scored) -> str:
    """The threshold, and why the label was set or only suggested."""
    threshold = f"threshold {label.cut:.2f}"
    if how == "set":
        return f"{threshold} keeps the target precision"
    if label.score < label.cut:
        return f"{threshold} for the target precision"
    return f"{threshold}; none promises the target precision yet"


def say_explained(answer: IssuePrediction) -> None:
    """One issue: labels that are set or suggested with their reasons, near misses, no others."""
    _say_title(answer)
    spoken = [label for label in answer.labels if label.decision != "abstain"]
    for n, label in enumerate(spoken):
        say_label(label)
        if n < DETAILED:
            _say_reasons(label)
    if not spoken:
        say(_nothing(answer))
    decisions = near_misses(answer.labels)
    if decisions:
        misses = (f"{label.name} {label.score:.2f} (needs {label.cut:.2f})" for label in decisions)
        say(f"  near misses: {', '.join(misses)}")
    rest = len(answer.labels) - len(spoken) - len(decisions)
    if rest:
        say(f"  {rest} less likely label{'s' if rest > 1 else ''}; --all shows them")


def say_all(answer: IssuePrediction) -> None:
    """One issue with every label of the release and the reasons for each."""
    _say_title(answer)
    for label in answer.labels:
        say_label(label)
        _say_reasons(label)


def say_briefly(answer: IssuePrediction) -> None:
    """One issue and the labels that are set or suggested."""
    _say_title(answer)
    spoken = [label for label in answer.labels if label.decision != "abstain"]
    for label in spoken:
        say_label(label)
    if not spoken:
        say(_nothing(answer))


def say_advice(container: Container, repository: str, answer: IssuePrediction) -> None:
    """What maintainers are told of a stored issue beside its labels."""
    from bot.advising.advice_words import plain_lines
    from bot.configuration import RepositoryConfiguration
    from bot.configuration.effective import configuration_in

    with container.store.read() as work:
        stored = work.repositories.get(repository)
        issue = work.issues.get(stored.id, answer.number)
        configuration = configuration_in(work, stored) or RepositoryConfiguration.absent()
    likely = [label.name for label in answer.labels if label.decision != "abstain"]
    for line in plain_lines(container.advisor.consider(stored, configuration, issue, likely)):
        say(f"  {plain(line)}")


def say_label(label: LabelDecision) -> None:
    """One line: what becomes of it, its score, and what the threshold means."""
    how = HOW[label.decision]
    meaning = f"threshold {label.cut:.2f}" if how == "left" else threshold_in_words(how, label)
    say(f"  {how:<10}{plain(label.name)}  {label.score:.2f} ({meaning})")


def near_misses(labels: Sequence[LabelDecision]) -> list[LabelDecision]:
    """Labels that were left although they came near their threshold, the nearest first."""
    left = [
        label
        for label in labels
        if label.decision == "abstain"
        and not label.says_nothing
        and label.score >= max(NEAR * label.cut, LEAST)
    ]
    return sorted(left, key=lambda label: -label.score / max(label.cut, LEAST))[:NEAR_MISSES]


def sum_of_parts(label: LabelDecision) -> str:
    """The parts of the score, the largest member first: it is the one that decided."""
    members = sorted(
        ((name, part) for name, part in label.parts.items() if name != BASE),
        key=lambda member: -abs(member[1]),
    )
    total = round(sum(label.parts.values()), 1)
    named = [(name, round(part, 1)) for name, part in members[:PARTS]]
    if len(members) > PARTS:
        base = round(label.parts[BASE], 1)
        named.append(("others", total - base - sum(part for _, part in named)))
    else:
        base = total - sum(part for _, part in named)  # what is printed adds up to the digit
    shown = (f"{name} {part:+.1f}" for name, part in named)
    return f"{', '.join(shown)}, base {base:+.1f} = {total:+.1f}".replace("-0.0", "+0.0")


def _say_reasons(label: LabelDecision) -> None:
    if label.parts:
        say(f"    {sum_of_parts(label)}: {label.score:.2f}")
    if label.decided_by == UNFAMILIAR:
        say("    suggested only: the issue is unlike those that were learned from")
    if label.says_nothing:
        say("    the issue says nothing that any labelled issue taught")
    carrying = [neighbour for neighbour in label.neighbours if label.name in neighbour.labels]
    others = [neighbour for neighbour in label.neighbours if label.name not in neighbour.labels]
    for what, neighbours in (("like", carrying), ("counter-example", others)):
        for neighbour in neighbours[:1]:
            say(f"    {what} {neighbour_in_words(neighbour, 4 + len(what) + 1)}")


def neighbour_in_words(neighbour: Neighbour, before: int = 0) -> str:
    """A labelled issue on one line, its title as long as the terminal allows."""
    labels = ", ".join(map(plain, neighbour.labels)) or "no label"
    start, end = f"#{neighbour.number} ", f" [{labels}] {neighbour.similarity:.2f}"
    room = terminal_width() and max(terminal_width() - before - len(start) - len(end), 12)
    return f"{start}{shortened(neighbour.title, min(room or 60, 60))}{end}"


def _say_title(answer: IssuePrediction) -> None:
    start = f"#{answer.number} "
    room = terminal_width() and max(terminal_width() - len(start), 12)
    say(f"{start}{shortened(answer.title, min(room or 100, 100))}")


def _nothing(answer: IssuePrediction) -> str:
    if answer.labels and all(label.says_nothing for label in answer.labels):
        return "  no label: the issue says nothing that any labelled issue taught"
    return "  no label is likely enough"
