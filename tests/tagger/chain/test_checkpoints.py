"""A killed training goes on from its last finished step."""

import numpy as np
import pytest

from tagger.chain.chain import Chain
from tagger.chain.checkpoints import Checkpoints

MEMBERS = ("zero-shot", "linear", "knn")


def test_steps_are_done_once_and_forgotten_at_the_end(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return np.ones((2, 1), dtype=np.float32)

    checkpoints = Checkpoints(tmp_path / "steps", "data 1")
    first, again = checkpoints.scores("a", compute), checkpoints.scores("a", compute)
    assert first.tolist() == again.tolist()
    assert len(calls) == 1
    Checkpoints(tmp_path / "steps", "data 2").scores("a", compute)
    assert len(calls) == 2
    checkpoints.forget()
    assert not (tmp_path / "steps").exists()


def test_a_step_that_dies_leaves_nothing_behind(tmp_path):
    checkpoints = Checkpoints(tmp_path / "steps")

    def dies():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoints.scores("a", dies)
    assert checkpoints.scores("a", lambda: np.zeros((1, 1), dtype=np.float32)).shape == (1, 1)


def test_a_training_killed_after_some_members_ends_with_the_same_numbers(
    tmp_path, resources, training_set
):
    whole = Chain(resources, members=MEMBERS).fit(training_set).score(training_set.issues)
    checkpoints = Checkpoints(tmp_path / "steps")
    Chain(resources, members=MEMBERS[:2], checkpoints=checkpoints).fit(training_set)
    resumed = Chain(resources, members=MEMBERS, checkpoints=checkpoints).fit(training_set)
    np.testing.assert_array_equal(resumed.score(training_set.issues), whole)
