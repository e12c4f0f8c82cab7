"""An issue is taken out of a release, which goes on serving."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tagger.domain.issue import IssueText
from tagger.encoders.nearest_neighbours import NeighbourIndex
from tagger.errors import ReleaseDamaged
from tagger.releases.erasing import (
    _changes,
    digest,
    digests_of,
    vectors_of,
    without,
    words_in,
    words_to_erase,
)
from tagger.releases.release import Release, ReleaseOrder, check_files, train_release
from tagger.strategies.in_context import ARRAYS, TEXTS, InContext

MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")
TEXT = "Wolpertinger crash", "The zwiebelfisch-driver crashes on startup"


@pytest.fixture(scope="module")
def training_set_with_it(training_set):
    from dataclasses import replace

    return replace(
        training_set,
        numbers=(*training_set.numbers, 4711),
        issues=(*training_set.issues, IssueText.of(*TEXT)),
        targets=np.concatenate([training_set.targets, training_set.targets[:1]]),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, resources, training_set_with_it):
    root, now = tmp_path_factory.mktemp("releases"), datetime(2026, 1, 2, tzinfo=UTC)
    order = ReleaseOrder("owner/name", root, now)
    manifest = train_release(order, training_set_with_it, resources, MEMBERS)
    return root / "owner/name" / manifest.id


def others(training_set) -> list[str]:
    return [issue.full for issue in training_set.issues]


def content(folder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_words_and_title_are_gone_and_it_serves_on(
    folder, tmp_path, resources, training_set
) -> None:
    before = content(folder)
    assert b"wolpertinger" in before
    assert b"Wolpertinger crash" in before
    words = words_to_erase([folder], digests_of([TEXT]), others(training_set))
    assert words >= {"wolpertinger", "zwiebelfisch"}
    assert "crash" not in words
    manifest = without(folder, tmp_path / "anew", {4711}, words)
    after = content(tmp_path / "anew")
    assert b"olpertinger" not in after
    assert b"zwiebelfisch" not in after
    assert content(folder) == before  # who has it open goes on reading it
    check_files(tmp_path / "anew", manifest.files)
    old, new = Release.open(folder, resources), Release.open(tmp_path / "anew", resources)
    assert not new.knows(4711)
    assert (manifest.id, manifest.labels) == (old.manifest.id, old.manifest.labels)
    assert manifest.digest != old.manifest.digest
    for decision in new.tag(training_set.issues[:5])[0]:
        assert 4711 not in [near.number for near in decision.neighbours]
    assert len(new.tag([IssueText.of(*TEXT)])[0]) == len(training_set.names)


def test_texts_that_are_shown_to_a_language_model_go_as_well(
    tmp_path, resources, training_set, training_set_with_it
) -> None:
    chain = tmp_path / "release/chain/in-context"
    chain.mkdir(parents=True)
    InContext(resources).fit(training_set_with_it).save(chain)
    (tmp_path / "release/chain/chain.json").write_text("{}")
    for file in ("titles.json", "manifest.json"):
        (tmp_path / "release" / file).write_text("{}")
    changes = dict(_changes(tmp_path / "release", {4711}, set()))
    assert set(changes) == {f"chain/in-context/{name}" for name in (TEXTS, ARRAYS)}
    for name, write in changes.items():
        write(tmp_path / "release" / name)
    assert b"olpertinger" not in content(tmp_path / "release")
    restored = InContext(resources).restore(chain)
    assert restored.numbers_ == training_set.numbers
    assert len(restored.texts_) == len(restored.vectors_) == len(training_set)
    assert restored.score(training_set.issues[:2]).shape == (2, 3)


def test_once_erased_there_is_nothing_to_erase(folder, tmp_path, training_set) -> None:
    words = words_to_erase([folder], digests_of([TEXT]), others(training_set))
    without(folder, tmp_path / "anew", {4711}, words)
    assert words_to_erase([tmp_path / "anew"], digests_of([TEXT]), others(training_set)) == set()
    assert without(tmp_path / "anew", tmp_path / "again", {4711}, words) is None
    assert not (tmp_path / "again").exists()


def test_a_release_that_cannot_be_read_says_so(tmp_path) -> None:
    with pytest.raises(ReleaseDamaged):
        without(tmp_path, tmp_path / "anew", {1}, {"a"})


def test_digests_stand_for_words_pairs_and_hyphened_words() -> None:
    assert {"my", "secret", "my secret", "key-word"} <= set(words_in("My secret key-word"))
    assert digest("secret") in digests_of([("My secret", "")])
    assert all(len(one) == 16 for one in digests_of([TEXT]))
    assert len(vectors_of([TEXT, TEXT])) in {1, 2}


@pytest.mark.parametrize("exact_limit", [1000, 20])
def test_rows_leave_an_index_of_either_kind(exact_limit) -> None:
    vectors = np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = NeighbourIndex(16, exact_limit=exact_limit).add(vectors)
    left = index.without({0, 7})
    assert (len(left), left.exact) == (298, index.exact)
    assert left.search(vectors[8:9], 1).rows[0, 0] == 6
    assert left.search(vectors[7:8], 1).similarities[0, 0] < 0.99
    assert len(left.without(set(range(298)))) == 0
