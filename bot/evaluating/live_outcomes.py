"""What people said to labels, as the live figures take it: from the store's outcomes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import known_configuration
from store.provenance import ImplicitConsent
from tagger.monitoring.live_figures import JudgedLabel, live_figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from store.database import Store
    from store.records import LabelOutcome, Repository, TargetKind
    from store.unit_of_work import UnitOfWork
    from tagger.monitoring.live_figures import LiveLabel

PERIOD = timedelta(weeks=12)
"""How far back the figures look."""


def answered(
    work: UnitOfWork, repository: Repository, now: datetime, target: TargetKind = "issues"
) -> Iterator[JudgedLabel]:
    """Every label of every issue, or pull request, with a prediction in the period."""
    configuration = known_configuration(repository) or RepositoryConfiguration.absent()
    days = configuration.learning.confirm_after_days
    patience = None if days is None else ImplicitConsent(timedelta(days=days), now)
    since = now - PERIOD
    for outcome in work.outcomes.walk(
        repository.id, since=since, everything=True, patience=patience, target=target
    ):
        yield _answered(outcome)


def live_gauges(store: Store, now: datetime) -> tuple[LiveLabel, ...]:
    """Each label's figures over the period, of all repositories together, for `/metrics`."""
    with store.read() as work:
        judged_labels = [
            judged_label
            for repository in work.repositories.all()
            for judged_label in answered(work, repository, now)
        ]
    return live_figures(judged_labels, weekly=False)


def figures_of(store: Store, repository: Repository, now: datetime) -> tuple[LiveLabel, ...]:
    """Each label's figures over the period, of one repository."""
    with store.read() as work:
        return live_figures(answered(work, repository, now), weekly=False)


def _answered(outcome: LabelOutcome) -> JudgedLabel:
    """An answer counts as one to the audit's question only where the audit asked it."""
    wanted = {"confirmed": True, "added": True, "removed": False, "dismissed": False}
    agreed = wanted.get(outcome.answer)
    return JudgedLabel(
        number=outcome.number,
        label=outcome.label,
        at=outcome.at,
        decision=outcome.decision,
        wanted=agreed,
        stands=bool(agreed),
        reviewed=outcome.reviewed_at is not None,
        asked=outcome.inclusion if outcome.drawn == "audit" else None,
        drawn=outcome.issue_inclusion if outcome.drawn == "audit" else None,
    )
