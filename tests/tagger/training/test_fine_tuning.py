"""The parts of fine-tuning: stopping, steps, frozen layers, the head's start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tiny_bodies
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.metrics import f1_score

from tagger.encoders.loading import load
from tagger.training.classifier import TextClassifier
from tagger.training.early_stopping import EarlyStopping, best_f1
from tagger.training.features import UpperLayers, WholeBody, frozen_features, vectors_of
from tagger.training.fine_tuning import FineTuningRecipe, fine_tune
from tagger.training.frozen_prefix import freeze_lower, layer_stack, states_entering
from tagger.training.initial_head import logistic_head
from tagger.training.tokens import TokenReader

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")


def opened(folder: Path, n_labels: int = 2) -> tuple[TextClassifier, TokenReader]:
    tokenizer, body = load(folder, torch.float32, CPU)
    return TextClassifier(body, n_labels), TokenReader(tokenizer, 32)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_upper_layers_give_what_the_whole_body_gives(any_folder: Path, share: float) -> None:
    classifier, reader = opened(any_folder)
    tokens = reader.read([issue.full for issue in tiny_bodies.issues(9).issues])
    features = frozen_features(classifier, reader, tokens, share)
    vectors = vectors_of(classifier, features, tokens)
    rows = np.array([4, 0, 7])
    whole = WholeBody(classifier, reader, tokens)(rows)
    expected = whole.detach().numpy()
    assert features(rows).detach().numpy() == pytest.approx(expected, abs=0.02)
    assert vectors[rows] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_step_may_look_at_the_beginning_of_each_text_only(any_folder: Path, share: float) -> None:
    classifier, reader = opened(any_folder)
    tokens = reader.read(["crash", "please add a page that says what the page is about"])
    features = frozen_features(classifier, reader, tokens, share)
    rows = np.array([0, 1])
    whole, seen = (features(rows, most).detach().numpy() for most in (None, 4))
    assert seen[0] == pytest.approx(whole[0], abs=0.02)
    assert np.abs(seen[1] - whole[1]).max() > 0.02
    beyond = features(rows, 100).detach().numpy()
    assert beyond == pytest.approx(whole, abs=1e-6)


def test_states_that_enter_a_layer_are_those_that_the_layer_below_gives(bert_folder: Path) -> None:
    classifier, reader = opened(bert_folder)
    stack = layer_stack(classifier.body)
    assert stack is not None
    ids, mask = reader.collate(reader.read(["crash", "please add"]), CPU)
    given = classifier.body(ids, mask, output_hidden_states=True).hidden_states[2]
    seen: list[object] = []
    stack[2].register_forward_hook(lambda *_: seen.append(_))
    states = states_entering(stack[2], lambda: classifier.vectors(ids, mask))
    assert torch.equal(states, given)
    assert not states.requires_grad
    assert len(seen) == 0
    with pytest.raises(ValueError, match="not reached"):
        states_entering(stack[2], lambda: None)


def test_layers_are_back_in_place_after_each_pass(bert_folder: Path) -> None:
    classifier, reader = opened(bert_folder)
    stack = layer_stack(classifier.body)
    assert stack is not None
    before = list(stack)
    tokens = reader.read(["crash", "please add"])
    features = frozen_features(classifier, reader, tokens, 0.5)
    assert isinstance(features, UpperLayers)
    features(np.array([0, 1]))
    assert list(stack) == before


@pytest.mark.parametrize(("share", "frozen"), [(0.0, 0), (0.25, 1), (0.5, 2), (1.0, 3)])
def test_freezing_spares_the_upper_layers(bert_folder: Path, share: float, frozen: int) -> None:
    classifier, _ = opened(bert_folder)
    assert freeze_lower(classifier.body, share) == frozen
    trained = {
        int(name.split(".")[2])
        for name, parameter in classifier.body.named_parameters()
        if parameter.requires_grad
    }
    assert trained == set(range(frozen, 4))


def test_frozen_weights_stay_as_they_were(bert_folder: Path) -> None:
    classifier, reader = opened(bert_folder)
    before = {name: each.clone() for name, each in classifier.body.state_dict().items()}
    train = tiny_bodies.issues(20)
    fine_tune(
        classifier,
        reader,
        [i.full for i in train.issues],
        train.targets,
        FineTuningRecipe(),
        seed=0,
    )
    moved = {
        name
        for name, each in classifier.body.state_dict().items()
        if not torch.equal(each, before[name])
    }
    assert moved
    assert all(name.startswith(("encoder.layer.2", "encoder.layer.3")) for name in moved)


def test_the_best_weights_are_kept_not_the_last(
    bert_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether the first look after the ruin is worse beyond noise differs between processors.
    monkeypatch.setattr("tagger.training.early_stopping.NOISE", 0.0)
    classifier, reader = opened(bert_folder)
    train = tiny_bodies.issues(240)
    texts = [issue.full for issue in train.issues]
    ruinous = FineTuningRecipe(rate=30.0, head_rate=300.0, hold_out_from=100, patience=100)
    course = fine_tune(classifier, reader, texts, train.targets, ruinous, seed=0)
    best = max(course.held_out.values())
    assert course.held_out[0] == best
    assert list(course.held_out.values())[-1] < best
    untouched, _ = opened(bert_folder)
    for kept, first in zip(classifier.body.parameters(), untouched.body.parameters(), strict=True):
        assert torch.equal(kept, first)


def watched(looks: list[float]) -> tuple[float, list[bool]]:
    """The weight kept, and what each look said, when F1 would be `looks` one after another.

    Of 100 held-out issues with a label, each look's share is scored above all that have none.
    """
    truth = np.repeat([True, False], 100)[:, None]
    model = torch.nn.Linear(1, 1, bias=False)

    def logits() -> np.ndarray:
        found = round(100 * looks[round(float(model.weight.detach()))])
        scores = np.zeros((200, 1), dtype=np.float32)
        scores[:found], scores[100:] = 2.0, 1.0
        return scores

    with torch.no_grad():
        model.weight.fill_(0)
        watch = EarlyStopping(model, logits, truth, patience=2)
        finished = watch.every(1, len(looks) - 1)
        said = []
        for snapshot in range(1, len(looks)):
            model.weight.fill_(snapshot)
            said.append(finished(snapshot))
            if said[-1]:
                break
        watch.keep_best()
    return float(model.weight.detach()), said


@pytest.mark.parametrize(
    ("looks", "kept", "said"),
    [
        ([0.5, 0.8, 0.9], 2, [False, False]),
        ([0.5, 0.9, 0.89], 2, [False, False]),
        ([0.5, 0.9, 0.6, 0.6, 0.9], 1, [False, False, True]),
        ([0.5, 0.9, 0.6, 0.9], 3, [False, False, False]),
        ([0.9, 0.5], 0, [False]),
    ],
    ids=["rises", "falls within noise", "falls for good", "falls and recovers", "falls at once"],
)
def test_the_latest_weights_that_are_not_worse_are_kept(
    looks: list[float], kept: int, said: list[bool]
) -> None:
    got_kept, got_said = watched(looks)
    assert got_kept == kept
    assert got_said == said


def test_stops_when_looks_bring_no_gain(bert_folder: Path) -> None:
    classifier, reader = opened(bert_folder)
    train = tiny_bodies.issues(240)
    recipe = FineTuningRecipe(rate=30.0, head_rate=300.0, hold_out_from=100, patience=1, checks=10)
    course = fine_tune(
        classifier, reader, [i.full for i in train.issues], train.targets, recipe, seed=0
    )
    assert len(course.losses) < recipe.steps(204)


def test_few_issues_are_all_learned_from(bert_folder: Path) -> None:
    classifier, reader = opened(bert_folder)
    train = tiny_bodies.issues(20)
    course = fine_tune(
        classifier,
        reader,
        [i.full for i in train.issues],
        train.targets,
        FineTuningRecipe(),
        seed=0,
    )
    assert course.held_out == {}
    assert len(course.losses) == FineTuningRecipe().steps(20)


@given(n=some.integers(1, 100_000))
def test_steps_are_bounded(n: int) -> None:
    recipe = FineTuningRecipe()
    assert recipe.least_steps <= recipe.steps(n) <= recipe.most_steps


@given(weights=some.floats(1e5, 1e9))
def test_a_larger_body_gets_no_more_time(weights: float) -> None:
    recipe = FineTuningRecipe(seconds=60)
    steps = recipe.steps(5_000, weights=weights, tokens=128)
    assert 1 <= steps <= recipe.most_steps
    assert recipe.steps(5_000, weights=2 * weights, tokens=128) <= steps


@given(
    rows=some.lists(
        some.tuples(some.floats(-5, 5, width=32), some.booleans()), min_size=1, max_size=30
    )
)
@settings(deadline=None)
def test_best_f1_is_the_best_over_all_cuts(rows: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in rows], dtype=np.float32)
    scores += np.arange(len(rows), dtype=np.float32) * 1e-3  # ties have no order to agree on
    truth = np.array([said for _, said in rows])
    by_hand = max(f1_score(truth, scores >= cut, zero_division=0.0) for cut in scores)
    assert best_f1(scores[:, None], truth[:, None]) == pytest.approx(by_hand)


def test_a_head_starts_where_logistic_regression_ends() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    targets = np.stack([vectors[:, 0] > 0, vectors[:, 1] > 0.2], axis=1)
    weights, bias = logistic_head(vectors, targets)
    assert (((vectors @ weights.T + bias) > 0) == targets).mean() > 0.95


def test_a_head_knows_only_the_share_of_a_label_without_contrast() -> None:
    vectors = np.eye(4, dtype=np.float32)
    weights, bias = logistic_head(vectors, np.zeros((4, 1), dtype=bool))
    assert not weights.any()
    assert 1 / (1 + np.exp(-bias[0])) == pytest.approx(0.1)
