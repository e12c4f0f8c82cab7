"""A release on disk: whole or refused, the same for the same data, and able to explain itself."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.special import expit

from tagger.chain.chain import Chain
from tagger.chain.contentless import ContentCheck
from tagger.domain.decision import Policy
from tagger.domain.issue import IssueText
from tagger.errors import ReleaseDamaged
from tagger.persistence import file_digest, load_arrays, save_arrays
from tagger.releases.release import Manifest, Release, ReleaseOrder, read_manifest, train_release

MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, resources, training_set):
    root = tmp_path_factory.mktemp("releases")
    manifest = train_release(
        ReleaseOrder("owner/name", root, NOW), training_set, resources, MEMBERS
    )
    return manifest, root / "owner/name" / manifest.id


@pytest.fixture
def release(trained, resources):
    return Release.open(trained[1], resources)


def test_the_manifest_says_what_it_was_made_of(trained, training_set):
    manifest, folder = trained
    assert manifest.strategies == MEMBERS
    assert manifest.fingerprint == training_set.fingerprint
    assert [row.name for row in manifest.labels] == list(training_set.names)
    assert [row.examples for row in manifest.labels] == training_set.positives.tolist()
    assert all((row.cut is None) == (row.missing is not None) for row in manifest.labels)
    assert read_manifest(folder) == manifest
    assert Manifest.from_json(json.loads(json.dumps(manifest.as_json()))) == manifest


def test_the_same_seed_and_data_say_the_same(trained, release, tmp_path, resources, training_set):
    again = train_release(
        ReleaseOrder("owner/name", tmp_path, NOW), training_set, resources, MEMBERS
    )
    other = Release.open(tmp_path / "owner/name" / again.id, resources)
    assert other.tag(training_set.issues) == release.tag(training_set.issues)
    assert again.labels == trained[0].labels


def test_nothing_is_left_beside_it(trained):
    folder = trained[1]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_every_label_is_listed_by_falling_score(release, training_set):
    for labels in release.tag(training_set.issues[:5]):
        assert {one.name for one in labels} == set(training_set.names)
        scores = [one.score for one in labels]
        assert scores == sorted(scores, reverse=True)
        assert all(set(one.votes) == set(MEMBERS) for one in labels)
        assert all(one.decided_by in MEMBERS for one in labels)


def test_the_parts_of_a_score_add_up_and_the_largest_decided(release, training_set):
    for labels in release.tag(training_set.issues[:5]):
        for label in labels:
            assert expit(sum(label.parts.values())) == pytest.approx(label.score, abs=1e-5)
            members = {name: abs(label.parts[name]) for name in MEMBERS}
            assert label.decided_by == max(members, key=members.get)


def test_precedents_speak_for_the_label_and_then_against(release, training_set):
    (labels,) = release.tag(training_set.issues[:1])
    for one in labels:
        carrying = [one.name in near.labels for near in one.neighbours]
        assert carrying == sorted(carrying, reverse=True)
        assert sum(not has for has in carrying) <= 1
        assert all(near.title for near in one.neighbours)


def test_of_an_exclusive_group_one_label_speaks(release, training_set):
    policy = Policy(exclusive=(training_set.names,))
    for labels in release.tag(training_set.issues, policy):
        assert sum(one.decision != "abstain" for one in labels) <= 1


def test_a_target_that_nothing_keeps_applies_nothing(release, training_set):
    strict = Policy(default_precision=0.999)
    decided = [
        one.decision for labels in release.tag(training_set.issues, strict) for one in labels
    ]
    assert "apply" not in decided


def test_a_newly_labelled_issue_is_a_precedent_at_once(release, training_set):
    new = training_set.issues[0]
    assert not release.knows(9999)
    release.learn(9999, new, training_set.names[:1])
    assert release.knows(9999)
    (labels,) = release.tag([new])
    mine = next(one for one in labels if one.name == training_set.names[0])
    assert 9999 in {near.number for near in mine.neighbours}


def test_no_issue_is_its_own_precedent(release, training_set):
    (labels,) = release.tag(training_set.issues[:1])
    itself = training_set.numbers[0]
    assert any(near.number == itself for one in labels for near in one.neighbours)
    others = [near.number for one in labels for near in one.without(itself).neighbours]
    assert others
    assert itself not in others


def test_warming_up_asks_only_what_every_issue_asks(trained, resources, monkeypatch):
    chain = Release.open(trained[1], resources).chain
    asked = []
    for one in chain.learned_.cascade.members:
        score = one.strategy.score
        monkeypatch.setattr(
            one.strategy,
            "score",
            lambda issues, name=one.name, of=score: asked.append(name) or of(issues),
        )
    cascade = chain.learned_.cascade
    stages = (replace(cascade.stages[0], members=("linear", "knn")), *cascade.stages)
    for margin in (1.0, float("inf")):
        longer = replace(cascade, stages=stages, margins=(margin, *cascade.margins))
        chain.learned_ = replace(chain.learned_, cascade=longer)
        chain.warm_up()
    assert sorted(asked[:2]) == ["knn", "linear"]
    assert sorted(asked[2:]) == sorted(MEMBERS)


def test_an_issue_that_says_nothing_gets_no_label_and_no_precedent(release):
    issues = [IssueText.of("Test", "@maintainer"), IssueText.of("Crash on startup", "")]
    empty, real = release.tag(issues, Policy(default_precision=0.01))
    assert {label.decision for label in empty} == {"abstain"}
    assert all(label.says_nothing and not label.votes and not label.neighbours for label in empty)
    assert {label.name for label in empty} == set(release.names)
    assert not any(label.says_nothing for label in real)


def test_a_neighbour_no_nearer_than_chance_is_no_precedent(release, training_set):
    learned = release.chain.learned_
    alike = replace(learned.content, chance=0.999)
    release.chain.learned_ = replace(learned, content=alike)
    for label in release.tag([IssueText("Crash when saving twice")])[0]:
        assert not label.neighbours
    release.chain.learned_ = replace(learned, content=replace(alike, chance=None))
    assert any(label.neighbours for label in release.tag([IssueText("Crash when saving twice")])[0])


def test_texts_that_ask_for_no_label_belong_to_the_evidence(resources, training_set):
    train = replace(training_set, unlabelled=(), recent=())  # too few texts to know a word by
    chain = Chain(resources, members=MEMBERS).fit(train)
    assert len(chain.learned_.evidence[0].hits) == len(train) + len(train) // 20


def test_a_release_cleans_as_it_was_trained(trained, tmp_path, resources):
    shutil.copytree(trained[1], tmp_path / "old")
    stored = json.loads((tmp_path / "old" / "manifest.json").read_text())
    assert stored["cleaning"] == 2
    stored["cleaning"] = 1
    chain = tmp_path / "old" / "chain" / "chain.json"
    learned = json.loads(chain.read_text())
    learned["content"] = ContentCheck().as_json()
    chain.write_text(json.dumps(learned))
    stored["files"]["chain/chain.json"] = file_digest(chain)
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(stored))
    old = Release.open(tmp_path / "old", resources)
    assert old.manifest.cleaning == 1
    new = Release.open(trained[1], resources)
    issue = IssueText.of("Crash when saving", "It reads `<!--` and then crashes with an error.")
    first = IssueText.of("Crash when saving", "It reads `<!--` and then crashes.", cleaning=1)
    assert (
        scores(old, issue) == scores(old, first) == scores(new, IssueText(first.title, first.body))
    )
    assert scores(new, issue) != scores(old, issue)


def test_a_release_that_holds_more_than_is_asked_opens_and_says_the_same(
    trained, tmp_path, resources
):
    """As they were made at first: with naive Bayes' classifiers, and the maps of k and m."""
    shutil.copytree(trained[1], tmp_path / "old")
    manifest = json.loads((tmp_path / "old" / "manifest.json").read_text())
    classifiers = tmp_path / "old" / "chain" / "naive-bayes" / "classifiers.skops"
    classifiers.write_bytes(b"nobody reads this")
    examples = tmp_path / "old" / "chain" / "knn" / "examples.safetensors"
    maps = {"micro_f1_map": np.zeros((2, 2)), "macro_f1_map": np.zeros((2, 2))}
    save_arrays(examples, {**load_arrays(examples), **maps})
    for path in (classifiers, examples):
        manifest["files"][str(path.relative_to(tmp_path / "old"))] = file_digest(path)
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(manifest))
    issue = IssueText("Crash when saving")
    old, new = (Release.open(folder, resources) for folder in (tmp_path / "old", trained[1]))
    assert scores(old, issue) == scores(new, issue)


