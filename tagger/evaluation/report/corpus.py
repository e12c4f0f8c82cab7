"""What was learned from: how often labels stand, together and alone, how long issues are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tagger.evaluation.report.charts import bar_chart, heat_map, histogram, point_map
from tagger.evaluation.report.issue_map import places
from tagger.evaluation.report.svg import Axis
from tagger.evaluation.report.tables import ReportTable
from tagger.evaluation.report.view import Figure, Section, View

if TYPE_CHECKING:
    from tagger.domain.issue import TrainingSet

MAPPED = 5
"""Labels with a colour of their own in the map of issues; the others share one."""


def corpus(view: View) -> Section:
    """The labelled issues themselves."""
    data = view.evaluation.data
    figures = [_frequencies(data), _words(data), _together(data)]
    if view.extras.vectors is not None:
        figures.append(_map(view))
    unlabelled = f" and {len(data.unlabelled):,} unlabelled texts" if data.unlabelled else ""
    lead = f"{len(data):,} labelled issues{unlabelled}, {len(data.labels)} labels."
    return Section("data", "The issues", lead, tuple(figures), curious=True)


def _frequencies(data: TrainingSet) -> Figure:
    order = np.argsort(-data.positives, kind="stable")
    counts = [int(data.positives[n]) for n in order]
    names = [data.names[n] for n in order]
    shares = [f"{count:,} ({count / max(len(data), 1):.1%})" for count in counts]
    return Figure(
        "How often each label stands",
        "Labelled issues that carry it.",
        bar_chart("Issues of each label", names, counts, shares),
        ReportTable.of(
            ["label", "issues", "share"],
            [
                [name, count, count / max(len(data), 1)]
                for name, count in zip(names, counts, strict=True)
            ],
        ),
        narrow=bar_chart("Issues of each label, narrow", names, counts, shares, narrow=True),
    )


def _words(data: TrainingSet) -> Figure:
    lengths = np.array([max(len(issue.full.split()), 1) for issue in data.issues] or [1])
    edges = np.unique(np.round(np.geomspace(1, max(lengths.max(), 2) + 1, 28)))
    counts, _ = np.histogram(lengths, edges)
    low, middle, high = np.quantile(lengths, [0.1, 0.5, 0.9])
    tens = tuple((10.0**n, f"{10**n:,}") for n in range(6) if 10**n <= edges[-1])
    x = Axis(float(edges[0]), float(edges[-1]), tens, "words (logarithmic)", log=True)
    rows = [
        [f"{a:.0f} to {b - 1:.0f}", int(n)]
        for a, b, n in zip(edges, edges[1:], counts, strict=False)
    ]
    return Figure(
        "Words in an issue",
        f"Title and body as filed, cleaned. Half of the issues have at most {middle:,.0f} words, "
        f"one in ten at most {low:,.0f}, one in ten more than {high:,.0f}.",
        histogram("Words per issue", list(edges), [int(n) for n in counts], x, y_title="issues"),
        ReportTable.of(["words", "issues"], rows),
    )


def _together(data: TrainingSet) -> Figure:
    order = np.argsort(-data.positives, kind="stable")
    counts = (data.targets.T.astype(int) @ data.targets.astype(int))[np.ix_(order, order)]
    share = counts / np.maximum(np.diag(counts)[:, None], 1)
    names = [data.names[n] for n in order]
    alone = np.eye(len(names), dtype=bool)
    words = np.where(
        alone, np.diag(counts)[:, None].astype(str), np.vectorize("{:.0%}".format)(share)
    )
    words[(counts == 0) & ~alone] = ""
    drawn = heat_map(
        "Labels that stand together",
        names,
        names,
        np.where(alone, np.nan, share),
        words.tolist(),
        titles=("also carries", ""),
    )
    rows = [[name, *(int(n) for n in row)] for name, row in zip(names, counts, strict=True)]
    return Figure(
        "Labels that stand together",
        "Of the issues with the label on the left, the share that also carries the one on top; on "
        "the diagonal, their number.",
        drawn,
        ReportTable.of(["issues with both", *names], rows),
        wide=True,
    )


def _map(view: View) -> Figure:
    data, vectors = view.evaluation.data, view.extras.vectors
    map_points = places(np.asarray(vectors))
    order = np.argsort(-data.positives, kind="stable")
    group = np.full(len(data), MAPPED)
    for rank in range(min(MAPPED, len(order))):
        group[data.targets[:, order[rank]]] = rank
    names = [*(data.names[n] for n in order[:MAPPED]), "other"]
    groups, rows = [], []
    for rank, name in enumerate(names):
        members = np.flatnonzero(group == rank)
        if not len(members):
            continue
        hover = [f"#{data.numbers[row]} {data.issues[row].title[:80]}" for row in members]
        groups.append((name, (rank + 1) % (MAPPED + 1), map_points.points[members], hover))
        middle = map_points.points[members].mean(axis=0)
        rows.append([name, len(members), float(middle[0]), float(middle[1])])
    return Figure(
        "A map of the issues",
        f"Issues that read alike lie close together ({map_points.method}). "
        "An issue with several labels has the colour of its rarest one among these.",
        point_map("Issues by likeness", groups[::-1]),
        ReportTable.of(["label", "issues", "middle, across", "middle, up"], rows),
        tuple((name, snapshot) for name, snapshot, _, _ in groups),
        wide=True,
        points=True,
        cloud=True,
    )
