"""Retrain in stages: a release at once, a better one later, and nothing lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from test_retraining import NOW, REPO, Lab

from bot.learning.retraining import RetrainRequest, TrainingInterrupted, retrain
from bot.learning.workspace import Workspace
from bot.model_serving.release_archive import ReleaseArchive
from tagger.domain.strategy import silent
from tagger.strategies.naive_bayes import NaiveBayes

if TYPE_CHECKING:
    from pathlib import Path

    from bot.learning.gating import Retrained
    from store.database import Store
    from tagger.domain.strategy import Progress

CHEAP, DEAR = ("zero-shot", "linear"), ("naive-bayes", "knn")


class StagedLab(Lab):
    """A lab in which naive Bayes and the nearest neighbours count as dear."""

    def __init__(self, store: Store, root: Path) -> None:
        super().__init__(store, root)
        self.on_the_way: list[tuple[Retrained, str | None]] = []
        self.file(range(1, 301))

    def train(self, progress: Progress = silent, **options: Any) -> Retrained:
        self.now += timedelta(hours=1)
        resources = replace(self.resources(), progress=progress)
        workspace = Workspace(self.store, resources, ReleaseArchive(self.root), self.now)
        return retrain(workspace, RetrainRequest(REPO, **options), self._released)

    def _released(self, done: Retrained) -> None:
        self.on_the_way.append((done, self.active()))

    def active(self) -> str | None:
        with self.store.read() as work:
            active = work.releases.active(self.id)
        return None if active is None else active.id


@pytest.fixture
def lab(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StagedLab:
    monkeypatch.setattr("tagger.releases.staged_training.CHEAP", CHEAP)
    return StagedLab(store, tmp_path / "releases")


def stops_at(step: str) -> Progress:
    def progress(name: str, done: int, total: int) -> None:
        if name.startswith(step):
            raise KeyboardInterrupt

    return progress


def test_a_cheap_release_serves_before_the_dear_members_begin(lab: StagedLab) -> None:
    done = lab.train()
    (first, serving), (second, then_serving) = lab.on_the_way
    assert (first.manifest.strategies, first.to_come) == (CHEAP, DEAR)
    assert serving == first.manifest.id
    assert (second.manifest.strategies, second.to_come) == ((*CHEAP, DEAR[0]), DEAR[1:])
    assert then_serving == second.manifest.id
    assert (done.manifest.strategies, done.to_come) == ((*CHEAP, *DEAR), ())
    assert [stage.manifest.id for stage in done.stages] == [
        first.manifest.id,
        second.manifest.id,
        done.manifest.id,
    ]
    assert done.gate.n_issues > 0
    assert lab.active() == done.manifest.id
    assert not list(lab.root.rglob(".*"))


def test_time_that_is_up_leaves_what_is_finished_and_the_next_training_goes_on(
    lab: StagedLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = lab.train(within=timedelta(0))
    assert (done.manifest.strategies, done.promoted, done.to_come) == (CHEAP, True, DEAR)
    later = lab.train()
    assert [stage.manifest.strategies for stage in later.stages] == [
        (*CHEAP, DEAR[0]),
        (*CHEAP, *DEAR),
    ]
    assert later.to_come == ()
    assert len(lab.releases()) == 3


def test_ctrl_c_keeps_releases_and_finished_steps(
    lab: StagedLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingInterrupted) as ending:
        lab.train(stops_at("fitting knn"))
    stopped = ending.value
    assert [stage.manifest.strategies for stage in stopped.stages] == [CHEAP, (*CHEAP, DEAR[0])]
    assert stopped.to_come == DEAR[1:]
    assert stopped.n_finished > 0
    assert lab.active() == stopped.stages[-1].manifest.id
    with pytest.raises(TrainingInterrupted) as ending:
        lab.train(stops_at("fitting knn"))
    assert (ending.value.stages, ending.value.to_come) == ((), DEAR[1:])
    monkeypatch.setattr(NaiveBayes, "fit", lambda *_: pytest.fail("was fitted already"))
    done = lab.train()
    assert [stage.manifest.strategies for stage in done.stages] == [(*CHEAP, *DEAR)]


@pytest.mark.parametrize("step", ["reading issues", "fitting zero-shot"])
def test_ctrl_c_before_anything_is_finished_leaves_no_folder(lab: StagedLab, step: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        lab.train(stops_at(step))
    assert not lab.root.exists()
    assert lab.releases() == ()


def test_a_release_that_can_do_more_serves_until_the_new_one_can_as_well(lab: StagedLab) -> None:
    lab.train()
    lab.file(range(301, 331))
    done = lab.train()
    assert [stage.manifest.strategies for stage in done.stages] == [(*CHEAP, *DEAR)]


def test_one_that_is_not_to_serve_is_made_once(lab: StagedLab) -> None:
    done = lab.train(promote=False)
    assert len(done.stages) == len(lab.releases()) == 1
    assert not done.promoted


def test_with_nothing_to_compare_on_less_does_not_take_over(store: Store, tmp_path: Path) -> None:
    few = Lab(store, tmp_path / "releases")
    few.file(range(1, 61))
    whole = few.retrain()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tagger.releases.staged_training.CHEAP", CHEAP)
        done = few.retrain(within=timedelta(0))
    assert (done.promoted, done.manifest.strategies) == (False, CHEAP)
    assert [release.state for release in few.releases()] == ["staged", "active"]
    assert few.releases()[1].id == whole.manifest.id


def test_later_releases_are_named_after_their_own_time(lab: StagedLab) -> None:
    done = lab.train()
    made = [stage.manifest.created_at for stage in done.stages]
    assert made == sorted(set(made))
    assert made[0] == NOW + timedelta(hours=1)