def scores(release, issue):
    """By label."""
    return {label.name: label.score for label in release.tag([issue])[0]}


def test_no_issue_is_no_answer(release):
    assert release.tag([]) == ()


def test_one_byte_flipped_is_refused_and_named(trained, tmp_path, resources):
    import shutil

    manifest, folder = trained
    for name in manifest.files:
        copy = tmp_path / name.replace("/", "_")
        shutil.copytree(folder, copy)
        path = copy / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(ReleaseDamaged, match="rollback"):
            Release.open(copy, resources)
        path.unlink()
        with pytest.raises(ReleaseDamaged, match="missing"):
            Release.open(copy, resources)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_broken_manifest_is_a_damaged_release(text, tmp_path, resources):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ReleaseDamaged, match=str(tmp_path)):
        Release.open(tmp_path, resources)


def test_a_repository_with_nothing_labelled_gets_a_release(tmp_path, resources, training_set):
    nothing = training_set.subset([])
    manifest = train_release(ReleaseOrder("o/n", tmp_path, NOW), nothing, resources)
    assert manifest.strategies == ("zero-shot",)
    release = Release.open(tmp_path / "o/n" / manifest.id, resources)
    decisions = [one.decision for row in release.tag(training_set.issues) for one in row]
    assert "apply" not in decisions
    assert "suggest" in decisions
    assert any("too few" in note for note in manifest.notes)
    assert np.isfinite([one.score for row in release.tag(training_set.issues) for one in row]).all()


def test_two_trainings_write_the_same_bytes(trained, tmp_path, resources, training_set):
    again = train_release(
        ReleaseOrder("owner/name", tmp_path, NOW), training_set, resources, MEMBERS
    )
    assert again.files == trained[0].files
    assert again.digest == trained[0].digest
