"""A release made fit to leave its installation, and one from elsewhere made fit for this one.

What leaves holds no text of an issue: titles stay behind, and a member that shows whole issues to
a language model is refused. Numbers, vectors and single words go along. What comes from another
repository keeps its neighbours as evidence, under numbers that no issue here has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.errors import HoldsTexts
from tagger.persistence import load_arrays, save_arrays, save_json
from tagger.releases.erasing import LABELLED, SHOWN_TEXTS
from tagger.releases.release import CHAIN, TITLES
from tagger.releases.rewriting import rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tagger.releases.release import Manifest
    from tagger.releases.rewriting import Change


def without_texts(folder: Path, target: Path) -> Manifest:
    """Write the release to `target` without a text of an issue.

    :raises HoldsTexts: one of its members is made of texts.
    :raises ReleaseDamaged: it cannot be read.
    """
    if any((folder / CHAIN).rglob(SHOWN_TEXTS)):
        raise HoldsTexts(
            "its member in-context shows whole issues to a language model, so it would take their "
            "texts along; train without it, or say --with-texts"
        )
    return rewritten(folder, target, {TITLES: _titles({})})


def with_titles(folder: Path, target: Path, titles: Mapping[int, str]) -> Manifest:
    """Write a release of this very repository with the titles that its precedents have here.

    :param titles: by number; those that it did not learn from are left out.
    """
    learned = {number for path in _labelled(folder) for number in _numbers(path)}
    there = {number: title for number, title in titles.items() if number in learned}
    return rewritten(folder, target, {TITLES: _titles(there)})


def of_another_repository(folder: Path, target: Path, repository: str) -> Manifest:
    """Write a release of another repository for `repository`.

    Its issues count as neighbours, by numbers below zero: they are never shown as precedents, and
    an issue of this repository that is learned later does not take the place of one of them.

    :raises ReleaseDamaged: it cannot be read.
    """
    changes = {path.relative_to(folder).as_posix(): _negated(path) for path in _labelled(folder)}
    return rewritten(folder, target, {**changes, TITLES: _titles({})}, repository=repository)


def _labelled(folder: Path) -> list[Path]:
    return sorted((folder / CHAIN).rglob(LABELLED))


def _numbers(path: Path) -> list[int]:
    numbers: list[int] = load_arrays(path, "numbers")["numbers"].tolist()
    return numbers


def _titles(titles: Mapping[int, str]) -> Change:
    return lambda path: save_json(path, {str(number): title for number, title in titles.items()})


def _negated(path: Path) -> Change:
    arrays = load_arrays(path, "numbers", "targets")
    return lambda file: save_arrays(file, {**arrays, "numbers": -abs(arrays["numbers"])})
