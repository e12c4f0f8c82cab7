"""Texts said in another language and back, by tiny real sequence-to-sequence models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hand_made import HAND_MADE, LABELS, training_set_of

from tagger.errors import ModelRefused
from tagger.strategies import create
from tagger.strategies.tuned import TWINS_UP_TO
from tagger.text.back_translation import HEAD, BackTranslation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def translator_folder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    """A BART of one narrow layer with random weights."""
    from transformers import BartConfig, BartForConditionalGeneration, BertTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "bart"
    folder.mkdir()
    config = BartConfig(
        vocab_size=len(vocabulary),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=256,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=2,
        forced_eos_token_id=3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(4)
        BartForConditionalGeneration(config).save_pretrained(folder)
    words = folder / "vocab.txt"
    words.write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(words)).save_pretrained(folder)
    return folder


def test_a_text_and_a_seed_give_the_same_twin_in_any_company(translator_folder: Path) -> None:
    pair = BackTranslation(translator_folder, translator_folder, CPU)
    before = torch.get_rng_state()
    texts = ["the page crashes", "", "error on login"]
    twins = pair.twins(texts, seed=1)
    assert twins[1] == ""
    assert twins[0] != texts[0]
    assert pair.twins(texts[:1], seed=1) == twins[:1]
    assert pair.twins(texts[:1], seed=2) != twins[:1]
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_head_of_a_long_text_is_translated(translator_folder: Path) -> None:
    pair = BackTranslation(translator_folder, translator_folder, CPU)
    text = "crash " * 100 + "x" * HEAD
    [twin] = pair.twins([text], seed=0)
    assert twin.endswith(text[HEAD:])


def test_what_does_not_translate_is_refused(bert_folder: Path) -> None:
    with pytest.raises(ModelRefused, match="opus-mt"):
        BackTranslation(bert_folder, bert_folder, CPU)


class Shout:
    """Says texts otherwise, and counts them."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def twins(self, texts: Sequence[str], *, seed: int) -> list[str]:
        self.texts += texts
        return [text.upper() + " speed" for text in texts]


@pytest.mark.parametrize("name", ["fine-tuned", "adapted", "contrastive", "uda", "ust", "pet"])
def test_every_trained_strategy_learns_from_twins_where_a_pair_was_named(name, resources) -> None:
    train = training_set_of([*HAND_MADE[:4], *HAND_MADE[8:12]], LABELS[:2])
    shout = Shout()
    told = replace(resources, translation=lambda: shout)
    scores = create(name, told, seed=1).fit(train).score(train.issues)
    plain = create(name, resources, seed=1).fit(train).score(train.issues)
    assert {issue.full for issue in train.issues} <= set(shout.texts)
    assert not np.array_equal(scores, plain)


def test_many_issues_get_no_twins(resources) -> None:
    shout = Shout()
    rows = [HAND_MADE[n % 16] for n in range(TWINS_UP_TO + 1)]
    told = replace(resources, translation=lambda: shout)
    create("fine-tuned", told).fit(training_set_of(rows, LABELS[:2]))
    assert shout.texts == []
