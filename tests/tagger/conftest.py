"""What strategies are tested with: hand-made issues and tiny real models, made once a session."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest
from hand_made import HAND_MADE, LABELS, training_set_of

from tagger.domain.strategy import Resources
from tagger.encoders.encoder import CachedEncoder, MemoryVectors

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.domain.issue import TrainingSet
    from tagger.encoders.encoder import Encoder
    from tagger.encoders.transformer import TransformerEncoder


@pytest.fixture(scope="session")
def training_set() -> TrainingSet:
    """28 issues with three labels, whose words say which."""
    return training_set_of(HAND_MADE, LABELS)


@pytest.fixture(scope="session")
def vocabulary() -> list[str]:
    """WordPiece: the hand-made issues' words whole, everything else letter by letter."""
    words = {
        word
        for title, body, _ in HAND_MADE
        for word in f"{title} {body}".lower().translate(_NO_PUNCTUATION).split()
    }
    letters = string.ascii_lowercase + string.digits
    pieces = [*letters, *(f"##{letter}" for letter in letters), *string.punctuation]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return [*special, *pieces, *sorted(words - set(pieces))]


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    """A masked-LM BERT of two narrow layers with random weights, as `save_pretrained` leaves it."""
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

    torch.set_num_threads(1)  # threads that wait for each other cost a tiny model all its time
    folder = tmp_path_factory.mktemp("models") / "bert"
    folder.mkdir()
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=96,
        initializer_range=0.2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertForMaskedLM(config).save_pretrained(folder)
    words = folder / "vocab.txt"
    words.write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(words)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def causal_folder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    """A GPT-2 of two narrow layers with random weights, and the same words."""
    import torch
    from transformers import BertTokenizerFast, GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("models") / "gpt"
    folder.mkdir()
    config = GPT2Config(
        vocab_size=len(vocabulary),
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=320,
        initializer_range=0.2,
        bos_token_id=2,
        eos_token_id=3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(2)
        GPT2LMHeadModel(config).save_pretrained(folder)
    words = folder / "vocab.txt"
    words.write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(words)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def transformer_encoder(bert_folder: Path) -> TransformerEncoder:
    """The tiny BERT as encoder, in float32 on the CPU: the same numbers on every machine."""
    from tagger.encoders.model_sources import locate
    from tagger.encoders.transformer import TransformerEncoder

    return TransformerEncoder(locate(str(bert_folder)), device="cpu", runtime="torch")


@pytest.fixture(scope="session")
def resources(
    transformer_encoder: TransformerEncoder, bert_folder: Path, causal_folder: Path
) -> Resources:
    """Tiny models for every strategy; no NLI model, so that the encoder stands in."""
    from tagger.prompting.causal_model import CausalModel

    encoder: Encoder = CachedEncoder(transformer_encoder, MemoryVectors())
    return Resources(
        encoder=lambda: encoder,
        bert_model=bert_folder,
        device="cpu",
        language_model=lambda: CausalModel(causal_folder, device="cpu"),
    )
