"""Compression: a release teaches a student, and the student is a release like any other."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tagger.compression.compressing import CompressionGoal, compress
from tagger.distillation.distilling import DistillationRecipe
from tagger.distillation.pruning import Pruning
from tagger.errors import NotATeacher, ReleaseDamaged
from tagger.releases.release import Release, ReleaseOrder, train_release
from tagger.strategies import create
from tagger.strategies.distilled import Distilled, Teaching

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = datetime(2026, 1, 3, tzinfo=UTC)
QUICK = DistillationRecipe(epochs=3, most_steps=60, rate=3e-3)


@pytest.fixture(scope="module")
def school(tmp_path_factory, resources, bert_folder, training_set):
    """Resources with a transformer to start from, and a release that serves."""
    root = tmp_path_factory.mktemp("school")
    able = replace(resources, encoder_model=bert_folder)
    members = ("zero-shot", "linear", "naive-bayes", "knn")
    manifest = train_release(ReleaseOrder("owner/name", root, NOW), training_set, able, members)
    return able, root, Release.open(root / "owner/name" / manifest.id, able)


def taught(school, training_set, tmp_path, **goal):
    able, _, teacher = school
    manifest = compress(
        ReleaseOrder("owner/name", tmp_path, LATER),
        teacher,
        training_set,
        able,
        CompressionGoal(**{"trials": 0, **goal}),
        studies=tmp_path / "studies",
        recipe=QUICK,
    )
    return manifest, Release.open(tmp_path / "owner/name" / manifest.id, able)


def test_the_student_says_what_its_teacher_says(school, training_set, tmp_path):
    manifest, student = taught(school, training_set, tmp_path)
    assert manifest.strategies == ("distilled", "knn")
    told = school[2].chain.score(training_set.issues)
    repeated = student.chain.member("distilled").score(training_set.issues)
    assert np.corrcoef(told.ravel(), repeated.ravel())[0, 1] > 0.9
    (labels,) = student.tag(training_set.issues[:1])
    assert {one.decided_by for one in labels} == {"distilled"}
    assert labels[0].neighbours
    assert "alpha 0.30, temperature 2.0, 3 epochs" in manifest.notes[0]


def test_without_neighbours_the_student_is_alone(school, training_set, tmp_path):
    manifest, student = taught(school, training_set, tmp_path, neighbours=False)
    assert manifest.strategies == ("distilled",)
    assert student.tag(training_set.issues[:1])[0][0].neighbours == ()


def test_the_same_seed_gives_the_same_student(school, training_set, tmp_path):
    first, _ = taught(school, training_set, tmp_path / "a")
    again, _ = taught(school, training_set, tmp_path / "b")
    assert first.digest == again.digest


def test_a_student_is_no_teacher(school, training_set, tmp_path):
    _, student = taught(school, training_set, tmp_path)
    with pytest.raises(NotATeacher, match="is a student itself"):
        taught((school[0], school[1], student), training_set, tmp_path / "again")


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ({"teacher": "best"}, "teachers may be chain"),
        ({"teacher": "adapted"}, "teachers may be chain"),
        ({"layers": 9}, "expected 1 to 2"),
    ],
)
def test_what_cannot_be_is_said(school, training_set, tmp_path, goal, said):
    with pytest.raises(NotATeacher, match=said):
        taught(school, training_set, tmp_path, **goal)


@pytest.mark.parametrize("kind", ["magnitude", "movement"])
def test_a_pruned_student_is_sparse_and_smaller(
    resources, bert_folder, training_set, tmp_path, kind
):
    soft = dict(zip(training_set.issues, training_set.targets * 0.8 + 0.1, strict=True))

    def student(pruning):
        recipe = replace(QUICK, pruning=pruning)
        teaching = Teaching(bert_folder, 2, soft, recipe)
        return Distilled(resources, teaching=teaching).fit(training_set)

    whole, thin = student(Pruning()), student(Pruning(kind, sparsity=0.75))
    layers = [
        weight
        for name, weight in thin.model_.weights().items()
        if "layer" in name and weight.ndim == 2
    ]
    zeros = sum(int((weight == 0).sum()) for weight in layers) / sum(w.size for w in layers)
    assert zeros >= 0.74
    assert thin.model_.size < whole.model_.size
    thin.save(tmp_path)
    restored = create("distilled", resources).restore(tmp_path)
    assert np.array_equal(restored.score(training_set.issues), thin.score(training_set.issues))


def test_a_killed_compression_goes_on(school, training_set, tmp_path, monkeypatch):
    """Killed again and again, each time before it could do the whole, it ends all the same."""
    monkeypatch.setattr("tagger.compression.student_training.MIN_VALIDATION", 5)
    whole, _ = taught(school, training_set, tmp_path / "whole", trials=2)
    assert "the best of 2 trials" in whole.notes[0]
    kills = 0
    for _ in range(12):
        dying = replace(school[0], progress=dies_after(60))
        try:
            done, _ = taught((dying, *school[1:]), training_set, tmp_path / "cut", trials=2)
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills >= 2
    assert done.files == whole.files
    assert [path.name for path in (tmp_path / "cut/owner/name").iterdir()] == [done.id]


def dies_after(steps):
    told = []

    def progress(step, done, total):
        told.append(step)
        if len(told) > steps:
            raise KeyboardInterrupt

    return progress


def test_a_lost_file_is_a_damaged_release(school, training_set, tmp_path):
    taught(school, training_set, tmp_path)
    folder = next((tmp_path / "owner/name").glob("2026*")) / "chain/distilled"
    for name in ("weights.int8.safetensors", "head.safetensors", "distilled.json"):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        Path(copy / name).unlink()
        with pytest.raises(ReleaseDamaged):
            create("distilled", school[0]).restore(copy)
