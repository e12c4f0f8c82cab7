"""Finished steps of one training, kept on disk so that a killed training goes on where it was."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from tagger.persistence import load_arrays, save_arrays

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tagger.domain.strategy import Scores, Strategy


class Checkpoints:
    """Steps by key: done once, then read. A step counts when its folder has its final name.

    :param folder: None keeps nothing and does every step.
    :param context: whatever the steps depend on beside their keys (data, seed, models, version).
    """

    def __init__(self, folder: Path | None, context: str = "") -> None:
        self._folder = folder
        self._context = context

    @property
    def context(self) -> str:
        """A name for all that the steps depend on."""
        return hashlib.sha256(self._context.encode()).hexdigest()[:32]

    def scores(self, key: str, compute: Callable[[], Scores]) -> Scores:
        """The step's scores, computed unless they are there."""
        step = self._step(key)
        if step is None:
            return compute()
        if not step.exists():
            scores = compute()
            self._finish(
                step, lambda aside: save_arrays(aside / "scores.safetensors", {"scores": scores})
            )
        return load_arrays(step / "scores.safetensors", "scores")["scores"]

    def strategy(
        self, key: str, fit: Callable[[], Strategy], restore: Callable[[Path], Strategy]
    ) -> Strategy:
        """The step's fitted strategy, fitted unless it is there."""
        step = self._step(key)
        if step is None:
            return fit()
        if step.exists():
            return restore(step)
        fitted = fit()
        self._finish(step, fitted.save)
        return fitted

    def forget(self) -> None:
        """The training is over: drop all steps."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _step(self, key: str) -> Path | None:
        if self._folder is None:
            return None
        name = hashlib.sha256(f"{self._context}\n{key}".encode()).hexdigest()[:32]
        return self._folder / name

    def _finish(self, step: Path, write: Callable[[Path], None]) -> None:
        aside = step.with_suffix(".partial")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        write(aside)
        aside.rename(step)
