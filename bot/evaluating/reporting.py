"""Report: how good labels are in use, what changed since the last report, whether to retrain."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import known_configuration
from bot.errors import CommandRefused
from bot.evaluating import evaluating
from bot.evaluating.drift import drift
from bot.evaluating.live_outcomes import answered
from bot.evaluating.report_text import in_words
from bot.labelling.tag_issue import policy_for
from bot.learning.gating import holdout_key_of, part
from bot.learning.training_data import training_data
from store.engine.text import name_key
from store.records import OTHER_KINDS, EvaluationCell
from tagger.monitoring import verdict
from tagger.monitoring.alarm import Decided, compare_with_last
from tagger.monitoring.drift import expected_gain
from tagger.monitoring.live_figures import live_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.model_serving.release_cache import LoadedRelease, ReleaseCache
    from store.database import Store
    from store.records import EvaluationRun, Repository, StoredRelease, TargetKind
    from tagger.domain.issue import TrainingSet
    from tagger.monitoring.drift import Change, Gain
    from tagger.monitoring.gate import GateDecision
    from tagger.monitoring.live_figures import LiveLabel

log = logging.getLogger(__name__)

KIND = "report"
DECISIONS = "held out"
"""The cell that keeps what the release decided, for the next report to compare with."""

WORTH_A_TRAINING = 0.01
"""Micro F1 that a training is expected to bring before anybody is asked for one."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a report says, as a document and as Markdown; alarms are sentences."""

    document: dict[str, Any]
    text: str
    alarms: tuple[str, ...]


def report(store: Store, cache: ReleaseCache, repository: str, *, now: datetime) -> Reported:
    """Take stock, compare with the last report, keep this one.

    The one function behind the command, the schedule and `/tagger report`.

    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: no release serves.
    """
    data = training_data(store, repository)
    with store.read() as work:
        stored = work.repositories.get(repository)
        active = work.releases.active(stored.id)
        if active is None:
            raise CommandRefused(
                f"{repository} has no active release; issue-tagger retrain {repository} makes one"
            )
        live = live_figures(answered(work, stored, now))
        signs = drift(work, stored.id, active, now)
        last, evaluation = (
            work.evaluations.latest(stored.id, kind) for kind in (KIND, evaluating.KIND)
        )
        before = work.evaluations.cell(last.id, DECISIONS) if last else None
        renames = work.labels.renames(stored.id)
    configuration = known_configuration(stored) or RepositoryConfiguration.absent()
    held_out = part(data, holdout_key_of(store, repository)).held_out
    serving = cache.active(stored.id)
    truth, decided = _held_out(held_out, active, serving, configuration, renames)
    compared = compare_with_last(decided, _decided(before), truth) if before else None
    summary = (evaluation.report or {}).get("summary", ()) if evaluation else ()
    gain = expected_gain(summary, int(active.manifest.get("n_issues", 0)), len(data))
    alarms = tuple(_alarms(live, compared, configuration.precision_for))
    document: dict[str, Any] = {
        "repository": stored.full_name,
        "at": now.isoformat(),
        "release": active.id,
        "since": last.started_at.isoformat() if last else None,
        "verdict": verdict.as_json(verdict.verdict_of_manifest(active.manifest)),
        "live": [label.to_json() for label in live],
        "drift": [sign.to_json() for sign in signs],
        "held_out": _figures(truth, decided),
        "compared_with_last": compared.to_json() if compared else None,
        "evaluation": _evaluation(evaluation),
        **{
            target: _of_kind(target, store, cache, stored, configuration, renames, now)
            for target in OTHER_KINDS
        },
        "retrain": _advice(signs, gain),
        "alarms": list(alarms),
    }
    _keep(store, stored.id, document, decided, data.fingerprint, now)
    for alarm in alarms:
        log.warning("alarm", extra={"repository": stored.full_name, "reason": alarm})
    return Reported(document, in_words(document), alarms)


def _of_kind(
    target: TargetKind,
    store: Store,
    cache: ReleaseCache,
    repository: Repository,
    configuration: RepositoryConfiguration,
    renames: Mapping[str, str],
    now: datetime,
) -> dict[str, Any] | None:
    """How labels do on another kind, by itself; None where it is not labelled."""
    if not configuration.covers(target):
        return None
    with store.read() as work:
        active = work.releases.active(repository.id, target)
        live = live_figures(answered(work, repository, now, target), weekly=False)
    held_out: dict[str, Any] = {"n_issues": 0}
    if active is not None:
        name = repository.full_name
        data = training_data(store, name, target=target)
        fair = part(data, holdout_key_of(store, name)).held_out
        serving = cache.active(repository.id, target)
        held_out = _figures(*_held_out(fair, active, serving, configuration, renames))
    return {
        "release": active.id if active else None,
        "live": [label.to_json() for label in live],
        "held_out": held_out,
    }


