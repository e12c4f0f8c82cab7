"""What it would do: the newest open issues, and past ones it never learned from, at each target.

Nothing is written, and GitHub is not asked. A higher target precision sets fewer labels; what it
does not set it may suggest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import configuration_in
from bot.configuration.labels_of_types import of_repository, targets_learned
from bot.errors import CommandRefused
from bot.labelling.tag_issue import left_alone, policy_for
from bot.learning.gating import holdout_key_of, is_held_out
from store.engine.text import name_key
from tagger.domain.decision import Policy
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.model_serving.release_cache import LoadedRelease, ReleaseCache
    from store.database import Store
    from store.records import Repository, StoredIssue
    from store.unit_of_work import UnitOfWork
    from tagger.domain.decision import LabelDecision

TARGETS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
NEWEST = 20
MAX_NEWEST = 200
LOOKED_AT = 2000
"""Newest issues among which past ones are looked for."""
PAST = 60
SHOWN = 3
"""Right and wrong labels of the past that are named at each target."""


@dataclass(frozen=True)
class PreviewLabel:
    """One label of one issue.

    :ivar set_up_to: the highest target at which it would be set; None: at none.
    :ivar suggested: whether it would be suggested where it is not set.
    :ivar on_issue: whether the issue has it already.
    """

    name: str
    probability: float
    set_up_to: float | None
    suggested: bool
    on_issue: bool


@dataclass(frozen=True)
class PreviewIssue:
    """An open issue and the labels that it would get or be suggested, the likeliest first."""

    number: int
    title: str
    labels: tuple[PreviewLabel, ...]


@dataclass(frozen=True)
class PastLabel:
    """A label that would have been set on an issue that people had labelled."""

    number: int
    title: str
    label: str
    probability: float


@dataclass(frozen=True)
class PreviewTarget:
    """What a target precision means.

    :ivar set, suggested: labels on the open issues.
    :ivar right, wrong: labels set on past issues; the least certain right and the surest wrong
        ones are named.
    """

    precision: float
    set: int
    suggested: int
    right: int
    wrong: int
    right_ones: tuple[PastLabel, ...]
    wrong_ones: tuple[PastLabel, ...]


@dataclass(frozen=True)
class LabelPreview:
    """The whole preview.

    :ivar configured: the target that the repository's configuration asks for.
    :ivar past: past issues that the release never learned from.
    """

    repository: str
    release: str
    configured: float
    past: int
    targets: tuple[PreviewTarget, ...]
    issues: tuple[PreviewIssue, ...]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        from dataclasses import asdict

        return asdict(self)


@dataclass(frozen=True)
class _Subjects:
    """What is scored: open issues, and past ones with the folded labels that people gave them."""

    configuration: RepositoryConfiguration
    renames: Mapping[str, str]
    open: Sequence[StoredIssue]
    past: Sequence[tuple[int, str, str, frozenset[str]]]


def preview(
    store: Store,
    cache: ReleaseCache,
    repository: Repository,
    now: datetime,
    *,
    newest: int = NEWEST,
) -> LabelPreview:
    """Score them all.

    :param newest: how many open issues, at most `MAX_NEWEST`.
    :raises CommandRefused: no release serves.
    """
    cached = cache.active(repository.id)
    if cached is None:
        name = repository.full_name
        raise CommandRefused(f"{name} has no release yet; issue-tagger retrain {name} makes one")
    holdout_key = holdout_key_of(store, repository.full_name)
    with store.read() as work:
        subjects = _subjects(work, repository, holdout_key, now, min(newest, MAX_NEWEST))
    of_open = [IssueText.of(issue.filed_title, issue.filed_body) for issue in subjects.open]
    of_past = [IssueText.of(title, body) for _, title, body, _ in subjects.past]
    on_open: list[list[Sequence[LabelDecision]]] = []
    targets: list[PreviewTarget] = []
    for target in TARGETS:
        decided = _decide(cached, [*of_open, *of_past], _policy(cached, subjects, target))
        on_open.append(decided[: len(of_open)])
        targets.append(_target(target, subjects, decided))
    return LabelPreview(
        repository.full_name,
        cached.id,
        subjects.configuration.precision,
        len(subjects.past),
        tuple(targets),
        tuple(_issue(issue, row, on_open) for row, issue in enumerate(subjects.open)),
    )


def _subjects(
    work: UnitOfWork, repository: Repository, holdout_key: str, now: datetime, newest: int
) -> _Subjects:
    configuration = configuration_in(work, repository) or RepositoryConfiguration.absent()
    opened = (
        issue
        for issue in work.issues.walk(repository.id, state="open", limit=LOOKED_AT)
        if left_alone(configuration, issue, now) is None
    )
    numbers = [
        number
        for number in work.issues.newest_numbers(repository.id, LOOKED_AT)
        if is_held_out(holdout_key, number)
    ]
    of_types = of_repository(work, repository.id, configuration)
    past = [
        (row.number, row.title, row.body, targets_learned(row, of_types))
        for row in work.issues.training_rows(repository.id, numbers=numbers)
        if row.labels and row.target == "issues"
    ]
    renames = work.labels.renames(repository.id)
    return _Subjects(configuration, renames, list(islice(opened, newest)), past[-PAST:])


def _policy(cached: LoadedRelease, subjects: _Subjects, target: float) -> Policy:
    configured = policy_for(subjects.configuration, cached.release.names, subjects.renames)
    return Policy(default_precision=target, exclusive=configured.exclusive)


def _decide(
    cached: LoadedRelease, texts: Sequence[IssueText], policy: Policy
) -> list[Sequence[LabelDecision]]:
    if not texts:
        return []
    with cached.using:
        return list(cached.release.tag(texts, policy))


def _target(
    precision: float, subjects: _Subjects, decided: Sequence[Sequence[LabelDecision]]
) -> PreviewTarget:
    now = [label for labels in decided[: len(subjects.open)] for label in labels]
    right: list[PastLabel] = []
    wrong: list[PastLabel] = []
    past = decided[len(subjects.open) :]
    for (number, title, _, truth), labels in zip(subjects.past, past, strict=True):
        for label in labels:
            name = subjects.renames.get(name_key(label.name), label.name)
            if label.decision == "apply":
                past_label = PastLabel(number, title, name, label.score)
                (right if name_key(name) in truth else wrong).append(past_label)
    return PreviewTarget(
        precision,
        sum(label.decision == "apply" for label in now),
        sum(label.decision == "suggest" for label in now),
        len(right),
        len(wrong),
        tuple(sorted(right, key=lambda label: label.probability)[:SHOWN]),
        tuple(sorted(wrong, key=lambda label: -label.probability)[:SHOWN]),
    )


def _issue(
    issue: StoredIssue, row: int, decided: Sequence[Sequence[Sequence[LabelDecision]]]
) -> PreviewIssue:
    """:param decided: by target, then by issue."""
    on_issue = {name_key(name) for name in issue.targets}
    verdicts: dict[str, dict[float, str]] = {}
    scores: dict[str, float] = {}
    for target, of_target in zip(TARGETS, decided, strict=True):
        for label in of_target[row]:
            verdicts.setdefault(label.name, {})[target] = label.decision
            scores[label.name] = label.score
    labels = []
    for name, by_target in verdicts.items():
        at = [target for target, verdict in by_target.items() if verdict == "apply"]
        suggested = "suggest" in by_target.values()
        if at or suggested:
            up_to = max(at, default=None)
            present = name_key(name) in on_issue
            labels.append(PreviewLabel(name, scores[name], up_to, suggested, present))
    labels.sort(key=lambda label: -label.probability)
    return PreviewIssue(issue.number, issue.title, tuple(labels))
