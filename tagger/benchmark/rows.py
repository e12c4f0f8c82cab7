"""Rows: a strategy fitted once, then measured in each runtime, each in a process of its own."""

from __future__ import annotations

import gc
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tagger.benchmark.timing import Latency, latency, peak_megabytes, throughput
from tagger.persistence import load_arrays, save_arrays
from tagger.statistics.f1_thresholds import Thresholds, choose_thresholds
from tagger.statistics.metrics import Counts
from tagger.strategies import create
from tagger.strategies.candidates import ThresholdedStrategy

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.benchmark.trial import ModelLocations, Trial
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Scores, Strategy
    from tagger.runtimes import Runtime

ENCODE = "encode"
"""The row of the encoder alone, beside which sentence-transformers stands."""


@dataclass(frozen=True)
class BenchmarkRow:
    """One line of the table.

    :ivar runtime: of the product; or the peer's library.
    :ivar megabytes: weights as the runtime holds them and what the strategy keeps on disk.
    :ivar peak_megabytes: of a process that does nothing else.
    :ivar load_seconds: from the folder to the first answer.
    :ivar per_second: issues, asked about together.
    :ivar micro_f1: None for a row that decides nothing.
    """

    strategy: str
    runtime: str
    latency: Latency
    per_second: float
    megabytes: float
    peak_megabytes: float
    load_seconds: float
    micro_f1: float | None = None
    macro_f1: float | None = None
    peer: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def fit(places: ModelLocations, name: str, trial: Trial, folder: Path) -> None:
    """Fit a strategy in PyTorch's usual precision and write it to an empty folder, with its cuts.

    Each runtime then computes with the same learned numbers: what differs is the runtime.
    """
    strategy = create(name, places.resources(None)).fit(trial.train)
    (folder / "state").mkdir(parents=True)
    strategy.save(folder / "state")
    thresholds = choose_thresholds(
        trial.thresholds_on.targets, strategy.score(trial.thresholds_on.issues)
    )
    save_arrays(folder / "cuts.safetensors", {"cuts": thresholds.values})


def measure(
    places: ModelLocations, name: str, runtime: Runtime, trial: Trial, folder: Path
) -> BenchmarkRow:
    """Restore what `fit` wrote and measure it in a runtime."""
    limit_to_processors()
    start = time.perf_counter()
    strategy = create(name, places.resources(runtime)).restore(folder / "state")
    strategy.score(trial.thresholds_on.issues[:1])
    loaded = time.perf_counter() - start
    alone = latency(lambda issue: strategy.score([issue]), trial.test.issues)
    fresh = create(name, places.resources(runtime)).restore(folder / "state")
    fresh.score(trial.thresholds_on.issues[:1])
    per_second, scores = throughput(fresh.score, trial.test.issues)
    peak = peak_megabytes()
    del fresh
    micro, macro = f1(strategy, scores, trial.test, folder)
    size = weights_megabytes() + _megabytes(folder / "state")
    return BenchmarkRow(
        name, runtime, alone, per_second, size, peak, round(loaded, 2), micro, macro
    )


def measure_encoder(places: ModelLocations, runtime: Runtime, trial: Trial) -> BenchmarkRow:
    """The encoder alone, on the test issues' texts."""
    limit_to_processors()
    texts = [issue.full for issue in trial.test.issues]
    start = time.perf_counter()
    encoder = places.bare_encoder(runtime)
    encoder.encode(texts[:1])
    loaded = round(time.perf_counter() - start, 2)
    alone = latency(lambda text: encoder.encode([text]), texts)
    per_second, _ = throughput(encoder.encode, texts)
    return BenchmarkRow(
        ENCODE, runtime, alone, per_second, weights_megabytes(), peak_megabytes(), loaded
    )


def f1(strategy: Strategy, scores: Scores, test: TrainingSet, folder: Path) -> tuple[float, float]:
    """Micro and macro F1 of the strategy's own decisions, or of those at the thresholds kept."""
    if isinstance(strategy, ThresholdedStrategy):
        decided = strategy.decide(test.issues)
    else:
        decided = Thresholds(load_arrays(folder / "cuts.safetensors", "cuts")["cuts"]).decide(
            scores
        )
    counts = Counts.of(test.targets, decided)
    return round(float(counts.micro_f1), 4), round(float(counts.macro_f1), 4)


def weights_megabytes() -> float:
    """All transformers' weights in this process, which runs nothing else; each counted once."""
    from tagger.runtimes.onnx_runner import OnnxRunner
    from tagger.runtimes.torch_runner import TorchRunner

    gc.collect()
    # not isinstance: it would ask objects of torch for a class that they warn about
    runners = [
        get_object
        for get_object in gc.get_objects()
        if type(get_object) in {TorchRunner, OnnxRunner}
    ]
    weights: int = sum(runner.weight_bytes for runner in runners)
    return round(weights / 1e6, 1)


def limit_to_processors() -> None:
    """As many threads as this process may use processors: more of them wait for each other."""
    import os

    from tagger.runtimes.threads import limit_threads

    limit_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)


def _megabytes(folder: Path) -> float:
    """What the strategy keeps, less tuned weights: those are counted as the runtime has them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    paths = [path for path in files if path.name != "model.safetensors"]
    return round(sum(path.stat().st_size for path in paths) / 1e6, 1)
