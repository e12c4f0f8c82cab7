"""`IssueTagger`: scikit-learn's conventions over the same chain."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hand_made import HAND_MADE, LABELS
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import tagger
from tagger import IssueTagger, library
from tagger.domain.issue import Label
from tagger.errors import NothingToLearnFrom, ReleaseDamaged, TaggerError

if TYPE_CHECKING:
    from tagger.domain.strategy import Resources

DOCS = Path(__file__).parents[2] / "docs"
NAMES = [label.name for label in LABELS]
TEXTS = [(title, body) for title, body, _ in HAND_MADE]
TARGETS = [list(labels) for *_, labels in HAND_MADE]
MATRIX = np.array([[int(name in row) for name in NAMES] for row in TARGETS])


@pytest.fixture(scope="module")
def fitted(resources: Resources) -> IssueTagger:
    return IssueTagger(labels=LABELS, resources=resources).fit(TEXTS, TARGETS)


@pytest.mark.slow
def test_the_example_of_its_first_lines() -> None:
    assert doctest.testmod(library).failed == 0


@pytest.mark.slow
def test_the_lines_that_the_documentation_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "library.md").read_text("utf-8")
    [lines] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    texts = [("Crash on save", "Traceback: KeyError"), "Explain the cache in the guide"] * 4
    names = {"texts": texts, "targets": [["bug"], ["docs"]] * 4, "text": texts[0]}
    exec(compile(lines, "library.md", "exec"), names)
    assert (tmp_path / "folder" / "release").is_dir()


def test_lists_of_names_give_tuples_of_names(fitted: IssueTagger) -> None:
    given = fitted.predict(TEXTS)
    assert fitted.labels_ == tuple(NAMES)
    right = sum(set(row) == set(target) for row, target in zip(given, TARGETS, strict=True))
    assert right >= len(TEXTS) // 2


def test_a_matrix_gives_a_matrix(resources: Resources, fitted: IssueTagger) -> None:
    by_matrix = IssueTagger(labels=LABELS, resources=resources).fit(TEXTS, MATRIX.tolist())
    given = by_matrix.predict(TEXTS)
    assert given.shape == MATRIX.shape
    names = [tuple(np.array(NAMES)[row == 1].tolist()) for row in given]
    assert names == fitted.predict(TEXTS)
    assert by_matrix.score(TEXTS, MATRIX) > 0.4, "scikit-learn's own accuracy over subsets"


def test_probabilities_and_reasons(fitted: IssueTagger) -> None:
    scores = fitted.predict_proba(TEXTS[:2])
    assert scores.shape == (2, len(NAMES))
    assert ((scores > 0) & (scores < 1)).all()
    first, *_ = fitted.explain("The server crashes with an error")
    assert first.name == "bug"
    assert first.neighbours[0].title in {title for title, _ in TEXTS}


def test_a_precision_that_cannot_be_promised_gives_nothing(resources: Resources) -> None:
    cautious = IssueTagger(precision=0.99, resources=resources).fit(TEXTS, TARGETS)
    assert cautious.labels_ == tuple(sorted(NAMES))
    assert cautious.predict(TEXTS[:3]) == [(), (), ()]


def test_saved_and_loaded_it_says_the_same(fitted: IssueTagger, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    loaded = IssueTagger.load(tmp_path / "model", fitted.resources)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    assert loaded.predict(TEXTS) == fitted.predict(TEXTS)
    with pytest.raises(TaggerError, match="not empty"):
        fitted.save(tmp_path / "model")
    (tmp_path / "model" / "release" / "titles.json").write_text("{}")
    with pytest.raises(ReleaseDamaged):
        IssueTagger.load(tmp_path / "model", fitted.resources)


def test_scikit_learn_s_conventions(fitted: IssueTagger) -> None:
    again = clone(fitted)
    assert again.get_params()["labels"] == LABELS
    with pytest.raises(NotFittedError):
        again.predict(TEXTS)
    cut = FunctionTransformer(lambda texts: [text[0] for text in texts])
    pipeline = make_pipeline(cut, clone(fitted)).fit(TEXTS, TARGETS)
    assert len(pipeline.predict(TEXTS[:2])) == 2


@pytest.mark.parametrize(
    ("labels", "targets", "message"),
    [
        (["bug"], [["docs"]], "targets name docs, expected some of bug"),
        (["bug"], [["bug"], []], "got 1 texts and 2 targets"),
        (["bug"], [[1, 0]], "2 columns and there are 1 labels"),
        ([Label("bug")], [[0]], None),
        (None, [[]], "no labels"),
    ],
)
def test_what_does_not_fit_is_said(labels, targets, message) -> None:
    if message is None:
        assert library._targets(labels, targets, 1)[1].tolist() == [[False]]
        return
    with pytest.raises((TaggerError, NothingToLearnFrom), match=message):
        IssueTagger(labels=labels).fit(["a text"], targets)


def test_it_is_loaded_only_when_asked_for() -> None:
    assert tagger.IssueTagger is IssueTagger
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = tagger.Nothing
