"""Audit: labels of a repository that are probably wrong, missing, confused, doubled or dead."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.errors import CommandRefused
from bot.learning.training_data import encode_all, training_data
from store.engine.text import name_key
from store.records.issue_fields import attribute_of, is_label
from tagger.monitoring import audit as findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from store.database import Store
    from store.records import LabelEvent
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Progress, Resources
    from tagger.monitoring.audit import ConfusedPair, Doubles, LabelUse, Suspect

QUIET = timedelta(days=365)
"""A label that nobody has set for so long counts as dead."""

MIN_ISSUES = 10
"""Labelled issues below which the others say nothing about one."""


MIN_EXAMPLES = 10
"""Examples below which a label is given too much at random to be called confused with another."""


@dataclass(frozen=True)
class Audit:
    """Everything found, the most suspicious first.

    :ivar titles: by issue number, of every issue named.
    """

    suspects: tuple[Suspect, ...]
    confused: tuple[ConfusedPair, ...]
    doubles: tuple[Doubles, ...]
    dead: tuple[LabelUse, ...]
    bot_only: tuple[LabelUse, ...]
    titles: dict[int, str] = field(repr=False)

    def as_json(self, address: str = "") -> dict[str, Any]:
        """For scripts.

        :param address: of an issue, with `{number}` in it; empty: none is linked.
        """
        return {
            "suspects": [
                asdict(suspect)
                | {
                    "title": self.titles[suspect.number],
                    "url": address.replace("{number}", str(suspect.number)),
                }
                for suspect in self.suspects
            ],
            "confused": [asdict(confused_pair) for confused_pair in self.confused],
            "doubles": [asdict(double) for double in self.doubles],
            "dead": [_use(use) for use in self.dead],
            "set_by_bots_only": [_use(use) for use in self.bot_only],
        }


def audit(
    store: Store, resources: Resources, repository: str, *, now: datetime, seed: int = 0
) -> Audit:
    """Judge every labelled issue by what linear heads learned from all the others.

    :raises CommandRefused: no labels, or too few labelled issues.
    """
    from tagger.statistics.f1_thresholds import choose_thresholds
    from tagger.strategies.linear import LinearHeads

    data = training_data(store, repository, progress=resources.progress)
    if len(data) < MIN_ISSUES:
        raise CommandRefused(
            f"{repository} has {len(data)} labelled issues, an audit needs {MIN_ISSUES}"
        )
    encode_all(data, resources)
    resources.progress("judging each issue by all others", 0, 1)
    scores = LinearHeads(resources, seed=seed).fit(data).out_of_fold_
    resources.progress("judging each issue by all others", 1, 1)
    decided = choose_thresholds(data.targets, scores).decide(scores)
    decided[:, data.positives < MIN_EXAMPLES] = False
    uses = label_uses(store, repository, data, resources.progress)
    titles = {number: text.title for number, text in zip(data.numbers, data.issues, strict=True)}
    return Audit(
        suspects=tuple(suspect for suspect in findings.suspects(data, scores) if suspect.confident),
        confused=of_one_kind(findings.confused_pairs(data, decided)),
        doubles=tuple(findings.doubles([use for use in uses if is_label(use.name)])),
        dead=tuple(findings.dead_labels(uses, now, QUIET)),
        bot_only=tuple(findings.bot_only_labels(uses)),
        titles=titles,
    )


def of_one_kind(pairs: Iterable[ConfusedPair]) -> tuple[ConfusedPair, ...]:
    """Pairs of labels, of types, or of one field's values.

    A type and a label are given side by side, not by mistake.
    """
    return tuple(pair for pair in pairs if attribute_of(pair.true) == attribute_of(pair.given))


def label_uses(
    store: Store, repository: str, data: TrainingSet, progress: Progress
) -> list[LabelUse]:
    """What the repository knows of each label, from its issues and their history."""
    from tagger.monitoring.audit import LabelUse

    issues: dict[str, set[int]] = defaultdict(set)
    for number, row in zip(data.numbers, data.targets, strict=True):
        for name, there in zip(data.names, row, strict=True):
            if there:
                issues[name].add(number)
    uses = {name_key(name): LabelUse(name, frozenset(issues[name])) for name in data.names}
    with store.read() as work:
        repository_id = work.repositories.get(repository).id
        for done, number in enumerate(data.numbers, 1):
            for act in work.labels.history(repository_id, number):
                key = name_key(act.label)
                if act.action == "added" and key in uses:
                    uses[key] = _after(uses[key], act)
            progress("reading the label history", done, len(data))
    return list(uses.values())


def _after(use: LabelUse, act: LabelEvent) -> LabelUse:
    by_people = act.actor_kind in {"person", "unknown"}
    return replace(
        use,
        by_people=use.by_people + by_people,
        by_bots=use.by_bots + (not by_people),
        last_set=max(use.last_set, act.at) if use.last_set else act.at,
    )


def _use(use: LabelUse) -> dict[str, Any]:
    return {
        "name": use.name,
        "issues": len(use.issues),
        "last_set": use.last_set.isoformat() if use.last_set else None,
    }


def most_informative(suspects: Iterable[Suspect], count: int) -> Sequence[Suspect]:
    """The first so many, at most a few of one label: no single label fills the page."""
    shown_of_label: dict[str, int] = defaultdict(int)
    chosen: list[Suspect] = []
    for suspect in suspects:
        shown_of_label[suspect.label] += 1
        if shown_of_label[suspect.label] <= max(count // 4, 1) and len(chosen) < count:
            chosen.append(suspect)
    return chosen
