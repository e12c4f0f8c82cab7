"""The choice of a runtime: measured once on the repository's own issues, recorded, kept to."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np

from tagger.errors import ModelRefused, ReleaseDamaged
from tagger.persistence import load_json, save_json
from tagger.runtimes import BY_SETTING_ONLY, ON_CPU_ONLY, RUNTIMES
from tagger.statistics.metrics import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.encoders.encoder import Encoder, Vectors
    from tagger.runtimes import Runtime

LOSS = 0.005
"""F1 that a faster runtime may cost: half a point."""

MIN_SIMILARITY = 0.98
"""Mean cosine to float32 that a runtime must keep; where nothing is labelled it decides alone."""

SECONDS = 2.0
"""For encoding the sample in float32, the slowest way; the others take less."""

SAMPLE = (24, 200)
"""Fewest and most issues encoded."""

WARMING = 2
TIMED = 12
"""Issues encoded one by one, after some to warm up; their median counts."""

ALIKE = 0.1
"""Times that differ by less are the same: from one run to the next they differ as much."""

GLANCE = 3
"""Issues after which a runtime is given up that is `SLOWER` than the best until then."""

SLOWER, WORTH_SAVING = 2.0, 5.0
"""Times, and milliseconds an issue: of what takes less than these all are compared."""

LIGHTEST: tuple[Runtime, ...] = ("onnx-int8", "onnx", "torch-bf16", "torch-int8", "torch")
"""By what a process holds to run one. With ONNX Runtime it needs no module of transformers' to
compute with, and nothing of PyTorch's compiler, which those import: 100 MB and 2.5 s less."""

NEIGHBOURS = 8

LIBRARIES = ("torch", "onnxruntime", "transformers")


class Runtimes(Protocol):
    """What an installation can compute with.

    :ivar model: digest of the encoder's weights, whose runtimes are compared.
    """

    model: str

    def under(self, runtime: Runtime) -> Resources:
        """The same resources in this runtime."""
        ...

    def bare_encoder(self, runtime: Runtime) -> Encoder:
        """An encoder that asks no store and is nobody else's: to measure and let go."""
        ...


@dataclass(frozen=True)
class Measured:
    """One runtime's figures on this machine.

    :ivar milliseconds: median for one issue alone.
    :ivar similarity: mean cosine to float32.
    :ivar f1: micro F1 of the nearest neighbours, each issue left out; None: too few labelled.
    """

    milliseconds: float
    similarity: float
    f1: float | None


@dataclass(frozen=True)
class RuntimeChoice:
    """Which runtime a release computes with, and why.

    :ivar how: "set": by the setting; "measured": fastest of those that keep F1.
    :ivar measured: figures by runtime.
    :ivar refused: runtimes that could not be had, or were far slower, with the reason.
    :ivar n_issues: how many the figures rest on.
    """

    name: Runtime
    how: Literal["set", "measured"]
    measured: Mapping[str, Measured] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    n_issues: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """:raises KeyError, TypeError, ValueError: not what `as_json` gave, or an unknown name."""
        if data["name"] not in RUNTIMES:
            raise ValueError(f"runtime {data['name']!r}, expected one of {', '.join(RUNTIMES)}")
        measured = {name: Measured(**figures) for name, figures in data["measured"].items()}
        return cls(**{**data, "measured": measured})


def settle(resources: Resources, train: TrainingSet) -> tuple[Resources, RuntimeChoice | None]:
    """Resources in the runtime that this training and its release will use.

    Times differ from run to run, and a release must not: what was chosen once on a machine, for a
    model and its libraries, is recorded in the cache and holds until one of them changes.
    """
    if resources.runtimes is None:
        return resources, None
    if resources.runtime is not None:
        return resources, RuntimeChoice(resources.runtime, "set")
    choice = recorded(resources.runtimes, resources)
    if choice is None:
        choice = measure(resources.runtimes, train, resources)
        if resources.cache is not None:
            file = _file(resources.cache, resources.runtimes, resources.device)
            file.parent.mkdir(parents=True, exist_ok=True)
            save_json(file, choice.as_json())
    return resources.runtimes.under(choice.name), choice


def recorded(runtimes: Runtimes, resources: Resources) -> RuntimeChoice | None:
    """What was chosen on this machine before; None: nothing, or it cannot be read."""
    if resources.cache is None:
        return None
    file = _file(resources.cache, runtimes, resources.device)
    if not file.is_file():
        return None
    try:
        return RuntimeChoice.from_json(load_json(file))
    except (KeyError, TypeError, ValueError, ReleaseDamaged):
        return None


