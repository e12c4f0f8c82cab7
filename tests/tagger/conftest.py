"""What strategies are tested with: hand-made issues and tiny real models, made once a session."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tagger.encoder import CachedEncoder, MemoryVectors
from tagger.issue import IssueText, Label, TrainingSet
from tagger.strategy import Resources

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.encoder import Encoder
    from tagger.transformer_encoder import TransformerEncoder

LABELS = (
    Label("bug", "Something is broken"),
    Label("documentation", "Guides and reference"),
    Label("speed", "Too slow or too hungry", ("performance",)),
)

HAND_MADE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Crash when saving", "The editor crashes with an error when I save a file.", ("bug",)),
    ("Error on login", "Login fails with an error after the update.", ("bug",)),
    ("Window stays blank", "It is broken: the window stays blank and an error shows.", ("bug",)),
    ("Export fails", "Export fails with a crash on an empty file.", ("bug",)),
    ("Wrong total", "The total is wrong and then the page crashes.", ("bug",)),
    ("Button is broken", "The button is broken, a click shows an error.", ("bug",)),
    ("Import crashes", "Import of a big file crashes.", ("bug",)),
    ("Fails to start", "The server fails to start, error in the log.", ("bug",)),
    ("Typo in the guide", "The guide has a typo in the first chapter.", ("documentation",)),
    ("Explain the settings", "The manual does not explain the settings.", ("documentation",)),
    ("Guide for login", "Please write a guide for login.", ("documentation",)),
    ("Outdated manual", "The manual shows an old page, update the guide.", ("documentation",)),
    ("Missing chapter", "The manual has no chapter on export.", ("documentation",)),
    ("Example in the guide", "The example does not explain import.", ("documentation",)),
    ("Typo on the page", "There is a typo in the manual for the server.", ("documentation",)),
    ("Slow start", "The server is slow to start and takes a minute.", ("speed",)),
    ("Too much memory", "Import is slow and takes too much memory.", ("speed",)),
    ("Slow search", "Search is slow on a big file, it takes a minute.", ("speed",)),
    ("Memory grows", "Memory grows and the page gets slow.", ("speed",)),
    ("Export takes long", "Export takes a minute, please make it fast.", ("speed",)),
    ("Login is slow", "Login is slow after the update.", ("speed",)),
    ("Make the page fast", "The page is slow, it takes too much memory.", ("speed",)),
    ("Slow and then a crash", "Saving is slow and then crashes with an error.", ("bug", "speed")),
    ("Memory error", "Import takes too much memory and fails with an error.", ("bug", "speed")),
    ("Guide on slow search", "The manual: why is search slow?", ("documentation", "speed")),
    ("Guide shows an error", "The example in the guide fails.", ("bug", "documentation")),
    ("Thank you", "A question on the roadmap.", ()),
    ("New colours", "Please add new colours to the window.", ()),
)  # fmt: skip


def training_set_of(
    rows: Sequence[tuple[str, str, Sequence[str]]], labels: Sequence[Label]
) -> TrainingSet:
    """Titles, bodies and label names as strategies take them; numbers count from 1."""
    names = [label.name for label in labels]
    targets = np.array([[name in row[2] for name in names] for row in rows], dtype=bool)
    return TrainingSet(
        tuple(labels),
        tuple(range(1, len(rows) + 1)),
        tuple(IssueText.of(title, body) for title, body, _ in rows),
        targets.reshape(len(rows), len(names)),
        unlabelled=(IssueText("Another slow page"), IssueText("Error in the guide")),
    )


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
def transformer_encoder(bert_folder: Path) -> TransformerEncoder:
    """The tiny BERT as encoder, in float32 on the CPU: the same numbers on every machine."""
    from tagger.model_sources import locate
    from tagger.transformer_encoder import TransformerEncoder

    return TransformerEncoder(locate(str(bert_folder)), device="cpu", runtime="torch")


@pytest.fixture(scope="session")
def resources(transformer_encoder: TransformerEncoder, bert_folder: Path) -> Resources:
    """Tiny models for every strategy; no NLI model, so that the encoder stands in."""
    encoder: Encoder = CachedEncoder(transformer_encoder, MemoryVectors())
    return Resources(encoder=lambda: encoder, bert_model=bert_folder, device="cpu")
