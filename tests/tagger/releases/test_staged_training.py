"""Stages: the cheap members together, then each dear one, entailment last."""

from dataclasses import replace
from pathlib import Path

from tagger.releases.release import ReleaseOrder, train_release
from tagger.releases.staged_training import (
    ENTAILMENT,
    StagedTraining,
    abilities_of,
    plan_stages,
)

ALL = ("zero-shot", "linear", "naive-bayes", "knn", "contrastive", "adapted")


def test_cheap_members_come_first_and_each_dear_one_by_itself(resources):
    stages = plan_stages(ALL, resources, 100)
    assert [stage.joining for stage in stages] == [ALL[:4], ("contrastive",), ("adapted",)]
    assert [stage.members for stage in stages] == [ALL[:4], ALL[:5], ALL]
    assert [stage.entail for stage in stages] == [True, True, True]


def test_an_nli_model_is_asked_last(resources):
    able = replace(resources, zero_shot_model=Path("nli"))
    stages = plan_stages(ALL[:5], able, 100)
    assert [stage.joining for stage in stages] == [ALL[:4], ("contrastive",), (ENTAILMENT,)]
    assert [stage.entail for stage in stages] == [False, False, True]
    assert [len(stage.members) for stage in stages] == [4, 5, 5]


def test_without_labelled_issues_there_is_the_wording_alone(resources):
    assert [stage.members for stage in plan_stages(ALL, resources, 0)] == [("zero-shot",)]


def test_dear_members_alone_are_stages_too(resources):
    stages = plan_stages(("adapted", "contrastive"), resources, 100)
    assert [stage.members for stage in stages] == [("adapted",), ("adapted", "contrastive")]


def test_what_a_release_can_draw_on():
    assert abilities_of(ALL[:2], {"encoder": ""}) == {"zero-shot", "linear"}
    assert abilities_of(ALL[:2], {"zero-shot": ""}) == {"zero-shot", "linear", ENTAILMENT}


def test_a_thorough_training_has_the_thorough_recipes(tmp_path, resources, training_set):
    order = ReleaseOrder("owner/name", tmp_path / "staged")
    names = ("zero-shot", "linear", "contrastive", "fine-tuned", "adapted")
    training = StagedTraining(order, training_set, resources, names, thorough=True)
    assert training.stages[-1].members == (
        "zero-shot", "linear", "contrastive-thorough", "fine-tuned-thorough", "adapted",
    )  # fmt: skip


def test_stages_end_with_what_one_training_gives(tmp_path, resources, training_set):
    names = ("zero-shot", "linear", "fine-tuned")
    order = ReleaseOrder("owner/name", tmp_path / "staged")
    training = StagedTraining(order, training_set, resources, names)
    *_, last = [training.fit(stage, resources.progress) for stage in training.stages]
    staged = training.write(order, last)
    whole = train_release(replace(order, root=tmp_path / "whole"), training_set, resources, names)
    assert staged.files == whole.files
    training.forget()
    assert [folder.name for folder in order.folder.iterdir()] == [staged.id]
