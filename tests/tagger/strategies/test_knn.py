"""Nearest neighbours: the vote, what stands behind it, and labels that count at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hand_made import LABELS

from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources
from tagger.encoders.nearest_neighbours import NearestRows
from tagger.errors import ModelRefused
from tagger.strategies.knn import NearestNeighbours, Vote, chapter_map, others, vote_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.encoders.encoder import Vectors


class Compass:
    """An encoder for issues titled by an angle in degrees: near angles, near issues."""

    width = 2
    identity = "compass:float32"

    def encode(self, texts: Sequence[str]) -> Vectors:
        angles = np.radians([float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def titled(angles: Sequence[float]) -> tuple[IssueText, ...]:
    return tuple(IssueText(str(angle)) for angle in angles)


def north_and_east() -> TrainingSet:
    """Labels by direction: around 0 degrees north, around 90 east, between them both."""
    angles = [0, 2, 4, 6, 8, 10, 80, 82, 84, 86, 88, 90, 44, 45, 46, 47]
    targets = np.array([[angle < 60, angle > 30] for angle in angles])
    labels = (Label("north"), Label("east"))
    return TrainingSet(labels, tuple(100 + n for n in range(16)), titled(angles), targets)


@pytest.fixture
def fitted() -> NearestNeighbours:
    return NearestNeighbours(Resources(encoder=Compass)).fit(north_and_east())


def test_neighbours_are_the_nearest_labelled_issues_with_number_and_labels(fitted):
    [near, other] = fitted.neighbours(titled([1.4, 45]), k=3)
    assert [each.number for each in near] == [101, 100, 102]
    assert near[0].labels == ("north",)
    assert near[0].similarity == pytest.approx(np.cos(np.radians(0.6)), abs=1e-5)
    assert {each.labels for each in other} == {("north", "east")}


def test_more_neighbours_than_issues_are_all_issues(fitted):
    [found] = fitted.neighbours(titled([0]), k=99)
    assert sorted(each.number for each in found) == list(range(100, 116))


def test_scores_follow_the_direction(fitted):
    scores = fitted.score(titled([3, 85, 45]))
    assert scores[0, 0] > scores[0, 1]
    assert scores[1, 1] > scores[1, 0]
    assert (scores[2] > 0.5).all()


def test_held_out_scores_do_not_see_the_issue_itself():
    """One of two opposite issues has the label: its only neighbour says no, and the other's yes."""
    train = TrainingSet((LABELS[0],), (1, 2), titled([0, 10]), np.array([[True], [False]]))
    knn = NearestNeighbours(Resources(encoder=Compass)).fit(train)
    assert knn.out_of_fold_[0, 0] < 0.5 < knn.out_of_fold_[1, 0]


class TestAdding:
    def test_a_new_issue_counts_at_once(self, fitted):
        before = fitted.score(titled([180]))[0, 1]
        fitted.add(200, IssueText("180"), ["east", "unheard of"])
        assert fitted.neighbours(titled([180]), k=1)[0][0].number == 200
        assert fitted.neighbours(titled([180]), k=1)[0][0].labels == ("east",)
        assert fitted.score(titled([180]))[0, 1] > before

    def test_a_known_issue_is_relabelled_and_not_doubled(self, fitted):
        fitted.add(100, IssueText("0"), ["east"])
        [found] = fitted.neighbours(titled([0]), k=99)
        assert len(found) == 16
        assert found[0].labels == ("east",)

    def test_the_first_example_wakes_a_label(self):
        train = north_and_east()
        train = replace(
            train,
            labels=(*train.labels, Label("south")),
            targets=np.column_stack([train.targets, np.zeros(16, dtype=bool)]),
        )
        knn = NearestNeighbours(Resources(encoder=Compass)).fit(train)
        assert np.ptp(knn.score(titled([0, 180]))[:, 2]) == 0
        knn.add(300, IssueText("180"), ["south"])
        north, south = knn.score(titled([0, 180]))[:, 2]
        assert south > north

    def test_what_was_added_is_saved(self, fitted, tmp_path):
        fitted.add(200, IssueText("180"), ["east"])
        fitted.save(tmp_path)
        restored = NearestNeighbours(fitted.resources).restore(tmp_path)
        assert restored.neighbours(titled([180]), k=1) == fitted.neighbours(titled([180]), k=1)


