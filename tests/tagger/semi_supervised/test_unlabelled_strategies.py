"""What `ust` and `uda` promise beyond the contract of every strategy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hand_made import HAND_MADE, LABELS, training_set_of

from tagger.chain.members import REFERENCE, reference_texts
from tagger.domain.issue import IssueText
from tagger.errors import ModelNotFound
from tagger.semi_supervised.unlabelled_texts import HELD_BACK, texts_to_learn_from
from tagger.semi_supervised.weighted_texts import WeightedTexts
from tagger.strategies.uda import UnsupervisedAugmentation
from tagger.strategies.ust import PlainSelfTraining, UncertaintySelfTraining
from tagger.text.word_replacement import WordReplacement

if TYPE_CHECKING:
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources

BOTH = (UncertaintySelfTraining, UnsupervisedAugmentation)


def few(n_unlabelled: int = 24) -> TrainingSet:
    """Eight labelled issues; the others' texts are unlabelled."""
    rows = [*HAND_MADE[:3], *HAND_MADE[8:11], *HAND_MADE[-2:]]
    others = tuple(IssueText(title, body) for title, body, _ in HAND_MADE if title not in str(rows))
    return replace(training_set_of(rows, LABELS), unlabelled=others[:n_unlabelled])


@pytest.mark.parametrize("strategy", BOTH)
def test_unlabelled_issues_change_what_is_learned(strategy, resources: Resources) -> None:
    train = few()
    assert len(train.unlabelled) > 10
    apart = replace(train, unlabelled=())
    scores, alone = (strategy(resources).fit(each).score(train.issues) for each in (train, apart))
    assert np.abs(scores - alone).max() > 1e-3


def test_the_plain_kind_learns_otherwise(resources: Resources) -> None:
    train = few()
    by_uncertainty = UncertaintySelfTraining(resources).fit(train).score(train.issues)
    assert not np.allclose(
        PlainSelfTraining(resources).fit(train).score(train.issues), by_uncertainty
    )


@pytest.mark.parametrize("strategy", BOTH)
def test_progress_is_told_and_losses_are_kept(strategy, resources: Resources) -> None:
    steps: list[tuple[str, int, int]] = []
    heard = replace(resources, progress=lambda *what: steps.append(what))
    learned = strategy(heard).fit(few())
    assert len(learned.curves_) == 2
    assert all(0 <= done <= total for _, done, total in steps)
    expected = {"ust": {"teacher", "student 1"}, "uda": {"labelled issues", "consistency"}}
    assert {name for name, _, _ in steps} == expected[strategy.name]


def test_a_label_without_an_issue_is_told_by_its_wording(resources: Resources) -> None:
    train = training_set_of(HAND_MADE[:8], LABELS)  # bugs only
    scores = UncertaintySelfTraining(resources).fit(train).score(train.issues)
    assert np.ptp(scores[:, 1]) > 0


@pytest.mark.parametrize("strategy", BOTH)
def test_without_a_transformer_it_says_which_setting_is_missing(strategy, resources) -> None:
    with pytest.raises(ModelNotFound, match="ISSUE_TAGGER_ENCODER"):
        strategy(replace(resources, bert_model=None, encoder_model=None)).fit(few())


def test_what_the_chain_measures_its_members_on_is_not_learned_from() -> None:
    recent = tuple(IssueText(f"issue {n}") for n in range(600))
    train = replace(few(), recent=recent)
    learned = texts_to_learn_from(train, 2000)
    assert HELD_BACK == REFERENCE
    assert not set(learned) & set(reference_texts(train))
    assert not set(learned) & set(train.issues)
    assert set(learned) >= set(recent[HELD_BACK:])


def test_of_few_recent_issues_half_are_learned_from() -> None:
    train = replace(few(0), recent=tuple(IssueText(f"issue {n}") for n in range(10)))
    assert len(texts_to_learn_from(train, 2000)) == 5
    assert len(texts_to_learn_from(train, 3)) == 3


def test_wordings_count_less_the_more_issues_there_are() -> None:
    targets = np.zeros((9, 2), dtype=bool)
    targets[:, 0] = True
    labelled_texts = WeightedTexts.of([""] * 9, targets, [["crash"], ["wish", "feature"]])
    assert labelled_texts.texts[9:] == ("crash", "wish", "feature")
    assert labelled_texts.n_issues == 9
    assert labelled_texts.weights[9, 0] < labelled_texts.weights[10, 1] == 1.0
    assert (labelled_texts.weights[:9] == 1).all()


def test_wordings_count_as_far_as_they_tell_issues_apart() -> None:
    targets = np.array([[True], [True], [False], [False]])
    labelled_texts = WeightedTexts.of([""] * 4, targets, [["crash"]])
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [1, 0]], dtype=np.float32)
    assert np.array_equal(labelled_texts.trusting(vectors).weights, labelled_texts.weights)
    misled = labelled_texts.trusting(vectors[[2, 3, 0, 1, 4]])
    assert (misled.weights[4] == 0).all()
    assert (misled.weights[:4] == 1).all()


def test_a_twin_keeps_the_telling_words_and_is_always_the_same() -> None:
    corpus = ["the page of the app is the page"] * 40 + ["segfault in the page of the app"]
    twins = WordReplacement(corpus).twins(corpus[-1:] * 40, seed=1)
    assert len(set(twins)) == 1
    others = [WordReplacement(corpus).twins(corpus[-1:], seed=seed)[0] for seed in range(40)]
    assert len(set(others)) > 5
    assert sum("segfault" in text for text in others) == 40


@pytest.mark.parametrize("text", ["", "!!!", "\n", "x" * 9_000, "程序崩溃"])
def test_texts_of_any_kind_have_a_twin(text: str) -> None:
    replacement = WordReplacement(["the page crashes", text])
    assert len(replacement.twins([text], seed=0)) == 1
    assert WordReplacement([]).twins([text], seed=0) == [text]
