"""Benchmark: what is measured on: a repository's issues, or those that travel with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bot.errors import CommandRefused
from bot.use_cases.training_data import training_data
from tagger.issue import IssueText, Label, TrainingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.bootstrap import Installation
    from tagger.benchmark.report import Report
    from tagger.runtimes import Runtime
    from tagger.strategy import Progress


def benchmark(
    installation: Installation,
    repository: str | None,
    *,
    labels: Sequence[str] | None,
    strategies: Sequence[str] | None,
    runtimes: Sequence[Runtime] | None,
    n_issues: int,
    peers: bool,
    progress: Progress,
) -> Report:
    """Measure every strategy in every runtime, beside the peers that are installed.

    :param repository: None takes the invented one that travels with the package.
    :param n_issues: asked about, at most half of those that are labelled.
    :raises CommandRefused: too few labelled issues.
    :raises UnknownStrategy: with the names there are.
    """
    from tagger.benchmark.running import benchmark as run
    from tagger.benchmark.running import usual_strategies
    from tagger.benchmark.trial import Trial
    from tagger.runtimes import RUNTIMES
    from tagger.strategies import create

    places = installation.places()
    for name in strategies or ():
        create(name, places.resources(None))  # an unknown one is told before anything is measured
    if repository is None:
        name, data = sample_data()
    else:
        name, data = repository, training_data(installation.store, repository, labels, progress)
    try:
        trial = Trial.of(data, n_issues)
    except ValueError as problem:
        raise CommandRefused(f"{name}: {problem}") from None
    return run(
        places,
        trial,
        name,
        strategies=strategies or usual_strategies(),
        runtimes=runtimes or RUNTIMES,
        peers=peers,
        progress=progress,
    )


def sample_data() -> tuple[str, TrainingSet]:
    """The invented repository's name and labelled issues, as strategies take them."""
    from contextlib import ExitStack
    from importlib.resources import as_file

    from bot import sample
    from bot.use_cases.issue_files import BadRow, read_issues, read_labels
    from tagger.strategy import silent

    with ExitStack() as stack:
        issues = stack.enter_context(as_file(sample.issues()))
        described = read_labels(stack.enter_context(as_file(sample.labels())))
        rows = [row for row in read_issues(issues, silent) if not isinstance(row, BadRow)]
    names = [label.name for label in described]
    labelled = [
        row.record
        for row in rows
        if not row.record.is_pull_request and set(row.record.labels) & {*names}
    ]
    return sample.REPOSITORY, TrainingSet(
        labels=tuple(Label(one.name, one.description) for one in described),
        numbers=tuple(one.number for one in labelled),
        issues=tuple(IssueText.of(one.title, one.body) for one in labelled),
        targets=np.array([[name in one.labels for name in names] for one in labelled], dtype=bool),
    )
