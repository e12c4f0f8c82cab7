"""Entailment and cloze agree with transformers' own forward pass, and refuse other models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from tiny_label_models import save_masked_lm, save_nli

from tagger.errors import ModelRefused
from tagger.label_semantics.cloze import QUESTION, Cloze
from tagger.label_semantics.entailment import LEVEL, Entailment, verdict_columns

if TYPE_CHECKING:
    from pathlib import Path

PREMISES = ("crash when i open the page", "typo in the docs", "", "slow " * 600)
HYPOTHESES = ("This issue is about bug.", "The topic of this report is documentation.", "privacy")


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_nli(tmp_path_factory.mktemp("nli"))


@pytest.fixture(scope="module")
def masked_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_masked_lm(tmp_path_factory.mktemp("mlm"))


def test_odds_are_those_of_the_classifier_run_pair_by_pair(nli: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(nli).eval()
    tokenizer = AutoTokenizer.from_pretrained(nli)
    expected = np.zeros((len(PREMISES), len(HYPOTHESES)))
    for row, premise in enumerate(PREMISES):
        words = tokenizer.convert_tokens_to_string(tokenizer.tokenize(premise)[:16])
        for column, hypothesis in enumerate(HYPOTHESES):
            with torch.inference_mode():
                logits = model(**tokenizer(words, hypothesis, return_tensors="pt")).logits[0]
            expected[row, column] = logits[0] - logits[2]
    entailment = Entailment(nli, runtime="torch", premise_tokens=16)
    assert np.allclose(entailment.odds(PREMISES, HYPOTHESES), expected, atol=1e-4)


def test_a_premise_fills_what_the_model_has_room_for(nli: Path) -> None:
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(nli).eval()
    room = AutoConfig.from_pretrained(nli).max_position_embeddings
    cut = AutoTokenizer.from_pretrained(nli)(
        PREMISES[3], HYPOTHESES[1], truncation="only_first", max_length=room, return_tensors="pt"
    )
    assert cut["input_ids"].shape == (1, room)
    with torch.inference_mode():
        logits = model(**cut).logits[0]
    odds = Entailment(nli, runtime="torch", premise_tokens=10 * room).odds(PREMISES, HYPOTHESES)
    assert odds[3, 1] == pytest.approx(float(logits[0] - logits[2]), abs=1e-4)


def test_hypotheses_level_with_the_best_are_judged_in_full_precision(nli: Path) -> None:
    asked = (*HYPOTHESES, f"{HYPOTHESES[0]} a")
    exact = Entailment(nli, runtime="torch").odds(PREMISES, asked)
    rough = Entailment(nli, runtime="torch-bf16").odds(PREMISES, asked)
    settled = Entailment(nli, runtime="torch-bf16", exact_top=True).odds(PREMISES, asked)
    level = rough >= rough.max(axis=1, keepdims=True) - LEVEL
    assert (level.sum(axis=1) > 1).any()
    for row, near in enumerate(level):
        expected = exact[row, near] if near.sum() > 1 else rough[row, near]
        assert np.allclose(settled[row, near], expected, atol=1e-5)
        assert np.array_equal(settled[row, ~near], rough[row, ~near])


def test_a_pair_gets_the_same_odds_in_any_company(nli: Path) -> None:
    entailment = Entailment(nli, runtime="torch")
    together = entailment.odds(PREMISES, HYPOTHESES)
    alone = entailment.odds([PREMISES[1]], [HYPOTHESES[2]])
    assert together[1, 2] == pytest.approx(float(alone[0, 0]), abs=1e-5)


def test_nothing_asked_gives_an_empty_matrix(nli: Path) -> None:
    assert Entailment(nli).odds([], HYPOTHESES).shape == (0, 3)


def test_classes_are_found_by_name_in_any_order(nli: Path, tmp_path: Path) -> None:
    turned = save_nli(tmp_path, ("CONTRADICTION", "NEUTRAL", "ENTAILMENT"))
    usual = Entailment(nli, runtime="torch").odds(PREMISES, HYPOTHESES)
    assert np.allclose(Entailment(turned, runtime="torch").odds(PREMISES, HYPOTHESES), -usual)


def test_a_two_way_model_is_asked_for_entailment_against_the_rest(tmp_path: Path) -> None:
    folder = save_nli(tmp_path, ("entailment", "not_entailment"))
    assert verdict_columns({0: "entailment", 1: "not_entailment"}, folder) == (0, 1)
    assert np.isfinite(Entailment(folder).odds(PREMISES, HYPOTHESES)).all()


def test_a_classifier_of_something_else_is_refused_with_its_classes(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="positive"):
        Entailment(save_nli(tmp_path, ("negative", "positive")))


def test_cloze_reads_the_gap_of_the_question(masked_lm: Path) -> None:
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    model = AutoModelForMaskedLM.from_pretrained(masked_lm).eval()
    tokenizer = AutoTokenizer.from_pretrained(masked_lm)
    asked = tokenizer(f"typo in the docs {QUESTION.format('[MASK]')}", return_tensors="pt")
    gap = asked["input_ids"][0].tolist().index(tokenizer.mask_token_id)
    with torch.inference_mode():
        logs = model(**asked).logits[0, gap].log_softmax(0)
    cloze = Cloze(masked_lm, runtime="torch")
    words = [cloze.words(["bug"]), cloze.words(["feature request"])]
    found = cloze.log_probabilities(["typo in the docs"], words)
    expected = [logs[list(tokens)].mean().item() for tokens in words]
    assert np.allclose(found[0], expected, atol=1e-4)


def test_cloze_takes_the_words_that_the_vocabulary_holds_whole(masked_lm: Path) -> None:
    cloze = Cloze(masked_lm)
    assert len(cloze.words(["frobnicator bug crash"])) == 2
    assert cloze.words(["frobnicator", "documentation"]) == cloze.words(["documentation"])
    assert cloze.words(["frobnicator"]) == ()


def test_a_mask_typed_by_the_reporter_is_not_the_gap(masked_lm: Path) -> None:
    cloze = Cloze(masked_lm, runtime="torch")
    found = cloze.log_probabilities(["the [MASK] crash", "", "slow " * 900], [(5,), (6, 7)])
    assert found.shape == (3, 2)
    assert np.isfinite(found).all()
