"""Students taught for one purpose or another: to choose a recipe, to be measured, to serve."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tagger.chain.members import Member
from tagger.compression.search import search
from tagger.statistics.stratification import FOLDS_FROM, stratified_folds, stratified_sample
from tagger.statistics.variant_selection import skill
from tagger.strategies.distilled import Distilled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.chain.checkpoints import Checkpoints
    from tagger.distillation.distilling import DistillationRecipe
    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores, Strategy
    from tagger.strategies.distilled import Teaching

VALIDATION = 0.25
MIN_VALIDATION = 24

TRIAL_TEXTS = 1200
"""Texts of one trial: enough to tell recipes apart."""

FOLDS = 2


@dataclass(frozen=True)
class StudentTraining:
    """Teaches students, and keeps each among the checkpoints.

    What is said of a student on issues held out rests on a teacher that has learned from them,
    as in stacking; the gate's issues are the ones that neither has seen.
    """

    train: TrainingSet
    resources: Resources
    checkpoints: Checkpoints
    teaching: Teaching
    seed: int

    def searched(self, trials: int, file: Path) -> tuple[DistillationRecipe, float | None]:
        """The best recipe by skill on labelled issues that the student has not learned from."""
        n_validation = round(VALIDATION * len(self.train))
        if trials < 1 or n_validation < MIN_VALIDATION:
            return self.teaching.recipe, None
        rows = stratified_sample(self.train.targets, n_validation, self.seed)
        rest = np.setdiff1d(np.arange(len(self.train)), rows)
        taught = _fewer(self.train.subset(rest), TRIAL_TEXTS, self.seed)
        issues = [self.train.issues[row] for row in rows]

        def skill_of(recipe: DistillationRecipe) -> float:
            student = self._student(taught, recipe)
            return skill(self.train.targets[rows], student.score(issues))

        return search(
            skill_of,
            self.teaching.recipe,
            trials,
            file=file,
            context=self.checkpoints.context,
            seed=self.seed,
            progress=self.resources.progress,
        )

    def member(self, reference: Sequence[IssueText]) -> Member:
        """The student of all issues, with its scores on what it has not learned from."""
        student = self._kept("student", self.train)
        key = f"student on reference {self.teaching.recipe}"
        scores = self.checkpoints.scores(key, lambda: student.score(reference))
        return Member(Distilled.name, student, self._out_of_fold(), scores, 0.0)

    def _out_of_fold(self) -> Scores | None:
        if len(self.train) < FOLDS_FROM:
            return None
        scores = np.empty(self.train.targets.shape, dtype=np.float32)
        folds = stratified_folds(self.train.targets, FOLDS, self.seed)
        for done, fold in enumerate(folds):
            self.resources.progress("the student on issues held out", done, len(folds))
            rest = np.setdiff1d(np.arange(len(self.train)), fold)
            student = self._kept(f"student without fold {done}", self.train.subset(rest))
            scores[fold] = student.score([self.train.issues[row] for row in fold])
        self.resources.progress("the student on issues held out", len(folds), len(folds))
        return scores

    def _kept(self, step: str, train: TrainingSet) -> Strategy:
        return self.checkpoints.strategy(
            f"{step} {self.teaching.recipe}",
            lambda: self._student(train, self.teaching.recipe),
            lambda folder: Distilled(self.resources, seed=self.seed).restore(folder),
        )

    def _student(self, train: TrainingSet, recipe: DistillationRecipe) -> Distilled:
        teaching = replace(self.teaching, recipe=recipe)
        return Distilled(self.resources, seed=self.seed, teaching=teaching).fit(train)


def _fewer(train: TrainingSet, n_texts: int, seed: int) -> TrainingSet:
    """Labelled issues first, then unlabelled ones, up to `n_texts` together."""
    if len(train) > n_texts:
        train = train.subset(stratified_sample(train.targets, n_texts, seed))
    return replace(train, unlabelled=train.unlabelled[: n_texts - len(train)])
