"""What the report of an evaluation shows beside it: map, neighbours, losses, what to label next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.evaluating.live_outcomes import figures_of
from bot.evaluating.next_issues import next_issues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.evaluating.evaluation_workspace import EvaluationWorkspace
    from store.records import EvaluationRun
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.evaluation.report.extras import Extras, LossCurve, NeighbourMap
    from tagger.evaluation.runner import Evaluation

MIN_FOR_MAP = 2
"""Labelled issues from which each has another one as a neighbour."""


def extras(
    workspace: EvaluationWorkspace,
    evaluation: Evaluation,
    previous: EvaluationRun | None,
    issue_url: str,
    notes: tuple[str, ...],
) -> Extras:
    """Everything that the report takes beside the evaluation, as far as it is there."""
    from tagger.evaluation.report.extras import Extras

    data, store, resources = evaluation.data, workspace.store, workspace.resources
    repository = workspace.repository
    with store.read() as work:
        stored = work.repositories.get(repository)
        active = work.releases.active(stored.id)
    return Extras(
        repository,
        issue_url=issue_url,
        neighbours=_neighbours(data, resources),
        losses=tuple(_losses(evaluation)),
        next_issues=next_issues(store, repository, data, resources),
        vectors=resources.encoder().encode([issue.full for issue in data.issues]),
        previous=dict(previous.report) if previous and previous.report else None,
        notes=notes,
        live=figures_of(store, stored, workspace.clock()),
        release=active.manifest if active else None,
    )


def _neighbours(data: TrainingSet, resources: Resources) -> NeighbourMap | None:
    """The chapter's map of k and m on all labelled issues, each held out in turn."""
    from tagger.evaluation.report.extras import NeighbourMap
    from tagger.strategies.knn import chapter_map

    if len(data) < MIN_FOR_MAP:
        return None
    skill = chapter_map(resources, data)
    counts = tuple(range(1, len(skill) + 1))
    return NeighbourMap(counts, counts, skill)


def _losses(evaluation: Evaluation) -> Iterator[LossCurve]:
    """Curves of the first seed's largest slice: one of each strategy is enough to look at."""
    from tagger.evaluation.report.extras import LossCurve
    from tagger.evaluation.slices import slice_size

    largest = {
        cell.key.strategy: cell
        for cell in sorted(
            evaluation.cells, key=lambda cell: (slice_size(cell.key.slice), -cell.key.seed)
        )
        if cell.curves
    }
    for name, cell in largest.items():
        for curve, points in cell.curves.items():
            steps, losses = zip(*points, strict=True) if points else ((), ())
            if steps:
                yield LossCurve(f"{name}, {curve}", steps, losses)