def write_files(reported: Reported, folder: Path) -> tuple[Path, ...]:
    """`live.json` and `live.md` in the folder, made if need be."""
    import json

    folder.mkdir(parents=True, exist_ok=True)
    as_json = json.dumps(reported.document, indent=1, ensure_ascii=False) + "\n"
    written = []
    for name, content in (("live.json", as_json), ("live.md", reported.text)):
        aside = folder / f"{name}.tmp"
        aside.write_text(content, encoding="utf-8")
        written.append(aside.replace(folder / name))
    return tuple(written)


def _held_out(
    held_out: TrainingSet,
    active: StoredRelease,
    cached: LoadedRelease | None,
    configuration: RepositoryConfiguration,
    renames: Mapping[str, str],
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], Decided]:
    """Truth and decisions on issues that the release has not learned from."""
    learned_from = set(active.provenance.learned_from)
    fair = held_out.subset(
        [n for n, number in enumerate(held_out.numbers) if number not in learned_from]
    )
    decided = np.zeros(fair.targets.shape, dtype=bool)
    if cached is not None and len(fair):
        policy = policy_for(configuration, cached.release.names, renames)
        place = {name_key(name): column for column, name in enumerate(fair.names)}
        for row, labels in enumerate(cached.release.tag(fair.issues, policy)):
            for label in labels:
                present = name_key(renames.get(name_key(label.name), label.name))
                if label.decision != "abstain" and present in place:
                    decided[row, place[present]] = True
    return fair.targets, Decided(fair.numbers, fair.names, decided)


def _figures(truth: Any, decided: Decided) -> dict[str, Any]:
    from tagger.statistics.bootstrap import METRICS, metric_interval

    figures: dict[str, Any] = {"n_issues": len(truth)}
    for metric in METRICS if len(truth) else ():
        interval = metric_interval(truth, decided.decided, metric)
        figures |= {metric: interval.value, f"{metric}_ci": [interval.low, interval.high]}
    return figures


def _alarms(
    live: Sequence[LiveLabel], compared: GateDecision | None, target: Callable[[str], float]
) -> list[str]:
    alarms = []
    if compared is not None and not compared.promote:
        alarms.append(compared.reason.replace("the active release", "at the last report"))
    for label in live:
        promised = target(label.label)
        if label.week is None and label.precision.n and label.precision.high < promised:
            alarms.append(
                f"{label.label}: precision in use is {label.precision.value:.2f} (at most "
                f"{label.precision.high:.2f} with 95 % confidence), asked for was {promised:.2f}"
            )
    return alarms


def _advice(signs: Sequence[Change], gain: Gain | None) -> dict[str, Any]:
    """Whether to retrain now, why, and what it may bring."""
    why = [
        f"{sign.what}: {sign.before.share:.1%} then, {sign.now.share:.1%} now"
        for sign in signs
        if sign.beyond_noise
    ]
    if gain is not None and gain.expected >= WORTH_A_TRAINING:
        why.append(f"{gain.labelled} labelled issues, {gain.learned} when the release was trained")
    return {"now": bool(why), "why": why, "gain": gain.to_json() if gain else None}


def _evaluation(run: EvaluationRun | None) -> dict[str, Any] | None:
    if run is None or not run.report:
        return None
    return {
        "at": run.started_at.isoformat(),
        "changes": run.report.get("changes", []),
        "notes": run.report.get("notes", []),
    }


def _keep(
    store: Store,
    repository_id: int,
    document: dict[str, Any],
    decided: Decided,
    fingerprint: str,
    now: datetime,
) -> None:
    cell = {
        "numbers": list(decided.numbers),
        "names": list(decided.names),
        "given": [np.flatnonzero(row).tolist() for row in decided.decided],
    }
    with store.begin() as work:
        run = work.evaluations.start(repository_id, KIND, fingerprint, {}, now)
        work.evaluations.put_cell(run.id, EvaluationCell(DECISIONS, cell), now)
        work.evaluations.finish(run.id, document, now)


def _decided(cell: EvaluationCell) -> Decided:
    result = cell.result
    decided = np.zeros((len(result["numbers"]), len(result["names"])), dtype=bool)
    for row, columns in enumerate(result["given"]):
        decided[row, columns] = True
    return Decided(tuple(result["numbers"]), tuple(result["names"]), decided)
