"""What `pet` promises beyond the contract: words of labels, a gap, a head where there was none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tiny_bodies
import torch

from tagger.domain.strategy import Resources
from tagger.errors import ModelNotFound, ModelRefused
from tagger.prompting.cloze_texts import QUESTION, MaskedModel
from tagger.strategies.pet import PatternExploiting, PatternRecipe
from tagger.text.augmentation import has_masked_lm_head
from tagger.training.budget import StepBudget
from tagger.training.classifier import ClozeClassifier
from tagger.training.fine_tuning import FineTuningRecipe
from tagger.training.tokens import TokenReader

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.domain.issue import TrainingSet
    from tagger.encoders.encoder import Encoder

CPU = torch.device("cpu")


def no_encoder() -> Encoder:
    raise AssertionError("pet has a body of its own and asks no encoder")


class Brief(PatternExploiting):
    """Trains a head for a few steps only."""

    budget = StepBudget(epochs=1, batch_size=16, max_tokens=24)


class Long(Brief):
    """Long enough for a model that knew nothing."""

    recipe = PatternRecipe(
        replace(
            PatternRecipe().tuning,
            fine_tuning=FineTuningRecipe(rate=3e-3, head_rate=1e-2, frozen=0.0),
            teacher_steps=150,
        )
    )


def saved(folder: Path, make: object) -> Path:
    return tiny_bodies.save(tiny_bodies.seeded(make), folder)


@pytest.fixture(scope="module")
def masked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("masked") / "bert", tiny_bodies.masked_bert)


@pytest.fixture(scope="module")
def headless_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("headless") / "bert", tiny_bodies.bert)


def resources(folder: Path | None, cache: Path | None = None) -> Resources:
    return Resources(encoder=no_encoder, bert_model=folder, device="cpu", cache=cache)


def training(n: int = 24, unlabelled: int = 0) -> TrainingSet:
    return replace(tiny_bodies.issues(n), unlabelled=tiny_bodies.unlabelled(unlabelled))


def test_learns_to_tell_labels_apart(masked_folder: Path) -> None:
    learned = Long(resources(masked_folder)).fit(training(100))
    unseen = tiny_bodies.issues(60, seed=9)
    assert ((learned.score(unseen.issues) > 0.5) == unseen.targets).mean() > 0.7


def test_begins_as_the_masked_model_and_the_labels_own_words(masked_folder: Path) -> None:
    from transformers import AutoModelForMaskedLM

    model = MaskedModel.open(masked_folder, CPU)
    reader = TokenReader(model.tokenizer, 32, QUESTION)
    classifier = model.classifier(2).eval()
    classifier.set_head(model.rows([("crash",), ("add feature",)]), np.zeros(2, np.float32))
    ids, mask = reader.collate(reader.read(["please open the page", "error"]), CPU)
    whole = AutoModelForMaskedLM.from_pretrained(masked_folder).eval()
    with torch.inference_mode():
        got = classifier(ids, mask)
        logits = whole(input_ids=ids, attention_mask=mask).logits
    for row in range(2):
        gap = int((ids[row] == model.tokenizer.mask_token_id).nonzero()[-1])
        said = logits[row, gap] - whole.get_output_embeddings().bias.detach()
        crash, add, feature = model.tokenizer.convert_tokens_to_ids(["crash", "add", "feature"])
        assert got[row, 0] == pytest.approx(float(said[crash]), abs=1e-3)
        assert got[row, 1] == pytest.approx(float(said[add] + said[feature]) / 2, abs=1e-3)


def test_the_question_is_never_cut_and_its_gap_is_the_last(masked_folder: Path) -> None:
    model = MaskedModel.open(masked_folder, CPU)
    reader = TokenReader(model.tokenizer, 24, QUESTION)
    mask_id = model.tokenizer.mask_token_id
    for ids in reader.read(["crash " * 500, "", "[MASK] i typed [MASK] " * 20]):
        assert len(ids) <= 24
        # the gap, a full stop and the end
        assert len(ids) - 1 - ids[::-1].index(mask_id) == len(ids) - 3


def test_a_head_is_trained_on_unlabelled_texts_once(headless_folder: Path, tmp_path: Path) -> None:
    assert not has_masked_lm_head(headless_folder)
    steps: list[str] = []
    shared = replace(
        resources(headless_folder, tmp_path), progress=lambda step, *_: steps.append(step)
    )
    train = training(12, unlabelled=110)
    scores = Brief(shared).fit(train).score(train.issues)
    assert "adapting (masked-language)" in steps
    assert "adapting (title-body)" not in steps
    steps.clear()
    assert np.array_equal(Brief(shared).fit(train).score(train.issues), scores)
    assert set(steps) == {"teacher"}
    (kept,) = tmp_path.glob("adapted/*/masked-language")
    assert has_masked_lm_head(kept)


def test_conditioning_and_generations_are_steps_of_their_own(masked_folder: Path) -> None:
    class Full(Brief):
        recipe = PatternRecipe(replace(PatternRecipe().tuning, rounds=1), conditioning=0.5)

    train = training(12, unlabelled=40)
    learned = Full(resources(masked_folder)).fit(train)
    plain = Brief(resources(masked_folder)).fit(train)
    assert set(learned.curves_) == {"teacher", "student 1"}
    assert set(plain.curves_) == {"teacher"}
    assert learned.curves_["teacher"][0] != plain.curves_["teacher"][0]


def test_arrays_bring_the_same_classifier_back(masked_folder: Path) -> None:
    model = MaskedModel.open(masked_folder, CPU)
    classifier = model.classifier(2).eval()
    again = ClozeClassifier.of_arrays(model.body, 2, classifier.head_arrays()).eval()
    again.set_head(*(classifier.head_arrays()[name] for name in ("weight", "bias")))
    ids = torch.tensor([[2, 7, 4, 3]])
    assert torch.equal(classifier(ids, torch.ones_like(ids)), again(ids, torch.ones_like(ids)))


def test_what_knows_no_masks_is_refused_with_the_setting(tmp_path: Path) -> None:
    folder = saved(tmp_path / "gpt", tiny_bodies.gpt)
    with pytest.raises(ModelRefused, match="ISSUE_TAGGER_BERT_MODEL"):
        Brief(resources(folder)).fit(training())
    with pytest.raises(ModelNotFound, match="ISSUE_TAGGER_BERT_MODEL"):
        Brief(resources(None)).fit(training())