class TestEncoders:
    def test_of_another_space_are_refused(self, fitted, tmp_path):
        fitted.save(tmp_path)

        class Other(Compass):
            identity = "other:float32"

        restored = NearestNeighbours(Resources(encoder=Other)).restore(tmp_path)
        with pytest.raises(ModelRefused, match="other"):
            restored.score(titled([0]))

    def test_in_another_precision_serve(self, fitted, tmp_path):
        fitted.save(tmp_path)

        class Half(Compass):
            identity = "compass:bfloat16"

        restored = NearestNeighbours(Resources(encoder=Half)).restore(tmp_path)
        np.testing.assert_array_equal(
            restored.score(titled([0, 50])), fitted.score(titled([0, 50]))
        )


class TestVote:
    targets = np.array([[True], [False], [False]])
    share = np.array([0.25], dtype=np.float32)
    found = NearestRows(
        np.array([[0.9, 0.5, 0.1]], dtype=np.float32), np.array([[0, 1, 2]], dtype=np.int64)
    )

    def test_without_sharpness_counts_heads_and_the_share_once(self):
        scores = Vote(k=3, sharpness=0, usual=0.5).scores(self.found, self.targets, self.share)
        assert scores[0, 0] == pytest.approx((1 + 0.25) / (3 + 1))

    def test_sharper_hears_the_nearest_more(self):
        blunt, sharp = (
            Vote(3, sharpness, 0.5).scores(self.found, self.targets, self.share)[0, 0]
            for sharpness in (1, 10)
        )
        assert blunt < sharp

    def test_far_neighbours_leave_the_share(self):
        far = NearestRows(self.found.similarities - 1.8, self.found.rows)
        scores = Vote(3, 40, 0.9).scores(far, self.targets, self.share)
        assert scores[0, 0] == pytest.approx(0.25, abs=1e-6)

    @pytest.mark.parametrize("sharpness", [0.0, 8.0])
    def test_rows_not_found_have_no_voice(self, sharpness):
        similarities = np.array([[0.9, -np.inf, -np.inf]], dtype=np.float32)
        rows = np.array([[0, -1, -1]], dtype=np.int64)
        vote = Vote(3, sharpness, 0.9)
        scores = vote.scores(NearestRows(similarities, rows), self.targets, self.share)
        assert scores[0, 0] == pytest.approx((1 + 0.25) / 2)


def test_others_leave_out_the_row_itself_also_among_duplicates(fitted):
    vectors = Compass().encode(["5"] * 6 + ["50"])
    index = (
        NearestNeighbours(Resources(encoder=Compass))
        .fit(
            TrainingSet(
                (LABELS[0],), tuple(range(7)), titled([5] * 6 + [50]), np.eye(7, 1).astype(bool)
            )
        )
        .index_
    )
    found = others(index, vectors, np.arange(7), 3)
    assert found.rows.shape == (7, 3)
    assert not (found.rows == np.arange(7)[:, None]).any()


def test_the_chapters_map_holds_f1_of_at_least_m_of_k():
    found = NearestRows(np.ones((2, 2), dtype=np.float32), np.array([[1, 2], [0, 2]]))
    targets = np.array([[True, False], [True, False], [False, True]])
    micro = vote_map(found, targets, targets[:2])
    assert micro.shape == (2, 2)
    assert np.isnan(micro[0, 1])
    assert micro[0, 0] == pytest.approx(1)  # the nearest alone: right for both
    assert micro[1, 0] == pytest.approx(2 * 2 / (4 + 2))  # one of two: both labels given
    assert micro[1, 1] == pytest.approx(0)  # two of two: no label given


def test_the_map_is_of_the_training_issues():
    skill = chapter_map(Resources(encoder=Compass), north_and_east())
    assert skill.shape == (15, 15)
    assert np.nanmax(skill) > 0.9
