"""Naive Bayes: its evidence is scikit-learn's, its probabilities are not overconfident."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hand_made import HAND_MADE, LABELS, training_set_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tagger.domain.issue import IssueText
from tagger.domain.strategy import Resources
from tagger.errors import ModelRefused
from tagger.statistics.calibration import SharedCalibration
from tagger.statistics.variant_selection import clearly_best, skill, smoothed_share
from tagger.strategies.naive_bayes import NaiveBayes
from tagger.text.bag_of_words import BagOfWords
from tagger.text.word_log_odds import Corpus, HeldOut, Variant, learn, learned_odds, word_odds

TEXTS = [f"{title}\n\n{body}" for title, body, _ in HAND_MADE]


@pytest.fixture(scope="module")
def words() -> BagOfWords:
    return BagOfWords().fit(TEXTS)


class TestWords:
    def test_weighings_are_counts_presence_and_tfidf(self, words):
        from sklearn.feature_extraction.text import TfidfVectorizer

        counts = words.count(["slow slow search", TEXTS[0]])
        assert counts[0, words.words_.index("slow")] == 2
        assert words.weigh(counts, "presence")[0, words.words_.index("slow")] == 1
        expected = TfidfVectorizer(sublinear_tf=True).fit(TEXTS).transform(["slow slow search"])
        tfidf = words.weigh(counts, "tfidf")[[0]]
        np.testing.assert_allclose(np.sort(tfidf.data), np.sort(expected.data))

    def test_weighing_leaves_the_counts_alone(self, words):
        counts = words.count(TEXTS)
        before = counts.toarray()
        for weighing in ("presence", "tfidf", "counts"):
            words.weigh(counts, weighing)
        np.testing.assert_array_equal(counts.toarray(), before)

    def test_scripts_without_spaces_are_split(self):
        assert "慢" in BagOfWords().fit(["检索很慢"]).words_
        assert "медленно" in BagOfWords().fit(["Медленно"]).words_

    @pytest.mark.parametrize("texts", [[], [""], ["", "..."]])
    def test_texts_without_a_word_have_none(self, texts):
        empty = BagOfWords().fit(texts)
        assert empty.words_ == []
        assert empty.count(["slow search"]).shape == (1, 0)


class TestEvidence:
    @pytest.mark.parametrize(
        ("kind", "smoothing", "weighing"),
        list(product(["multinomial", "complement"], [0.02, 1.0], ["counts", "presence", "tfidf"])),
    )
    def test_is_that_of_the_classifiers(self, words, kind, smoothing, weighing, training_set):
        """All labels at once, and both kinds, give what scikit-learn learns label by label."""
        matrix = words.weigh(words.count(TEXTS), weighing)
        relevance = learn(Variant(weighing, kind, smoothing), matrix, training_set.targets)
        odds = word_odds(matrix, training_set.targets, smoothing)
        np.testing.assert_allclose(odds, learned_odds(relevance), atol=1e-9)
        said = relevance.classifiers_[0].predict_joint_log_proba(matrix)
        expected = matrix @ odds[0]
        if kind == "multinomial":
            prior = training_set.targets[:, 0].mean()
            expected = expected + np.log(prior / (1 - prior))
        np.testing.assert_allclose(said[:, 1] - said[:, 0], expected, atol=1e-8)

    def test_of_a_label_without_examples_is_none(self, words):
        matrix = words.count(TEXTS)
        targets = np.zeros((len(TEXTS), 2), dtype=bool)
        targets[:, 1] = True
        assert not word_odds(matrix, targets, 0.2).any()


class TestHeldOut:
    def test_copies_of_an_issue_are_held_out_with_it(self, training_set):
        """With copies of itself to learn from, a nonsense issue would know its own label."""
        rng = np.random.default_rng(0)
        words = [f"word{n}" for n in range(400)]
        texts = [" ".join(rng.choice(words, 40, replace=False)) for _ in range(40)]
        targets = rng.random((40, 1)) < 0.5
        corpora = {"words": Corpus.of(texts, "words", seed=0, masked_lm=None)}
        folds = np.array_split(rng.permutation(40), 5)
        held_out = HeldOut(corpora, targets, smoothed_share(targets), folds)
        scores = held_out.scores(Variant(augment="words"))
        assert skill(targets, scores) < targets.mean() + 0.3


class TestTempering:
    def test_random_evidence_is_not_believed(self):
        rng = np.random.default_rng(1)
        truth = rng.random((300, 3)) < [0.5, 0.2, 0.05]
        share = smoothed_share(truth)
        evidence = 50 * rng.normal(size=truth.shape)
        scores = SharedCalibration.fit(evidence, share, truth, use_share=True).apply(
            evidence, share
        )
        np.testing.assert_allclose(scores.mean(axis=0), truth.mean(axis=0), atol=0.06)
        assert np.abs(scores - share).max() < 0.2

    def test_good_evidence_is_believed(self):
        rng = np.random.default_rng(2)
        truth = rng.random((300, 2)) < 0.3
        evidence = np.where(truth, 5.0, -5.0) + rng.normal(size=truth.shape)
        share = smoothed_share(truth)
        scores = SharedCalibration.fit(evidence, share, truth, use_share=True).apply(
            evidence, share
        )
        assert scores[truth].min() > 0.7 > 0.3 > scores[~truth].max()

    @given(
        arrays.arrays(float, (6, 2), elements=st.floats(-1e3, 1e3)),
        arrays.arrays(bool, (6, 2)),
        st.booleans(),
    )
    @settings(max_examples=60, deadline=None)
    def test_more_evidence_never_lowers_a_score(self, evidence, truth, use_share):
        share = smoothed_share(truth)
        calibration = SharedCalibration.fit(evidence, share, truth, use_share=use_share)
        scores = calibration.apply(evidence, share)
        assert np.isfinite(scores).all()
        for label in range(2):
            order = np.argsort(evidence[:, label])
            assert (np.diff(scores[order, label]) >= -1e-6).all()


class TestChoice:
    def test_of_a_variant_takes_a_clear_gain(self):
        assert clearly_best(1, [2, 3], lambda variant: variant / 3, n_held_out=1000) == 3

    def test_with_few_issues_stays_with_the_default(self):
        assert clearly_best(1, [2], lambda variant: variant / 10, n_held_out=8) == 1

    def test_is_plain_where_augmentation_does_not_pay(self, resources, training_set):
        fitted = NaiveBayes(resources).fit(training_set)
        assert fitted.variant_.augment is None
        assert (
            fitted.words_.words_
            == NaiveBayes(resources, augment="none").fit(training_set).words_.words_
        )

    @pytest.mark.parametrize("augment", ["words", "characters", "context"])
    def test_asked_for_is_done(self, resources, training_set, augment):
        fitted = NaiveBayes(resources, augment=augment).fit(training_set)
        assert fitted.variant_.augment == augment
        assert fitted.out_of_fold_.shape == (28, 3)

    def test_of_context_without_its_model_is_refused(self, resources, training_set):
        with pytest.raises(ModelRefused, match="masked-LM"):
            NaiveBayes(replace(resources, bert_model=None), augment="context").fit(training_set)

    def test_without_augmentation_asks_for_no_model(self, training_set):
        def no_encoder():
            raise AssertionError("naive Bayes reads words, not vectors")

        strategy = NaiveBayes(Resources(encoder=no_encoder), augment="none")
        assert strategy.fit(training_set).skill_ > 0.5


def test_scores_are_not_overconfident(resources):
    """Labels that have nothing to do with the words: scores stay near the labels' share."""
    rng = np.random.default_rng(5)
    words = [f"word{n}" for n in range(200)]
    rows = [
        (" ".join(rng.choice(words, 4)), " ".join(rng.choice(words, 60)),
         [label.name for label in LABELS if rng.random() < 0.3])
        for _ in range(120)
    ]  # fmt: skip
    fitted = NaiveBayes(resources, augment="none").fit(training_set_of(rows, LABELS))
    scores = fitted.score([IssueText(" ".join(rng.choice(words, 80))) for _ in range(50)])
    assert scores.max() < 0.7


def test_held_out_scores_know_the_labels(resources, training_set):
    fitted = NaiveBayes(resources).fit(training_set)
    assert skill(training_set.targets, fitted.out_of_fold_) > 0.6


def test_a_release_holds_what_scoring_asks_and_no_classifier(resources, training_set, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    fitted = NaiveBayes(resources, augment="none").fit(training_set)
    fitted.save(tmp_path / "one")
    restored = NaiveBayes(resources).restore(tmp_path / "one")
    np.testing.assert_array_equal(restored.odds_, fitted.odds_)
    restored.save(tmp_path / "two")
    assert {path.suffix for path in (tmp_path / "one").iterdir()} == {".json", ".safetensors"}
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
