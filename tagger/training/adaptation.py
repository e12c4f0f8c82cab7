"""Adapting a transformer to one repository's language, once, and finding the result again."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from time import time
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import torch
from filelock import FileLock, Timeout

from tagger.domain.issue import corpus_fingerprint
from tagger.domain.strategy import silent
from tagger.encoders.loading import quiet
from tagger.encoders.model_sources import weights_digest
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_json, save_json
from tagger.training.body_adaptation import CannotAdapt
from tagger.training.budget import StepBudget
from tagger.training.masked_language import MaskedLanguage
from tagger.training.title_body import TitleBody
from tagger.training.training_loop import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tagger.domain.issue import IssueText
    from tagger.domain.strategy import Progress

OBJECTIVES: Mapping[str, type[MaskedLanguage | TitleBody]] = {
    "masked-language": MaskedLanguage,
    "title-body": TitleBody,
}

SEED = 0
"""Fixed: adapted weights belong to the corpus and are shared by trainings of every seed."""

POINTS = 100
"""A loss curve is kept as at most so many means."""

RECORD = "adaptation.json"

ABANDONED_SECONDS = 86_400.0
"""A half-done folder untouched for a day has nobody working on it."""

METHOD = 2
"""Raised when the same corpus would give other weights: what lies in caches is then done anew."""

Curve = tuple[tuple[int, float], ...]
"""(steps done, mean loss since the point before)"""


@dataclass(frozen=True)
class AdaptedBody:
    """A finished adaptation.

    :ivar objective: its name in `OBJECTIVES`.
    :ivar folder: holds config, tokenizer and weights, as `AutoModel` reads them.
    :ivar curve: how the loss fell, at most `POINTS` points.
    """

    objective: str
    folder: Path
    curve: Curve = field(repr=False)


@dataclass(frozen=True)
class AdaptationSettings:
    """Where and how adaptations are made.

    :ivar base: folder of the transformer to adapt.
    :ivar cache: folder that keeps what is finished; the same work is never done twice in it.
    :ivar budget: bounds each objective.
    :ivar progress: told of every step.
    """

    base: Path
    cache: Path
    device: torch.device
    budget: StepBudget = field(default_factory=StepBudget)
    progress: Progress = silent

    def adapt(
        self, texts: Sequence[IssueText], objectives: Sequence[str] = tuple(OBJECTIVES)
    ) -> tuple[dict[str, AdaptedBody], dict[str, str]]:
        """Adapt by every one of these objectives that model and texts allow.

        A process killed in between leaves what it finished in the cache, and nothing half-done
        under its name. Processes that need the same at one time share the objectives: each begins
        with one that nobody is at, and waits for those that somebody is.

        :returns: bodies by objective, and for the other objectives why they were impossible.
        """
        place = self.cache / "adapted" / self._key(texts)
        bodies: dict[str, AdaptedBody] = {}
        impossible: dict[str, str] = {}
        for wait in (False, True):
            for objective in objectives:
                if objective in bodies or objective in impossible:
                    continue
                with self._turn(place, objective, wait=wait) as ours:
                    if not ours:
                        continue
                    try:
                        bodies[objective] = self._one(objective, texts, place / objective)
                    except CannotAdapt as why:
                        impossible[objective] = str(why)
        return {name: bodies[name] for name in objectives if name in bodies}, impossible

    @contextmanager
    def _turn(self, place: Path, objective: str, *, wait: bool) -> Iterator[bool]:
        """Whether this process is the one that is at the objective; a killed one is at nothing."""
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / f"{objective}.lock")
        if wait:
            self.progress(f"waiting for another process ({objective})", 0, 1)
        try:
            lock.acquire(blocking=wait)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _key(self, texts: Sequence[IssueText]) -> str:
        what = [corpus_fingerprint(texts), weights_digest(self.base), asdict(self.budget), METHOD]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]

    def _one(self, objective: str, texts: Sequence[IssueText], folder: Path) -> AdaptedBody:
        try:
            return _finished(objective, folder)
        except ReleaseDamaged:  # absent, or not what was once written: made anew
            shutil.rmtree(folder, ignore_errors=True)
        _sweep(folder.parent)
        aside = folder.parent / f".{objective}-{uuid4().hex}"
        aside.mkdir(parents=True)
        try:
            self._train(objective, texts, aside)
            with suppress(OSError):  # another process was first: its result is the same
                aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return _finished(objective, folder)

    def _train(self, objective: str, texts: Sequence[IssueText], aside: Path) -> None:
        def report(done: int, total: int) -> None:
            self.progress(f"adapting ({objective})", done, total)

        with seeded(SEED, self.device):
            pupil = OBJECTIVES[objective](self.base, self.device)
            losses = pupil.adapt(texts, self.budget, seed=SEED, report=report)
        report(len(losses), len(losses))
        whole = pupil.body if pupil.saved is None else pupil.saved
        weights = {name: each.to(torch.float16) for name, each in whole.state_dict().items()}
        with quiet():
            whole.save_pretrained(aside, state_dict=weights)
            pupil.tokenizer.save_pretrained(aside)
        save_json(
            aside / RECORD,
            {"objective": objective, "curve": _curve(losses), "digest": weights_digest(aside)},
        )


def _sweep(place: Path) -> None:
    """Remove what killed processes left half-done; younger folders may be somebody's work."""
    for left in place.glob(".*-*"):
        if time() - left.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _finished(objective: str, folder: Path) -> AdaptedBody:
    """:raises ReleaseDamaged: not there, or not as it was written."""
    record = load_json(folder / RECORD)
    if record.get("digest") != weights_digest(folder):
        raise ReleaseDamaged(folder, "the weights are not the ones that were written")
    return AdaptedBody(objective, folder, curve_from(record.get("curve", ())))


def curve_from(points: Sequence[Sequence[float]]) -> Curve:
    """A curve as JSON brings it back."""
    return tuple((int(step), float(loss)) for step, loss in points)


def _curve(losses: Sequence[float]) -> Curve:
    if not losses:
        return ()
    parts = np.array_split(np.asarray(losses), min(POINTS, len(losses)))
    ends = np.cumsum([len(part) for part in parts])
    return tuple((int(end), float(part.mean())) for end, part in zip(ends, parts, strict=True))
