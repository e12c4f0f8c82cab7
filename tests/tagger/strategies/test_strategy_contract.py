"""Every strategy of the registry keeps the contract of `tagger.domain.strategy.Strategy`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hand_made import HAND_MADE, LABELS, training_set_of

from tagger.domain.issue import IssueText, Label
from tagger.domain.strategy import Strategy
from tagger.errors import NothingToLearnFrom, ReleaseDamaged, UnknownStrategy
from tagger.strategies import REGISTRY, create

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources, Scores

    Fitted = Callable[[str], Strategy]

BY_WORDING = {"zero-shot", "pet", "in-context"}
"""Judge by what a model knows of wordings, and a random one knows nothing; what `pet` and
`in-context` make of a model that does is tested beside them."""

ALSO_BY_WORDING = {"zero-shot", "uda", "ust", "pet", "chain"}
"""Tell issues apart even for a label without examples."""

every_strategy = pytest.mark.parametrize("name", REGISTRY)
every_learner = pytest.mark.parametrize("name", [n for n in REGISTRY if n not in BY_WORDING])

STRANGE = (
    IssueText(""),
    IssueText("", "only a body"),
    IssueText("!!! ??? ..."),
    IssueText("crash " * 20_000, "error in the log\n" * 6_000),
    IssueText("x" * 100_000),
    IssueText("检索很慢", "打开文件时程序崩溃了"),
    IssueText("Поиск работает медленно", "Ошибка при входе"),
    IssueText("بحث بطيء", "🐛 🔥 \u200d\u202e"),
)


@pytest.fixture(scope="session")
def fitted(resources: Resources, training_set: TrainingSet) -> Fitted:
    """Each strategy trained once on the hand-made issues."""
    known: dict[str, Strategy] = {}

    def fit(name: str) -> Strategy:
        if name not in known:
            known[name] = create(name, resources, seed=3).fit(training_set)
        return known[name]

    return fit


@pytest.fixture
def light(resources: Resources, name: str) -> Resources:
    """Resources on which a chain has its cheap members only: the dear ones are in the list too."""
    return replace(resources, bert_model=None) if name == "chain" else resources


def assert_scores(scores: Scores, n_issues: int, n_labels: int) -> None:
    assert scores.shape == (n_issues, n_labels)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def auc(truth: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    """Chance that an issue with the label scores above one without; ties count half."""
    own, other = scores[truth][:, None], scores[~truth][None, :]
    return float(((own > other) + 0.5 * (own == other)).mean())


@every_strategy
class TestScores:
    def test_are_probabilities_in_the_shape_of_issues_and_labels(self, name, fitted, training_set):
        assert_scores(fitted(name).score(training_set.issues), len(training_set), 3)

    def test_of_no_issues_are_none(self, name, fitted):
        assert_scores(fitted(name).score([]), 0, 3)

    def test_of_any_text_are_probabilities(self, name, fitted):
        assert_scores(fitted(name).score(STRANGE), len(STRANGE), 3)

    def test_do_not_depend_on_the_company(self, name, fitted, training_set):
        issues = training_set.issues[:6]
        together = fitted(name).score(issues)
        alone = np.concatenate([fitted(name).score([issue]) for issue in issues])
        np.testing.assert_allclose(together, alone, atol=1e-4)

    def test_are_the_same_twice(self, name, fitted, training_set):
        np.testing.assert_array_equal(
            fitted(name).score(training_set.issues), fitted(name).score(training_set.issues)
        )


@every_strategy
class TestLearning:
    def test_keeps_the_protocol(self, name, resources):
        strategy = create(name, resources)
        assert isinstance(strategy, Strategy)
        assert strategy.name == name

    def test_of_the_same_with_the_same_seed_gives_the_same(
        self, name, fitted, resources, training_set, tmp_path
    ):
        again = create(name, resources, seed=3).fit(training_set)
        np.testing.assert_array_equal(
            again.score(training_set.issues), fitted(name).score(training_set.issues)
        )
        for folder, strategy in (("one", fitted(name)), ("two", again)):
            (tmp_path / folder).mkdir()
            strategy.save(tmp_path / folder)
        for path in files_under(tmp_path / "one"):
            other = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == other.read_bytes(), path.name

    def test_leaves_the_training_set_alone(self, name, light):
        train = training_set_of(HAND_MADE[:12], LABELS)
        before = train.targets.copy()
        create(name, light).fit(train)
        np.testing.assert_array_equal(train.targets, before)

    def test_without_labels_is_refused(self, name, resources):
        with pytest.raises(NothingToLearnFrom, match="label"):
            create(name, resources).fit(training_set_of(HAND_MADE[:3], ()))

    def test_without_examples_is_refused_or_works_by_wording(self, name, light):
        strategy, nothing = create(name, light), training_set_of((), LABELS)
        if strategy.needs_examples:
            with pytest.raises(NothingToLearnFrom, match="issue"):
                strategy.fit(nothing)
        else:
            assert_scores(strategy.fit(nothing).score(STRANGE), len(STRANGE), 3)


@every_learner
class TestSkill:
    def test_beats_chance(self, name, fitted):
        assert mean_auc(fitted(name), LABELS) > 0.75

    def test_follows_the_order_of_labels(self, name, light):
        labels = (LABELS[2], LABELS[0], LABELS[1])
        strategy = create(name, light).fit(training_set_of(HAND_MADE, labels))
        assert mean_auc(strategy, labels) > 0.75


def mean_auc(strategy: Strategy, labels: Sequence[Label]) -> float:
    """Over labels: the chance that an unseen issue with the label scores above one without."""
    unseen = training_set_of(UNSEEN, labels)
    scores = strategy.score(unseen.issues)
    areas = [auc(unseen.targets[:, label], scores[:, label]) for label in range(len(labels))]
    return float(np.mean(areas))


UNSEEN = (
    ("Save crashes", "A crash with an error on save.", ("bug",)),
    ("Update fails", "The update fails, the page is broken.", ("bug",)),
    ("Error in the window", "The window shows an error and crashes.", ("bug",)),
    ("Guide has a typo", "There is a typo in the guide.", ("documentation",)),
    ("Manual for export", "Please explain export in the manual.", ("documentation",)),
    ("Chapter on search", "Write a chapter on search, with an example.", ("documentation",)),
    ("Slow export", "Export is slow and takes a minute.", ("speed",)),
    ("Memory", "The server takes too much memory and gets slow.", ("speed",)),
    ("Start takes a minute", "Make the start fast, it is slow.", ("speed",)),
)

EDGES: dict[str, TrainingSet] = {
    "one example": training_set_of(HAND_MADE[:1], LABELS),
    "two examples": training_set_of((HAND_MADE[0], HAND_MADE[10]), LABELS),
    "one label": training_set_of(HAND_MADE, LABELS[:1]),
    "one example of one label": training_set_of(HAND_MADE[:1], LABELS[:1]),
    "two identical issues with different labels": training_set_of(
        [("Crash", "It crashes.", ("bug",)), ("Crash", "It crashes.", ("speed",))],
        LABELS,
    ),
    "empty texts": training_set_of([("", "", row[2]) for row in HAND_MADE[:10]], LABELS),
    "some texts empty": training_set_of([("", "", ("bug",)), *HAND_MADE[:12]], LABELS),
    "long texts": training_set_of(
        [(title, body * 2_500, labels) for title, body, labels in HAND_MADE[4:12]], LABELS
    ),
    "other scripts": training_set_of(
        [
            ("程序崩溃", "保存文件时崩溃", ("bug",)),
            ("مشكلة", "تعطل البرنامج", ("bug",)),
            ("Медленно", "Поиск очень медленный", ("speed",)),
            ("遅い", "検索が遅いです", ("speed",)),
            ("Документация", "Опечатка в руководстве", ("documentation",)),
        ],
        LABELS,
    ),
}  # fmt: skip


@every_strategy
class TestEdges:
    @pytest.mark.parametrize("edge", EDGES)
    def test_learns_or_falls_back(self, name, edge, light):
        train = EDGES[edge]
        strategy = create(name, light).fit(train)
        issues = [*train.issues[:3], STRANGE[0], STRANGE[5]]
        assert_scores(strategy.score(issues), len(issues), len(train.labels))


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in ALSO_BY_WORDING])
def test_labels_with_no_issue_or_every_issue_score_the_same_everywhere(
    name, resources, training_set
):
    labels = (Label("all"), *LABELS, Label("none"))
    rows = [(title, body, (*given, "all")) for title, body, given in HAND_MADE]
    scores = create(name, resources).fit(training_set_of(rows, labels)).score(training_set.issues)
    assert np.ptp(scores[:, 0]) == 0
    assert scores[0, 0] > 0.9
    assert np.ptp(scores[:, 4]) == 0
    assert scores[0, 4] < 0.1


@every_strategy
class TestSaving:
    def test_and_restoring_gives_the_same_scores(
        self, name, fitted, resources, training_set, tmp_path
    ):
        fitted(name).save(tmp_path)
        restored = create(name, resources, seed=99).restore(tmp_path)
        issues = (*training_set.issues, *STRANGE)
        np.testing.assert_array_equal(restored.score(issues), fitted(name).score(issues))

    def test_works_where_nothing_could_be_learned(self, name, light, tmp_path):
        strategy = create(name, light).fit(EDGES["one example"])
        strategy.save(tmp_path)
        restored = create(name, light).restore(tmp_path)
        np.testing.assert_array_equal(restored.score(STRANGE), strategy.score(STRANGE))

    def test_writes_no_pickle(self, name, fitted, tmp_path):
        fitted(name).save(tmp_path)
        kinds = {path.suffix for path in files_under(tmp_path)}
        assert kinds <= {".json", ".safetensors", ".faiss", ".txt"}

    def test_a_missing_or_broken_file_is_a_damaged_release(self, name, fitted, resources, tmp_path):
        fitted(name).save(tmp_path)
        for path in files_under(tmp_path):
            whole = path.read_bytes()
            path.write_bytes(b"broken")
            with pytest.raises(ReleaseDamaged, match=str(tmp_path)):
                create(name, resources).restore(tmp_path)
            path.unlink()
            with pytest.raises(ReleaseDamaged, match=str(tmp_path)):
                create(name, resources).restore(tmp_path)
            path.write_bytes(whole)
        create(name, resources).restore(tmp_path)


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in {"pet", "chain"}])
def test_a_decoder_serves_as_encoder_and_as_body(name, decoder_resources, training_set, tmp_path):
    """GPT-2's kind: no [CLS], no padding token of its own, and every token sees those before."""
    learned = create(name, decoder_resources, seed=3).fit(training_set)
    scores = learned.score(training_set.issues[:4])
    assert_scores(scores, 4, 3)
    learned.save(tmp_path)
    restored = create(name, decoder_resources).restore(tmp_path)
    np.testing.assert_array_equal(restored.score(training_set.issues[:4]), scores)


@pytest.fixture(scope="session")
def decoder_resources(causal_folder, resources) -> Resources:
    from tagger.encoders.encoder import CachedEncoder, MemoryVectors
    from tagger.encoders.model_sources import locate
    from tagger.encoders.transformer import TransformerEncoder

    source = locate(str(causal_folder))
    encoder = CachedEncoder(
        TransformerEncoder(source, device="cpu", runtime="torch"), MemoryVectors()
    )
    return replace(
        resources, encoder=lambda: encoder, bert_model=causal_folder, encoder_model=causal_folder
    )


def files_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_unknown_name_is_answered_with_the_known_ones(resources):
    with pytest.raises(UnknownStrategy, match="knn") as caught:
        create("k-nn", resources)
    assert caught.value.known == tuple(REGISTRY)
