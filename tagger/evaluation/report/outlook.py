"""The verdict of an evaluation: what the bot would have set on the test issues, and how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tagger.chain.precision_guarantee import Evidence, MissingExamples, lower_bound
from tagger.evaluation.report.view import CHAIN, Pooled, View
from tagger.monitoring.verdict import (
    LabelOutlook,
    ReleaseVerdict,
    mode_of,
    verdict_of_manifest,
)
from tagger.statistics.metrics import ratio

if TYPE_CHECKING:
    from tagger.domain.strategy import Scores
    from tagger.statistics.metrics import Decisions, Floats

TARGET = 0.9
"""The precision under which an evaluation applies labels, as
`tagger.chain.precision_guarantee.DEFAULT_TARGET`."""


def verdict_of(view: View) -> ReleaseVerdict:
    """On the release that serves, else on what was measured here."""
    if view.extras.release is not None:
        return verdict_of_manifest(view.extras.release)
    return measured_verdict(view)


def measured_verdict(view: View) -> ReleaseVerdict:
    """Measured on the largest slice with the chain, as the bot would serve.

    Where several seeds test an issue, its decisions count as one issue's: no interval is narrower
    than its number of issues allows. Where the chain was not scored nothing is promised.
    """
    pooled = view.pooled(CHAIN, view.last)
    order = np.argsort(-view.evaluation.data.positives, kind="stable")
    if pooled is None or pooled.applied is None:
        positives = view.evaluation.data.positives
        silent = (LabelOutlook(view.names[n], int(positives[n]), "suggest") for n in order)
        return ReleaseVerdict(TARGET, tuple(silent))
    labels = {int(n): _outlook(view, pooled, int(n)) for n in order}
    switched_on = np.array([labels[n].mode == "apply" for n in range(len(view.names))])
    return _whole(pooled, tuple(labels.values()), switched_on)


def _whole(
    pooled: Pooled, labels: tuple[LabelOutlook, ...], switched_on: Decisions
) -> ReleaseVerdict:
    weights = weight_of_rows(pooled)
    applied = _applied(pooled) & switched_on
    n_applied = float((weights[:, None] * applied).sum())
    labelled = float((weights * applied.any(axis=1)).sum() / max(weights.sum(), 1e-9))
    if not n_applied:
        return ReleaseVerdict(TARGET, labels, labelled)
    hits = float((weights[:, None] * (applied & pooled.truth)).sum())
    at_most = 1 - lower_bound(hits, n_applied)
    return ReleaseVerdict(TARGET, labels, labelled, 1 - hits / n_applied, at_most)


def weight_of_rows(pooled: Pooled) -> Floats:
    """One over how many seeds test the issue. *Shape:* (n,)"""
    _, place, times = np.unique(pooled.rows, return_inverse=True, return_counts=True)
    return np.asarray(1 / times[place])


def _applied(pooled: Pooled) -> Decisions:
    """What was set under the promise; nothing where the strategy makes none."""
    return np.zeros_like(pooled.truth) if pooled.applied is None else pooled.applied


def _outlook(view: View, pooled: Pooled, label: int) -> LabelOutlook:
    weights, truth = weight_of_rows(pooled), pooled.truth[:, label]
    applied = _applied(pooled)[:, label]
    examples = int(view.evaluation.data.positives[label])
    n_applied = float((weights * applied).sum())
    hits = float((weights * (applied & truth)).sum())
    high = 1 - lower_bound(n_applied - hits, n_applied) if n_applied else None
    promised = high is not None and high >= TARGET and _usually_applied(view, label)
    missing = MissingExamples()
    if not promised:
        missing = _evidence(pooled, label).missing_range(TARGET, examples)
    return LabelOutlook(
        view.names[label],
        examples,
        mode_of(view.names[label], missing, promised=promised),
        _threshold(view, label),
        hits / n_applied if n_applied else None,
        lower_bound(hits, n_applied) if n_applied else None,
        high,
        hits / max(float((weights * truth).sum()), 1e-9) if n_applied else None,
        missing.at_least,
        missing.at_most,
    )


def _cells(view: View) -> list[tuple[Scores, Decisions]]:
    """Scores and applied labels of each seed's chain on the largest slice."""
    return [
        (cell.scores, cell.applied)
        for cell in view.evaluation.cells
        if (cell.key.strategy, cell.key.slice) == (CHAIN, view.last) and cell.applied is not None
    ]


def _usually_applied(view: View, label: int) -> bool:
    """Whether most seeds' chains found a threshold that keeps the promise."""
    return bool(np.mean([applied[:, label].any() for _, applied in _cells(view)]) > 0.5)


def _threshold(view: View, label: int) -> float | None:
    """The lowest score that was applied, mean of the seeds."""
    lowest = [
        float(scores[applied[:, label], label].min())
        for scores, applied in _cells(view)
        if applied[:, label].any()
    ]
    return float(np.mean(lowest)) if lowest else None


def _evidence(pooled: Pooled, label: int) -> Evidence:
    """Each test issue once, with its mean score over the seeds."""
    rows, first, place = np.unique(pooled.rows, return_index=True, return_inverse=True)
    total = np.bincount(place, weights=pooled.scores[:, label], minlength=len(rows))
    return Evidence.of(ratio(total, np.bincount(place)), pooled.truth[first, label])


@dataclass(frozen=True)
class LabelProfile:
    """What the bot would say of one label on the test issues of all seeds.

    :ivar how: "set" or "suggested".
    :ivar times: how often.
    :ivar issues: test issues that carry the label.
    """

    name: str
    how: str
    precision: float
    recall: float
    times: int
    issues: int


def said_by_the_bot(view: View) -> list[LabelProfile]:
    """Each label by the threshold that the bot uses; without the chain by the best strategy's."""
    strategy = CHAIN if CHAIN in view.evaluation.strategies else view.best.strategy
    pooled = view.pooled(strategy, view.last)
    if pooled is None:
        return []
    switched_on = set(verdict_of(view).names("apply"))
    return [
        _profile(pooled, label, name, applied=name in switched_on)
        for label, name in enumerate(view.names)
    ]


def _profile(pooled: Pooled, label: int, name: str, *, applied: bool) -> LabelProfile:
    """With fewer issues than the release has learned from a promise may fail: then suggested."""
    applied = applied and bool(_applied(pooled)[:, label].any())
    decided = (_applied(pooled) if applied else pooled.decided)[:, label]
    truth = pooled.truth[:, label]
    hits, times, issues = int((decided & truth).sum()), int(decided.sum()), int(truth.sum())
    how = "set" if applied else "suggested"
    return LabelProfile(name, how, hits / max(times, 1), hits / max(issues, 1), times, issues)
