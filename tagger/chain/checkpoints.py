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

    @property
    def n_finished(self) -> int:
        """Steps that need not be done again."""
        folder = self._of_context
        return 0 if folder is None else sum(not step.suffix for step in folder.glob("*"))

    def forget(self) -> None:
        """The training is over: drop all steps."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def forget_others(self) -> None:
        """Drop steps of other contexts: nobody goes on from them."""
        if self._folder is not None:
            for folder in self._folder.glob("*"):
                if folder != self._of_context:
                    shutil.rmtree(folder, ignore_errors=True)

    @property
    def _of_context(self) -> Path | None:
        return None if self._folder is None else self._folder / self.context

    def _step(self, key: str) -> Path | None:
        folder = self._of_context
        return None if folder is None else folder / hashlib.sha256(key.encode()).hexdigest()[:32]

    def _finish(self, step: Path, write: Callable[[Path], None]) -> None:
        aside = step.with_suffix(".partial")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            write(aside)
            aside.rename(step)
        except BaseException:  # Ctrl-C too: nothing half-done stays
            shutil.rmtree(aside, ignore_errors=True)
            raise