def measure(runtimes: Runtimes, train: TrainingSet, resources: Resources) -> RuntimeChoice:
    """Encode a sample in every runtime: which is fastest of those that keep F1?"""
    from tagger.runtimes.devices import choose_device

    texts, targets = _sample(train)
    on_cpu = choose_device(resources.device).type == "cpu"
    # the exact one first, which the others are compared with; then by what is mostly the fastest
    in_turn = sorted(LIGHTEST, key=lambda name: name != "torch")
    usual = [name for name in in_turn if name not in BY_SETTING_ONLY]
    candidates = [name for name in usual if on_cpu or name not in ON_CPU_ONLY]
    figures: dict[str, Measured] = {}
    refused: dict[str, str] = {}
    exact, n_issues = None, 0
    for done, name in enumerate(candidates):
        resources.progress("comparing runtimes", done, len(candidates))
        if name == "onnx" and _outdone(figures):
            refused[name] = "its copy in 8 bits keeps F1 and takes half the time of PyTorch at most"
            continue
        try:
            encoder = runtimes.bare_encoder(name)
        except ModelRefused as why:
            refused[name] = str(why)
            continue
        limit = _limit(figures)
        milliseconds = _median(encoder, texts, limit)
        if milliseconds > limit:
            refused[name] = f"{milliseconds:.1f} ms an issue, more than {SLOWER:g} times the best"
            continue
        if exact is None:
            n_issues = int(np.clip(1000 * SECONDS / max(milliseconds, 1e-3), *SAMPLE))
        vectors = encoder.encode(texts[:n_issues])
        exact = vectors if exact is None else exact
        similarity = float((vectors * exact).sum(axis=1).mean())
        f1 = neighbours_f1(vectors, targets[:n_issues])
        figures[name] = Measured(round(milliseconds, 3), round(similarity, 5), f1)
    resources.progress("comparing runtimes", len(candidates), len(candidates))
    return RuntimeChoice(best(figures), "measured", figures, refused, min(n_issues, len(texts)))


def _limit(figures: Mapping[str, Measured]) -> float:
    """Milliseconds an issue above which a runtime need not be looked at any longer."""
    if not figures:
        return float("inf")
    return max(SLOWER * figures[best(figures)].milliseconds, WORTH_SAVING)


def _outdone(figures: Mapping[str, Measured]) -> bool:
    """Whether ONNX in float32, another export of seconds, cannot be the fastest any more.

    It was nowhere found to be twice as fast as PyTorch in the same precision.
    """
    chosen = best(figures)
    return (
        chosen == "onnx-int8" and 2 * figures[chosen].milliseconds <= figures["torch"].milliseconds
    )


def best(figures: Mapping[str, Measured]) -> Runtime:
    """The fastest runtime that loses at most `LOSS` of F1 to float32; of equals the lightest."""
    exact = figures["torch"]
    good: list[Runtime] = [
        name
        for name in RUNTIMES
        if (measured := figures.get(name)) is not None
        and measured.similarity >= MIN_SIMILARITY
        and (measured.f1 is None or exact.f1 is None or measured.f1 >= exact.f1 - LOSS)
    ]
    fastest = min(figures[name].milliseconds for name in good)
    return next(
        name
        for name in LIGHTEST
        if name in good and figures[name].milliseconds <= (1 + ALIKE) * fastest
    )


def neighbours_f1(vectors: Vectors, targets: NDArray[np.bool_]) -> float | None:
    """Micro F1 of the labels that a third of the nearest issues carry, each issue left out.

    None where fewer than `SAMPLE`'s least are labelled.
    """
    if len(targets) < SAMPLE[0]:
        return None
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :NEIGHBOURS]
    carrying = targets[nearest].mean(axis=1)
    return round(float(Counts.of(targets, carrying >= 1 / 3).micro_f1), 4)


def _sample(train: TrainingSet) -> tuple[list[str], NDArray[np.bool_]]:
    """Labelled issues spread evenly over the repository's life; without any, other texts."""
    if not len(train):
        return [text.full for text in train.corpus[: SAMPLE[1]]] or ["an issue"], train.targets
    rows = np.unique(np.linspace(0, len(train) - 1, SAMPLE[1]).astype(int))
    rows = np.random.default_rng(0).permutation(rows)  # a shorter sample is as mixed
    return [train.issues[row].full for row in rows], train.targets[rows]


def _median(encoder: Encoder, texts: Sequence[str], limit: float) -> float:
    """Milliseconds for one text alone; of a few texts only, where it is above the limit then."""
    for text in texts[:WARMING]:
        encoder.encode([text])
    times: list[float] = []
    for text in texts[:TIMED]:
        if len(times) == GLANCE and np.median(times) > limit:
            break
        start = time.perf_counter()
        encoder.encode([text])
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def _file(cache: Path, runtimes: Runtimes, device: str) -> Path:
    on = [f"{name} {version(name)}" for name in LIBRARIES]
    key = hashlib.sha256(json.dumps([runtimes.model, device, *on]).encode()).hexdigest()[:16]
    return cache / "runtimes" / f"{key}.json"
