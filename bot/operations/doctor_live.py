"""Doctor on labels in use: the precision that people's answers show, where they gave any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import known_configuration
from bot.evaluating.live_outcomes import figures_of
from bot.operations.doctor_findings import Finding
from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.container import Container
    from store.records import Repository
    from tagger.monitoring.live_figures import LiveLabel

MAX_LABELS = 5
"""Named of each repository, the least precise first."""


def examine_live(container: Container) -> Iterator[Finding]:
    """One finding for each repository of which anything is known."""
    try:
        with container.store.read() as work:
            repositories = work.repositories.all()
        for repository in repositories:
            figures = figures_of(container.store, repository, container.clock())
            labels = [label for label in figures if label.precision.value is not None]
            if labels:
                yield _finding(repository, labels)
    except StoreError:
        return  # told by the database already


def _finding(repository: Repository, labels: list[LiveLabel]) -> Finding:
    """A note where the interval lies below what was asked for: beyond what chance explains."""
    labels.sort(key=lambda label: (label.precision.value, label.label))
    named = ", ".join(
        f"{label.label} {label.precision.value:.2f} ({label.precision.n})"
        for label in labels[:MAX_LABELS]
    )
    more = f" and {len(labels) - MAX_LABELS} more labels" if len(labels) > MAX_LABELS else ""
    summary = f"{repository.full_name}: precision and answers {named}{more}"
    configuration = known_configuration(repository) or RepositoryConfiguration.absent()
    low = [
        label.label
        for label in labels
        if label.precision.high < configuration.precision_for(label.label)
    ]
    if not low:
        return Finding("in use", "ok", summary)
    advice = f"less than asked for: {', '.join(low)}; issue-tagger report {repository.full_name}"
    return Finding("in use", "note", summary, advice)
