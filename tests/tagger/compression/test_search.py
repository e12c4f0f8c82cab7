"""The search for a recipe: finds what is better, and goes on after a kill as if nothing was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tagger.compression.search import search
from tagger.distillation.distilling import DistillationRecipe

if TYPE_CHECKING:
    from pathlib import Path


def skill_of(recipe: DistillationRecipe) -> float:
    return -abs(recipe.alpha - 0.6) - abs(recipe.temperature - 4) / 8


def test_the_best_recipe_is_found_and_never_worse_than_the_usual_one(tmp_path: Path) -> None:
    usual = DistillationRecipe()
    best, found = search(
        skill_of, usual, 12, file=tmp_path / "a/study.sqlite3", context="c", seed=0
    )
    assert found == skill_of(best)
    assert found > skill_of(usual)


def test_one_trial_is_the_usual_recipe(tmp_path: Path) -> None:
    best, _ = search(
        skill_of, DistillationRecipe(), 1, file=tmp_path / "one.sqlite3", context="c", seed=0
    )
    assert best == DistillationRecipe()


def test_a_killed_search_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    asked: list[DistillationRecipe] = []

    def dying(recipe: DistillationRecipe) -> float:
        asked.append(recipe)
        if len(asked) in {1, 4, 5}:
            raise KeyboardInterrupt
        return skill_of(recipe)

    whole = search(
        skill_of, DistillationRecipe(), 6, file=tmp_path / "whole.sqlite3", context="c", seed=3
    )
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            search(
                dying, DistillationRecipe(), 6, file=tmp_path / "cut.sqlite3", context="c", seed=3
            )
    again = search(
        dying, DistillationRecipe(), 6, file=tmp_path / "cut.sqlite3", context="c", seed=3
    )
    assert again == whole
    assert len(asked) == 6 + 3


def test_another_context_is_another_study(tmp_path: Path) -> None:
    file = tmp_path / "study.sqlite3"
    search(skill_of, DistillationRecipe(), 2, file=file, context="yesterday", seed=0)
    asked: list[DistillationRecipe] = []

    def counting(recipe: DistillationRecipe) -> float:
        asked.append(recipe)
        return skill_of(recipe)

    search(counting, DistillationRecipe(), 2, file=file, context="today", seed=0)
    search(counting, DistillationRecipe(), 2, file=file, context="today", seed=0)
    assert len(asked) == 2
