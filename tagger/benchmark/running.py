"""Running a benchmark: one process a row, so that none sees another's memory or warm caches."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tagger.benchmark import rows as measuring
from tagger.benchmark.peers import installed, measure_peer
from tagger.benchmark.report import BenchmarkReport
from tagger.errors import TaggerError
from tagger.runtimes import ON_CPU_ONLY, RUNTIMES
from tagger.strategies import TUNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tagger.benchmark.rows import BenchmarkRow
    from tagger.benchmark.trial import ModelLocations, Trial
    from tagger.domain.strategy import Progress
    from tagger.runtimes import Runtime

NO_TRANSFORMER = ("naive-bayes",)
"""Strategies that compute the same whatever the runtime: measured once."""


def benchmark(
    places: ModelLocations,
    trial: Trial,
    repository: str,
    *,
    strategies: Sequence[str],
    runtimes: Sequence[Runtime] = RUNTIMES,
    peers: bool = True,
    progress: Progress,
) -> BenchmarkReport:
    """Measure the encoder, each strategy in each runtime, and the peers that are installed."""
    from tagger.runtimes.devices import choose_device

    if choose_device(places.device).type != "cpu":
        runtimes = [runtime for runtime in runtimes if runtime not in ON_CPU_ONLY]
    with TemporaryDirectory(prefix="issue-tagger-benchmark-") as aside:
        steps = list(_steps(places, trial, strategies, runtimes, Path(aside), peers=peers))
        rows, notes = [], []
        for done, (name, function, arguments) in enumerate(steps):
            progress(name, done, len(steps))
            try:
                answer = _apart(function, *arguments)
            except (TaggerError, ImportError, OSError, ValueError, BrokenProcessPool) as problem:
                notes.append(f"{name} was left out: {str(problem).splitlines()[0]}")
                continue
            if answer is not None:
                rows.append(answer)
        progress("done", len(steps), len(steps))
    return BenchmarkReport(repository, len(trial.train), len(trial.test), tuple(rows), tuple(notes))


def _steps(
    places: ModelLocations,
    trial: Trial,
    strategies: Sequence[str],
    runtimes: Sequence[Runtime],
    aside: Path,
    *,
    peers: bool,
) -> Iterator[tuple[str, Callable[..., BenchmarkRow | None], tuple[Any, ...]]]:
    """Name, function and arguments of everything that is to be done, in order."""
    for runtime in runtimes:
        yield f"encode, {runtime}", measuring.measure_encoder, (places, runtime, trial)
    for strategy in strategies:
        folder = aside / strategy
        yield f"fitting {strategy}", measuring.fit, (places, strategy, trial, folder)
        for runtime in runtimes[:1] if strategy in NO_TRANSFORMER else runtimes:
            arguments = (places, strategy, runtime, trial, folder)
            yield f"{strategy}, {runtime}", measuring.measure, arguments
    for peer in installed(places) if peers else ():
        yield peer, measure_peer, (places, peer, trial)


def usual_strategies() -> tuple[str, ...]:
    """What is measured unless asked otherwise: without those whose fit takes many minutes."""
    from tagger.strategies import ON_REQUEST, REGISTRY

    return tuple(name for name in REGISTRY if name not in TUNING | ON_REQUEST)


def _apart(function: Callable[..., BenchmarkRow | None], *arguments: Any) -> BenchmarkRow | None:
    """The function's answer from a fresh process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()
