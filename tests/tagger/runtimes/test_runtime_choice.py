"""The choice of a runtime: the fastest that keeps F1, made once, named by the release."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tagger.errors import ModelRefused
from tagger.releases.release import Release, ReleaseOrder, read_manifest, train_release
from tagger.runtimes import BY_SETTING_ONLY, RUNTIMES, Runtime
from tagger.runtimes.choice import (
    GLANCE,
    WARMING,
    Measured,
    RuntimeChoice,
    best,
    measure,
    neighbours_f1,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.encoders.encoder import Encoder, Vectors

MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")


class Blind:
    """An encoder to which all texts look the same, at once."""

    identity = "blind"
    width = 32

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), self.width), self.width**-0.5, dtype=np.float32)


class FakeRuntimes:
    """Runtimes over one tiny encoder: two cannot be had, one is quick and blind.

    :ivar measured: runtimes that were asked to show what they can.
    :ivar used: runtimes that something was computed in.
    """

    model = "tiny"

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.measured: list[Runtime] = []
        self.used: list[Runtime] = []

    def under(self, runtime: Runtime) -> Resources:
        self.used.append(runtime)
        return replace(self._resources, runtime=runtime, runtimes=self)

    def bare_encoder(self, runtime: Runtime) -> Encoder:
        self.measured.append(runtime)
        if runtime in {"onnx", "torch-int8"}:
            raise ModelRefused("its copy computes something else")
        return Blind() if runtime == "onnx-int8" else self._resources.encoder()


@pytest.fixture
def auto(resources: Resources, tmp_path: Path) -> Resources:
    """Resources that leave the choice open, with a cache of their own."""
    bare = replace(resources, cache=tmp_path / "cache")
    return replace(bare, runtimes=FakeRuntimes(bare))


def test_the_fastest_that_keeps_f1_is_best():
    figures = {
        "torch": Measured(20.0, 1.0, 0.600),
        "torch-bf16": Measured(8.0, 0.9999, 0.602),
        "onnx": Measured(10.0, 1.0, 0.600),
        "onnx-int8": Measured(4.0, 0.993, 0.594),
    }
    assert best(figures) == "torch-bf16"
    assert best({**figures, "onnx-int8": Measured(4.0, 0.993, 0.595)}) == "onnx-int8"
    assert best({**figures, "onnx-int8": Measured(4.0, 0.9, 0.595)}) == "torch-bf16"
    assert best({"torch": Measured(20.0, 1.0, None)}) == "torch"


def test_of_runtimes_as_fast_the_lighter_is_best():
    figures = {
        "torch": Measured(20.0, 1.0, 0.6),
        "torch-int8": Measured(10.0, 0.998, 0.6),
        "onnx-int8": Measured(10.9, 0.995, 0.6),
    }
    assert best(figures) == "onnx-int8"
    assert best({**figures, "onnx-int8": Measured(11.1, 0.995, 0.6)}) == "torch-int8"


def test_neighbours_tell_whether_vectors_still_say_anything(
    training_set: TrainingSet, resources: Resources
) -> None:
    texts = [issue.full for issue in training_set.issues]
    seen = neighbours_f1(resources.encoder().encode(texts), training_set.targets)
    blind = neighbours_f1(Blind().encode(texts), training_set.targets)
    assert seen is not None
    assert blind is not None
    assert seen > blind
    assert neighbours_f1(Blind().encode(texts[:5]), training_set.targets[:5]) is None


def test_a_blind_runtime_is_not_chosen_however_fast(
    auto: Resources, training_set: TrainingSet
) -> None:
    chosen, choice = settle(auto, training_set)
    assert choice is not None
    assert chosen.runtime == choice.name
    assert choice.name in {"torch", "torch-bf16"}
    assert set(choice.measured) == {"torch", "torch-bf16", "onnx-int8"}
    assert set(choice.refused) == {"onnx", "torch-int8"}
    assert RuntimeChoice.from_json(choice.as_json()) == choice


class Slow:
    """An encoder that takes its time, and says what another does."""

    def __init__(self, inner: Encoder, seconds: float) -> None:
        self._inner, self._seconds = inner, seconds
        self.texts = 0
        self.identity, self.width = inner.identity, inner.width

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        time.sleep(self._seconds * len(texts))
        return self._inner.encode(texts)


def test_a_runtime_that_is_far_slower_is_given_up_soon(
    auto: Resources, training_set: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.runtimes.choice.WORTH_SAVING", 0.0)
    slow = Slow(auto.encoder(), 0.2)
    assert isinstance(auto.runtimes, FakeRuntimes)
    fast = auto.runtimes.bare_encoder

    def bare_encoder(runtime: Runtime) -> Any:
        return slow if runtime == "torch-bf16" else fast(runtime)

    monkeypatch.setattr(auto.runtimes, "bare_encoder", bare_encoder)
    choice = measure(auto.runtimes, training_set, auto)
    assert "more than 2 times the best" in choice.refused["torch-bf16"]
    assert "torch-bf16" not in choice.measured
    assert slow.texts == WARMING + GLANCE


def test_a_choice_is_made_once(auto: Resources, training_set: TrainingSet) -> None:
    _, first = settle(auto, training_set)
    assert isinstance(auto.runtimes, FakeRuntimes)
    usual = sorted(runtime for runtime in RUNTIMES if runtime not in BY_SETTING_ONLY)
    assert sorted(auto.runtimes.measured) == usual
    _, second = settle(auto, training_set)
    assert sorted(auto.runtimes.measured) == usual
    assert second == first


def test_a_broken_record_is_made_anew(auto: Resources, training_set: TrainingSet) -> None:
    settle(auto, training_set)
    assert auto.cache is not None
    (file,) = (auto.cache / "runtimes").iterdir()
    file.write_text("{", encoding="utf-8")
    _, choice = settle(auto, training_set)
    assert choice is not None
    assert choice.how == "measured"


def test_what_is_set_is_not_measured(auto: Resources, training_set: TrainingSet) -> None:
    given = replace(auto, runtime="onnx-int8")
    assert settle(given, training_set) == (given, RuntimeChoice("onnx-int8", "set"))
    assert isinstance(auto.runtimes, FakeRuntimes)
    assert auto.runtimes.measured == []


def test_no_labelled_issue_is_needed(auto: Resources, training_set: TrainingSet) -> None:
    _, choice = settle(auto, training_set.subset([]))
    assert choice is not None
    assert all(one.f1 is None for one in choice.measured.values())


@pytest.mark.parametrize(("labelled", "unlabelled"), [(1, 5), (0, 1), (0, 0)])
def test_a_single_text_is_enough(
    auto: Resources, training_set: TrainingSet, labelled: int, unlabelled: int
) -> None:
    few = replace(training_set.subset(list(range(labelled))), recent=(), unlabelled=())
    few = replace(few, unlabelled=training_set.issues[-unlabelled:] if unlabelled else ())
    _, choice = settle(auto, few)
    assert choice is not None
    assert all(one.milliseconds >= 0 for one in choice.measured.values())


def test_a_release_is_opened_in_the_runtime_that_it_names(
    auto: Resources, training_set: TrainingSet, tmp_path: Path
) -> None:
    manifest = train_release(ReleaseOrder("owner/name", tmp_path), training_set, auto, MEMBERS)
    folder = tmp_path / "owner/name" / manifest.id
    assert manifest.runtime is not None
    assert read_manifest(folder).runtime == manifest.runtime
    assert isinstance(auto.runtimes, FakeRuntimes)
    auto.runtimes.used.clear()
    Release.open(folder, replace(auto, runtime="onnx-int8"))
    assert auto.runtimes.used == [manifest.runtime.name]


def test_measured_times_do_not_change_what_a_release_is(
    auto: Resources, training_set: TrainingSet, tmp_path: Path
) -> None:
    manifest = train_release(ReleaseOrder("owner/name", tmp_path), training_set, auto, MEMBERS)
    assert manifest.runtime is not None
    slower = replace(manifest.runtime, measured={"torch": Measured(99.0, 1.0, None)})
    assert replace(manifest, runtime=slower).digest == manifest.digest
