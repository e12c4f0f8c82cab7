"""Doctor on labels in use: the precision that people's answers show, where they gave any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration import RepositoryConfiguration
from bot.use_cases.configuration import known_configuration
from bot.use_cases.findings import Finding
from bot.use_cases.live_outcomes import figures_of
from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.bootstrap import Installation
    from store.records import Repository
    from tagger.evaluation.live import LiveLabel

MOST_LABELS = 5
"""Named of each repository, the least precise first."""


def examine_live(installation: Installation) -> Iterator[Finding]:
    """One finding for each repository of which anything is known."""
    try:
        with installation.store.read() as work:
            repositories = work.repositories.all()
        for one in repositories:
            figures = figures_of(installation.store, one, installation.clock())
            told = [label for label in figures if label.precision.value is not None]
            if told:
                yield _finding(one, told)
    except StoreError:
        return  # told by the database already


def _finding(repository: Repository, told: list[LiveLabel]) -> Finding:
    """A note where the interval lies below what was asked for: beyond what chance explains."""
    told.sort(key=lambda one: (one.precision.value, one.label))
    named = ", ".join(
        f"{one.label} {one.precision.value:.2f} ({one.precision.n})" for one in told[:MOST_LABELS]
    )
    more = f" and {len(told) - MOST_LABELS} more labels" if len(told) > MOST_LABELS else ""
    found = f"{repository.full_name}: precision and answers {named}{more}"
    configuration = known_configuration(repository) or RepositoryConfiguration.absent()
    low = [one.label for one in told if one.precision.high < configuration.precision_for(one.label)]
    if not low:
        return Finding("in use", "ok", found)
    advice = f"less than asked for: {', '.join(low)}; issue-tagger report {repository.full_name}"
    return Finding("in use", "note", found, advice)
