"""Augmentation: copies that differ, the same for the same seed, and no global state left behind."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tagger.encoders.loading import quiet
from tagger.errors import ModelRefused
from tagger.text.augmentation import augmented, has_masked_lm_head, seeded

TEXT = "The editor crashes with an error when I save a big file in the window on the server."
KINDS = ("words", "characters", "context")

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
class TestCopies:
    def test_stand_side_by_side_in_the_order_of_the_texts(self, kind, bert_folder):
        made = augmented([TEXT, "Slow"], kind, copies=3, seed=0, masked_lm=bert_folder)
        assert len(made) == 6
        assert all(len(copy) > len(TEXT) / 2 for copy in made[:3])
        assert all(len(copy) < 20 for copy in made[3:])

    def test_differ_from_the_text_and_share_most_words_with_it(self, kind, bert_folder):
        words = set(TEXT.lower().strip(".").split())
        for copy in augmented([TEXT], kind, copies=3, seed=0, masked_lm=bert_folder):
            assert copy != TEXT
            assert len(words & set(copy.lower().strip(".").split())) >= len(words) / 2

    def test_are_the_same_for_the_same_seed_in_any_company(self, kind, bert_folder):
        alone = augmented([TEXT], kind, copies=2, seed=4, masked_lm=bert_folder)
        beside = augmented(["Slow", TEXT], kind, copies=2, seed=4, masked_lm=bert_folder)
        other = augmented([TEXT], kind, copies=2, seed=5, masked_lm=bert_folder)
        assert beside[2:] == alone != other

    @pytest.mark.parametrize(
        "text", ["", " \n ", "...", "检索很慢", "🐛", "x" * 30_000, "a b\nc\td", "\u202e\u200d"]
    )
    def test_of_any_text_are_texts(self, kind, bert_folder, text):
        made = augmented([text], kind, copies=2, seed=0, masked_lm=bert_folder)
        assert [type(copy) for copy in made] == [str, str]

    def test_keep_what_follows_the_head(self, kind, bert_folder):
        tail = "the very end of a long text"
        [copy] = augmented([TEXT * 30 + tail], kind, copies=1, seed=0, masked_lm=bert_folder)
        assert copy.endswith(tail)


def test_context_needs_a_masked_language_model(tmp_path, bert_folder):
    from transformers import AutoModel

    with quiet():
        AutoModel.from_pretrained(bert_folder).save_pretrained(tmp_path)
    for folder in (None, tmp_path, tmp_path / "missing"):
        assert not has_masked_lm_head(folder)
        with pytest.raises(ModelRefused, match="masked-LM head"):
            augmented([TEXT], "context", copies=1, seed=0, masked_lm=folder)
    assert has_masked_lm_head(bert_folder)


def test_the_global_generators_are_left_as_they_were():
    random.seed(7)
    np.random.seed(7)
    expected = random.random(), np.random.random()
    random.seed(7)
    np.random.seed(7)
    augmented(["Something not made before"], "words", copies=1, seed=99)
    with pytest.raises(KeyError), seeded(3):
        raise KeyError
    assert (random.random(), np.random.random()) == expected
