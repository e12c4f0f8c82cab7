"""Predictions: every label of every decision, once for a delivery."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from store.errors import NotStored
from store.records import (
    DeliveryRecord,
    IssueRecord,
    PredictedLabel,
    PredictionRecord,
    ReleaseRecord,
)

if TYPE_CHECKING:
    from datetime import datetime

    from store.database import Store
    from store.records import Repository

BUG = PredictedLabel(
    name="bug",
    score=0.93,
    cut=0.71,
    decision="apply",
    decided_by="knn",
    votes={"knn": 0.95, "naive-bayes": 0.8},
    neighbours=({"number": 7, "title": "Crash", "labels": ["bug"], "similarity": 0.9},),
)
DOCS = PredictedLabel("docs", 0.2, 0.6, "abstain", "naive-bayes", drawn="audit")


@pytest.fixture
def prediction(any_store: Store, repository: Repository, now: datetime) -> PredictionRecord:
    """A prediction ready to be recorded: its issue, release and delivery are stored."""
    with any_store.begin() as work:
        work.issues.upsert(
            repository.id, [IssueRecord(n, f"Issue {n}", "", (), now) for n in (1, 2)]
        )
        work.releases.add(repository.id, ReleaseRecord("r1", now, "data/releases/r1", "abc", {}))
        work.inbox.accept(DeliveryRecord("g1", "issues", {}, now))
        claim = work.inbox.claim("w", timedelta(minutes=1), now)
    assert claim is not None
    return PredictionRecord(repository.id, 1, "r1", now, "apply", (DOCS, BUG), claim.id)


def test_a_prediction_comes_back_with_labels_by_score(
    any_store: Store, repository: Repository, prediction: PredictionRecord
):
    with any_store.begin() as work:
        assert work.predictions.record(prediction)
        stored = work.predictions.latest(repository.id, 1)
    assert stored is not None
    assert stored.labels == (BUG, DOCS)
    assert (stored.release, stored.mode, stored.at) == ("r1", "apply", prediction.at)
    assert stored.delivery_id == prediction.delivery_id


def test_a_delivery_has_one_prediction_and_keeps_the_first(
    any_store: Store, prediction: PredictionRecord
):
    assert prediction.delivery_id is not None
    with any_store.begin() as work:
        assert work.predictions.record(prediction)
        assert not work.predictions.record(replace(prediction, mode="shadow"))
        assert work.predictions.count() == 1
        (stored,) = work.predictions.list(prediction.repository_id)
    assert stored.mode == "apply"
    assert len(stored.labels) == 2


def test_predictions_without_a_delivery_add_up(
    any_store: Store, repository: Repository, prediction: PredictionRecord, now: datetime
):
    loose = replace(prediction, delivery_id=None)
    with any_store.begin() as work:
        for hours in range(3):
            at = now + timedelta(hours=hours)
            assert work.predictions.record(replace(loose, at=at, number=1 + hours % 2))
        assert work.predictions.count(repository.id) == 3

        def hours_of(**narrowed: object) -> list[float]:
            listed = work.predictions.list(repository.id, **narrowed)
            return [(one.at - now) / timedelta(hours=1) for one in listed]

        assert hours_of() == [2, 1, 0]
        assert hours_of(number=1) == [2, 0]
        assert hours_of(since=now + timedelta(hours=1)) == [2, 1]
        assert hours_of(limit=1) == [2]
        assert work.predictions.latest(repository.id, 3) is None


def test_scores_may_come_from_numpy(
    any_store: Store, repository: Repository, prediction: PredictionRecord
):
    score = np.float32(0.5)
    label = PredictedLabel("bug", score, score, "apply", "knn", {"knn": score})  # type: ignore[arg-type]
    with any_store.begin() as work:
        work.predictions.record(replace(prediction, labels=(label,)))
        stored = work.predictions.latest(repository.id, 1)
    assert stored is not None
    assert stored.labels[0].votes == {"knn": 0.5}


def test_what_a_prediction_speaks_of_must_be_stored(any_store: Store, prediction: PredictionRecord):
    with any_store.begin() as work:
        with pytest.raises(NotStored, match="#9"):
            work.predictions.record(replace(prediction, number=9))
        with pytest.raises(NotStored, match="r9"):
            work.predictions.record(replace(prediction, release="r9"))


def test_a_repository_goes_with_all_that_hangs_on_it(
    any_store: Store, repository: Repository, prediction: PredictionRecord, now: datetime
):
    with any_store.begin() as work:
        work.predictions.record(prediction)
        run = work.writes.open_run(repository.id, "webhook", now)
        work.writes.intend(run.id, 1, ["bug"], now)
        work.writes.open_run(repository.id, "undo", now, undoes=run.id)
        work.releases.promote(repository.id, "r1", now)
        assert work.repositories.delete("acme/rocket")
        assert not work.repositories.delete("acme/rocket")
        assert work.predictions.count() == 0
        assert work.writes.list(run_id=run.id) == ()
        assert work.releases.list(repository.id) == ()
