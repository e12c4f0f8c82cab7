"""Whether a repository's issues are still like those that its release learned from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.configuration.effective import configuration_in
from bot.configuration.labels_of_types import of_repository, targets_learned
from store.engine.text import name_key
from tagger.domain.issue import IssueText
from tagger.monitoring.drift import Counted, changes, unread_words, vocabulary

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from store.records import StoredPrediction, StoredRelease
    from store.unit_of_work import UnitOfWork
    from tagger.monitoring.drift import Change

RECENT = timedelta(weeks=4)
BEFORE = timedelta(weeks=26)
"""Predictions that recent ones are compared with: so far back at most."""

READ = 3000
"""Newest issues before the release whose words are taken for known, and
the newest after it: more change the shares in the third digit only."""

KNOWN_SHARE = 0.8
"""Of these the older part is the vocabulary; how many words the younger part has beyond it is what
is usual for a vocabulary of that age."""


@dataclass(frozen=True, slots=True)
class _Row:
    text: IssueText
    labels: frozenset[str]
    created_at: datetime


def drift(
    work: UnitOfWork, repository_id: int, release: StoredRelease, now: datetime
) -> tuple[Change, ...]:
    """Label shares and vocabulary since the release was trained, abstention of late."""
    configuration = configuration_in(work, work.repositories.by_id(repository_id))
    of_types = of_repository(work, repository_id, configuration)
    rows, others = [], set()
    for row in work.issues.training_rows(repository_id):
        if row.target != "issues":
            others.add(row.number)
            continue
        text, labels = IssueText.of(row.title, row.body), targets_learned(row, of_types)
        rows.append(_Row(text, labels, row.created_at))
    old = [row for row in rows if row.created_at <= release.created_at][-READ:]
    new = [row for row in rows if row.created_at > release.created_at][-READ:]
    return changes(
        _labels(release, new),
        _vocabulary(old, new),
        _abstention(work, repository_id, others, now),
    )


def _labels(release: StoredRelease, new: Sequence[_Row]) -> dict[str, tuple[Counted, Counted]]:
    total = int(release.manifest.get("n_issues", 0))
    examples_before = {
        row["name"]: int(row["examples"]) for row in release.manifest.get("labels", ())
    }
    keys = {name: name_key(name) for name in examples_before}
    labelled = [row for row in new if row.labels & set(keys.values())]
    return {
        name: (
            Counted(examples, total),
            Counted(sum(keys[name] in row.labels for row in labelled), len(labelled)),
        )
        for name, examples in examples_before.items()
    }


def _vocabulary(old: Sequence[_Row], new: Sequence[_Row]) -> tuple[Counted, Counted]:
    cut = int(len(old) * KNOWN_SHARE)
    words = vocabulary(row.text for row in old[:cut])
    then, since = ([row.text for row in rows] for rows in (old[cut:], new))
    return unread_words(then, words), unread_words(since, words)


def _abstention(
    work: UnitOfWork, repository_id: int, others: Collection[int], now: datetime
) -> tuple[Counted, Counted]:
    predictions = work.predictions.list(repository_id, since=now - BEFORE)
    latest = {
        prediction.number: prediction
        for prediction in reversed(predictions)
        if prediction.number not in others
    }.values()
    then = [prediction for prediction in latest if prediction.at <= now - RECENT]
    late = [prediction for prediction in latest if prediction.at > now - RECENT]
    return _silent(then), _silent(late)


def _silent(predictions: Sequence[StoredPrediction]) -> Counted:
    quiet = sum(
        all(label.decision == "abstain" for label in prediction.labels)
        for prediction in predictions
    )
    return Counted(quiet, len(predictions))
