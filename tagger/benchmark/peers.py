"""Peers: other libraries on the same issues, where they are installed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.benchmark.rows import ENCODE, BenchmarkRow, limit_to_processors
from tagger.benchmark.timing import latency, peak_megabytes, throughput
from tagger.encoders.loading import quiet
from tagger.encoders.model_sources import weights_bytes
from tagger.label_semantics.prompts import readable
from tagger.statistics.f1_thresholds import choose_thresholds
from tagger.statistics.metrics import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tagger.benchmark.timing import Latency
    from tagger.benchmark.trial import ModelLocations, Trial

PIPELINE = "zero-shot pipeline"
SENTENCES = "sentence-transformers"
SETFIT = "setfit"

SETFIT_STEPS = 100
"""Steps that SetFit may train: its speed is what is compared, not its best."""

CHARACTERS = 10_000
"""Read of an issue by the peers: their models read fewer tokens, and a pasted log takes minutes."""


def installed(places: ModelLocations) -> tuple[str, ...]:
    """Peers that can be run here."""
    names = [PIPELINE] if places.zero_shot_model is not None else []
    names += [SENTENCES] if find_spec("sentence_transformers") else []
    return (*names, SETFIT) if find_spec("setfit") else tuple(names)


def measure_peer(places: ModelLocations, name: str, trial: Trial) -> BenchmarkRow:
    """One peer's row."""
    limit_to_processors()
    return {PIPELINE: _pipeline, SENTENCES: _sentences, SETFIT: _setfit}[name](places, trial)


def zero_shot_pipeline(
    places: ModelLocations, names: Sequence[str]
) -> Callable[[str], NDArray[Any]]:
    """Transformers' pipeline as chapter 9 calls it: a text in, each label's probability out."""
    from transformers import pipeline

    with quiet():
        ask: Any = pipeline(
            "zero-shot-classification", model=str(places.zero_shot_model), device="cpu"
        )

    def score(text: str) -> NDArray[Any]:
        answer = ask(text[:CHARACTERS] or " ", list(names), multi_label=True)
        by_name = dict(zip(answer["labels"], answer["scores"], strict=True))
        return np.array([by_name[name] for name in names])

    return score


def sentence_encoder(places: ModelLocations) -> Any:
    """sentence-transformers on the encoder's own files, in float32."""
    from sentence_transformers import SentenceTransformer

    with quiet():
        return SentenceTransformer(str(places.encoder.folder), device="cpu")


def _pipeline(places: ModelLocations, trial: Trial) -> BenchmarkRow:
    start = time.perf_counter()
    names = [readable(label.name) for label in trial.test.labels]
    ask = zero_shot_pipeline(places, names)
    ask("warm up")
    loaded = round(time.perf_counter() - start, 2)
    texts = _texts(trial.test.issues)
    alone = latency(ask, texts)
    per_second, scores = throughput(lambda some: np.array([ask(text) for text in some]), texts)
    peak = peak_megabytes()
    thresholds = choose_thresholds(
        trial.thresholds_on.targets,
        np.array([ask(text) for text in _texts(trial.thresholds_on.issues)]),
    )
    counts = Counts.of(trial.test.targets, thresholds.decide(scores))
    measured = PeerFigures(alone, per_second, peak, loaded, counts)
    return _row(PIPELINE, "transformers", measured, places)


def _sentences(places: ModelLocations, trial: Trial) -> BenchmarkRow:
    start = time.perf_counter()
    encoder = sentence_encoder(places)
    encoder.encode(["warm up"], show_progress_bar=False)
    loaded = round(time.perf_counter() - start, 2)
    texts = _texts(trial.test.issues)
    alone = latency(lambda text: encoder.encode([text], show_progress_bar=False), texts)
    per_second, _ = throughput(lambda some: encoder.encode(some, show_progress_bar=False), texts)
    measured = PeerFigures(alone, per_second, peak_megabytes(), loaded)
    return _row(ENCODE, SENTENCES, measured, places)


def _setfit(places: ModelLocations, trial: Trial) -> BenchmarkRow:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    model = SetFitModel.from_pretrained(
        str(places.encoder.folder), multi_target_strategy="one-vs-rest", trust_remote_code=False
    )
    learned = np.flatnonzero(
        (trial.train.positives > 0) & (trial.train.positives < len(trial.train))
    )
    targets = trial.train.targets[:, learned].astype(int).tolist()
    rows = Dataset.from_dict({"text": _texts(trial.train.issues), "label": targets})
    arguments = TrainingArguments(
        batch_size=16, num_epochs=1, max_steps=SETFIT_STEPS, report_to="none"
    )
    Trainer(model=model, args=arguments, train_dataset=rows).train()

    def ask(texts: Sequence[str]) -> NDArray[Any]:
        scores = np.zeros((len(texts), len(trial.test.labels)))
        scores[:, learned] = model.predict_proba(list(texts), as_numpy=True)
        return scores

    texts = _texts(trial.test.issues)
    alone = latency(lambda text: ask([text]), texts)
    per_second, scores = throughput(ask, texts)
    thresholds = choose_thresholds(
        trial.thresholds_on.targets, ask(_texts(trial.thresholds_on.issues))
    )
    counts = Counts.of(trial.test.targets, thresholds.decide(scores))
    measured = PeerFigures(alone, per_second, peak_megabytes(), 0.0, counts)
    return _row("contrastive", SETFIT, measured, places)


@dataclass(frozen=True)
class PeerFigures:
    """What was measured of one library.

    :ivar per_second: issues, all given at once.
    :ivar peak: megabytes that the process held at most.
    :ivar loaded: seconds until the first answer.
    :ivar counts: None where it gives no labels.
    """

    alone: Latency
    per_second: float
    peak: float
    loaded: float
    counts: Counts | None = None


def _row(
    strategy: str, library: str, measured: PeerFigures, places: ModelLocations
) -> BenchmarkRow:
    folder = places.zero_shot_model if strategy == PIPELINE else places.encoder.folder
    size = round(weights_bytes(folder) / 1e6, 1) if folder else 0.0
    counts = measured.counts
    micro = None if counts is None else round(float(counts.micro_f1), 4)
    macro = None if counts is None else round(float(counts.macro_f1), 4)
    return BenchmarkRow(
        strategy,
        library,
        measured.alone,
        measured.per_second,
        size,
        measured.peak,
        measured.loaded,
        micro,
        macro,
        peer=True,
    )


def _texts(issues: Sequence[Any]) -> list[str]:
    return [issue.full[:CHARACTERS] for issue in issues]
