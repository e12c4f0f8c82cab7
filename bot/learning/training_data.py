"""Training data: from what the store knows of a repository to what `tagger` learns from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from bot.configuration.effective import configuration_in
from bot.configuration.labels_of_fields import value_targets
from bot.configuration.labels_of_types import of_repository, targets_learned
from bot.errors import CommandRefused
from store.engine.text import name_key
from store.provenance import ImplicitConsent
from store.records.issue_fields import is_label
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.configuration import RepositoryConfiguration
    from store.database import Store
    from store.records import StoredLabel, TargetKind, TrainingRow
    from store.unit_of_work import UnitOfWork
    from tagger.domain.strategy import Progress, Resources


ConfirmAfter = timedelta | None | Literal["as configured"]

RECENT = 1000
"""Latest issues, labelled or not, that stand for those to come."""

ENCODED_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class _LabelledText:
    """One issue: its cleaned text, and folded names of labels that it has or people declined."""

    number: int
    text: IssueText
    labels: frozenset[str]
    declined: frozenset[str]


@dataclass
class _Reading:
    """What one pass over the rows gathers.

    :ivar fallback: folded name of the fallback label: who takes that off declines nothing.
    :ivar of_types: folded labels that are examples of a type or of a field's value → its folded
        target.
    :ivar issues: those of the kind that is learned; `others`: texts of the other kind.
    """

    fallback: str = ""
    of_types: Mapping[str, str] = field(default_factory=dict)
    target: TargetKind = "issues"
    issues: list[_LabelledText] = field(default_factory=list)
    others: list[IssueText] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, row: TrainingRow) -> None:
        text = IssueText.of(row.title, row.body, place=row.place)
        if row.target != self.target:
            self.others.append(text)
            return
        self.names.update((name_key(name), name) for name in row.labels if is_label(name))
        labels = targets_learned(row, self.of_types)
        declined = frozenset(map(name_key, row.declined))
        self.issues.append(_LabelledText(row.number, text, labels, declined - {self.fallback}))


def training_data(
    store: Store,
    repository: str,
    labels: Sequence[str] | None = None,
    progress: Progress = silent,
    *,
    confirm_after: timedelta | Literal["as configured"] | None = "as configured",
    now: datetime | None = None,
    target: TargetKind = "issues",
) -> TrainingSet:
    """Issues as filed with the labels that people set or confirmed.

    A labelled issue carries at least one label of the set, or people declined one of the set that
    the bot had set or suggested: an example of what that label is not. Beside them stand the texts
    of all others: issues from the newest on, then pull requests from the newest on. Where pull
    requests are what is learned, it is the other way round.

    :param confirm_after: how long a label of the bot's must have stood to count as confirmed; None:
        only what a person did confirms it.
    :param now: the moment up to which it stood; None: now.
    :param labels: the label set; None: every label of the repository, with those that only
        issues carry, the issue types that its file names, and the values of the fields that it
        names. Labels without an example belong to it: their wording may be enough.
    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: it has no labels, or not those asked for.
    """
    with store.read() as work:
        stored = work.repositories.get(repository)
        configuration = configuration_in(work, stored)
        listed = work.labels.list(stored.id, deleted=True)
        if confirm_after == "as configured":
            confirm_after = _configured(configuration)
        patience = (
            ImplicitConsent(confirm_after, now or datetime.now(UTC)) if confirm_after else None
        )
        fallback = name_key((configuration and configuration.fallback_label) or "")
        has_types = configuration is not None and target == "issues"  # pull requests have none
        beside = _targets_beside(work, stored.id, configuration) if has_types else ()
        of_types = of_repository(work, stored.id, configuration) if has_types else {}
        reading, total = _Reading(fallback, of_types, target), work.issues.count(stored.id)
        for done, row in enumerate(work.issues.training_rows(stored.id, patience=patience), 1):
            reading.add(row)
            if done % 100 == 0 or done == total:
                progress("reading issues", done, total)
    label_set = _chosen(_label_set(listed, reading.names, beside), labels, repository)
    if configuration is not None:
        label_set = {
            key: configuration.wording_for(label.name, label.description)
            for key, label in label_set.items()
        }
    return _training_set(label_set, reading)


def check_labels(store: Store, repository: str, wanted: Sequence[str] | None) -> None:
    """Refuse label names that the repository does not have, before anything is loaded.

    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: with the nearest right name.
    """
    if wanted is None:
        return
    with store.read() as work:
        stored = work.repositories.get(repository)
        names = work.issues.label_names(stored.id)
        on_issues = {name_key(name): name for name in names}
        configuration = configuration_in(work, stored)
        beside = _targets_beside(work, stored.id, configuration)
        label_set = _label_set(work.labels.list(stored.id, deleted=True), on_issues, beside)
    _chosen(label_set, wanted, repository)


def encode_all(data: TrainingSet, resources: Resources) -> None:
    """Every labelled text's vector into the cache, before several processes or folds ask for it."""
    texts = [issue.full for issue in data.issues]
    for start in range(0, len(texts), ENCODED_AT_ONCE):
        resources.progress("encoding", start, len(texts))
        resources.encoder().encode(texts[start : start + ENCODED_AT_ONCE])
    resources.progress("encoding", len(texts), len(texts))


