"""The transformer encoder: unit vectors that depend on the text alone, from any architecture."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.encoders.loading import quiet
from tagger.encoders.model_sources import locate
from tagger.encoders.sentence_model import mean_pool
from tagger.encoders.transformer import TransformerEncoder
from tagger.runtimes.devices import choose_device, usual_runtime

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = (
    "the editor crashes when i save a file",
    "slow",
    "",
    "the manual has a typo in the first chapter and the example fails with an error " * 3,
    "检索很慢",
    "search is slow on a big file",
)


def encoder(folder: Path, **settings: Any) -> TransformerEncoder:
    return TransformerEncoder(
        locate(str(folder)), **{"device": "cpu", "runtime": "torch", **settings}
    )


def test_vectors_have_unit_length_and_the_texts_order(transformer_encoder):
    vectors = transformer_encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), transformer_encoder.width)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    backwards = transformer_encoder.encode(TEXTS[::-1])
    np.testing.assert_allclose(backwards[::-1], vectors, atol=1e-6)


def test_no_texts_give_no_vectors(transformer_encoder):
    assert transformer_encoder.encode([]).shape == (0, transformer_encoder.width)


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8), st.integers(16, 400))
@settings(max_examples=20, deadline=None)
def test_a_vector_does_not_depend_on_the_company(transformer_encoder, texts, budget):
    transformer_encoder._runner.budget = budget
    together = transformer_encoder.encode(texts)
    alone = np.concatenate([transformer_encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_is_the_mean_over_real_tokens_of_the_last_layer(bert_folder, transformer_encoder):
    from transformers import AutoModel, AutoTokenizer

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(bert_folder)
        model = AutoModel.from_pretrained(bert_folder).eval()
    with torch.inference_mode():
        states = model(**tokenizer(TEXTS[0], return_tensors="pt")).last_hidden_state[0]
    mean = states.mean(dim=0)
    np.testing.assert_allclose(
        transformer_encoder.encode([TEXTS[0]])[0], mean / mean.norm(), atol=1e-5
    )


def test_only_the_first_tokens_are_read(transformer_encoder):
    head = "slow search " * 200
    one, other = transformer_encoder.encode([head + "crash", head + "guide"])
    np.testing.assert_array_equal(one, other)


def test_many_texts_go_through_in_windows(transformer_encoder, monkeypatch):
    whole = transformer_encoder.encode(TEXTS)
    monkeypatch.setattr("tagger.encoders.transformer.WINDOW", 2)
    np.testing.assert_allclose(transformer_encoder.encode(TEXTS), whole, atol=1e-6)


def test_bfloat16_stays_near_float32(bert_folder, transformer_encoder):
    half = encoder(bert_folder, runtime="torch-bf16")
    similarity = (half.encode(TEXTS) * transformer_encoder.encode(TEXTS)).sum(axis=1)
    assert similarity.min() > 0.999
    space, _, precision = half.identity.partition(":")
    assert precision == "bfloat16"
    assert transformer_encoder.identity == f"{space}:float32"


class TestIdentity:
    def test_is_the_same_for_the_same_model_elsewhere(self, bert_folder, tmp_path):
        copy = shutil.copytree(bert_folder, tmp_path / "copy")
        assert encoder(copy).identity == encoder(bert_folder).identity

    def test_changes_with_length_weights_and_vocabulary(self, bert_folder, tmp_path):
        identities = {encoder(bert_folder).identity, encoder(bert_folder, max_tokens=32).identity}
        weights = shutil.copytree(bert_folder, tmp_path / "weights")
        from safetensors.numpy import load_file, save_file

        tensors = load_file(weights / "model.safetensors")
        tensors["bert.embeddings.word_embeddings.weight"][0, 0] += 1
        save_file(tensors, weights / "model.safetensors", {"format": "pt"})
        words = shutil.copytree(bert_folder, tmp_path / "words")
        text = (words / "tokenizer.json").read_text(encoding="utf-8")
        (words / "tokenizer.json").write_text(text.replace("typo", "tipo"), encoding="utf-8")
        identities |= {encoder(weights).identity, encoder(words).identity}
        assert len(identities) == 4


class TestArchitectures:
    def test_decoder_without_a_pad_token(self, bert_folder, tmp_path):
        """Its tokenizer has neither pad nor special tokens: an empty text has no token at all."""
        folder = save_decoder(tmp_path / "gpt")
        tiny = encoder(folder)
        vectors = tiny.encode(["slow search", "", "a", "slow search is slow when i save"])
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(tiny.encode(["a"])[0], vectors[2], atol=1e-6)

    def test_roberta_has_fewer_positions_than_it_says(self, bert_folder, tmp_path, vocabulary):
        from transformers import RobertaConfig, RobertaModel

        folder = shutil.copytree(bert_folder, tmp_path / "roberta")
        config = RobertaConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=34,
            pad_token_id=0,
        )
        with quiet():
            RobertaModel(config).save_pretrained(folder)
        vectors = encoder(folder).encode(["slow search " * 100])
        assert np.isfinite(vectors).all()


def save_decoder(folder: Path) -> Path:
    """A GPT-2 of one layer whose tokenizer splits at spaces and adds nothing."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2Model, PreTrainedTokenizerFast

    words = {"<unk>": 0, "slow": 1, "search": 2, "is": 3, "a": 4}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(folder)
    config = GPT2Config(
        vocab_size=len(words), n_embd=16, n_layer=1, n_head=2, n_positions=64,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    with quiet():
        GPT2Model(config).save_pretrained(folder)
    return folder


def test_a_mean_over_nothing_is_no_nan():
    pooled = mean_pool(torch.ones(1, 3, 4), torch.zeros(1, 3))
    assert torch.isfinite(pooled).all()


def test_the_device_follows_its_setting():
    cpu = torch.device("cpu")
    assert choose_device("cpu") == cpu
    assert usual_runtime("cpu") in {"torch", "torch-bf16"}
    with pytest.raises(ValueError, match="auto, cpu or cuda"):
        choose_device("tpu")


def test_loading_and_encoding_write_nothing_to_the_terminal(bert_folder, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder(bert_folder).encode(["slow " * 5000])
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
