"""Benchmark: what is measured on: a repository's issues, or those that travel with the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.errors import CommandRefused
from bot.learning.training_data import training_data
from tagger.domain.issue import IssueText, Label, TrainingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.container import Container
    from tagger.benchmark.report import BenchmarkReport
    from tagger.domain.strategy import Progress
    from tagger.runtimes import Runtime


@dataclass(frozen=True, slots=True)
class BenchmarkRequest:
    """What is to be measured.

    :ivar repository: None takes the invented one that travels with the package.
    :ivar labels: None: all of the repository.
    :ivar n_issues: asked about, at most half of those that are labelled.
    :ivar peers: whether other libraries stand beside, where they are installed.
    """

    repository: str | None
    labels: Sequence[str] | None = None
    strategies: Sequence[str] | None = None
    runtimes: Sequence[Runtime] | None = None
    n_issues: int = 100
    peers: bool = True


def benchmark(
    container: Container, request: BenchmarkRequest, progress: Progress
) -> BenchmarkReport:
    """Measure every strategy in every runtime.

    :raises CommandRefused: too few labelled issues.
    :raises UnknownStrategy: with the names there are.
    """
    from tagger.benchmark.running import benchmark as run
    from tagger.benchmark.running import usual_strategies
    from tagger.benchmark.trial import Trial
    from tagger.runtimes import RUNTIMES
    from tagger.strategies import create

    places = container.places()
    for name in request.strategies or ():
        create(name, places.resources(None))  # an unknown one is told before anything is measured
    if request.repository is None:
        name, data = sample_data()
    else:
        name = request.repository
        data = training_data(container.store, name, request.labels, progress)
    try:
        trial = Trial.of(data, request.n_issues)
    except ValueError as problem:
        raise CommandRefused(f"{name}: {problem}") from None
    return run(
        places,
        trial,
        name,
        strategies=request.strategies or usual_strategies(),
        runtimes=request.runtimes or RUNTIMES,
        peers=request.peers,
        progress=progress,
    )


def sample_data() -> tuple[str, TrainingSet]:
    """The invented repository's name and labelled issues, as strategies take them."""
    from contextlib import ExitStack
    from importlib.resources import as_file

    from bot import sample
    from bot.repositories.issue_files import BadRow, read_issues, read_labels
    from tagger.domain.strategy import silent

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
        labels=tuple(Label(label.name, label.description) for label in described),
        numbers=tuple(issue.number for issue in labelled),
        issues=tuple(IssueText.of(issue.title, issue.body) for issue in labelled),
        targets=np.array(
            [[name in issue.labels for name in names] for issue in labelled], dtype=bool
        ),
    )