def _configured(configuration: RepositoryConfiguration | None) -> timedelta | None:
    days = configuration.learning.confirm_after_days if configuration else None
    return timedelta(days=days) if days else None


def _targets_beside(
    work: UnitOfWork, repository_id: int, configuration: RepositoryConfiguration | None
) -> tuple[str, ...]:
    """Targets of the file's types, and of the values of its fields."""
    if configuration is None or not configuration.fields:
        return configuration.type_targets if configuration else ()
    listed = [label.name for label in work.labels.list(repository_id, deleted=True)]
    names = (*listed, *work.issues.label_names(repository_id))
    values = work.labels.field_values(repository_id)
    return (*configuration.type_targets, *value_targets(configuration.fields, names, values))


def _label_set(
    listed: Iterable[StoredLabel], on_issues: dict[str, str], beside: Iterable[str]
) -> dict[str, Label]:
    """Folded name to label, by name: those that exist, that issues carry, and what is beside."""
    labels = {key: Label(name) for key, name in on_issues.items()}
    for label in listed:
        key = name_key(label.name)
        if label.deleted_at is None or key in labels:
            labels[key] = Label(label.name, label.description)
    for target in beside:
        labels[name_key(target)] = Label(target)
    return dict(sorted(labels.items()))


def _chosen(
    labels: dict[str, Label], wanted: Sequence[str] | None, repository: str
) -> dict[str, Label]:
    if not labels:
        raise CommandRefused(
            f"{repository} has no labels; bring them in with issue-tagger sync {repository}, "
            "or with issue-tagger import … --labels FILE"
        )
    if wanted is None:
        return labels
    unknown = [name for name in wanted if name_key(name) not in labels]
    if unknown:
        names = [label.name for label in labels.values()]
        raise CommandRefused(f"{repository} has no label {_named(unknown, names)}")
    return {name_key(name): labels[name_key(name)] for name in wanted}


def _named(unknown: Sequence[str], names: Sequence[str]) -> str:
    get_close_matches = difflib.get_close_matches(unknown[0], names, n=1, cutoff=0.5)
    hint = (
        f"did you mean {get_close_matches[0]!r}?"
        if get_close_matches
        else f"known are {', '.join(names[:30])}"
    )
    return f"{', '.join(map(repr, unknown))}; {hint}"


def _training_set(labels: dict[str, Label], reading: _Reading) -> TrainingSet:
    columns = {key: column for column, key in enumerate(labels)}
    parted: dict[bool, list[_LabelledText]] = {True: [], False: []}
    for issue in reading.issues:
        parted[bool((issue.labels | issue.declined) & columns.keys())].append(issue)
    labelled, others = parted[True], [issue.text for issue in parted[False]]
    targets = np.zeros((len(labelled), len(labels)), dtype=np.bool_)
    for row, issue in enumerate(labelled):
        targets[row, [columns[key] for key in issue.labels & columns.keys()]] = True
    return TrainingSet(
        labels=tuple(labels.values()),
        numbers=tuple(issue.number for issue in labelled),
        issues=tuple(issue.text for issue in labelled),
        targets=targets,
        unlabelled=(*reversed(others), *reversed(reading.others)),
        recent=tuple(issue.text for issue in reversed(reading.issues[-RECENT:])),
    )
