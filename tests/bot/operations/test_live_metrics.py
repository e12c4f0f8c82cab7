"""Live figures under `/metrics` and in `doctor`: what people said, pooled, seldom worked out."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fakes_bot import REPO

from bot.operations import live_metrics
from bot.operations.doctor_live import examine_live
from store.errors import StoreUnreachable
from store.records import (
    IssueRecord,
    LabelEvent,
    LabelRecord,
    PredictedLabel,
    PredictionRecord,
    ReleaseRecord,
)

if TYPE_CHECKING:
    from bot.container import Container

OTHER = "acme/secret"


def used(installation: Container, repo: str, *, right: int, wrong: int, start: int = 1) -> None:
    """Issues on which the bot set "bug", and where people left it or took it off."""
    now = installation.clock()
    numbers = range(start, start + right + wrong)
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(repo, now=now).id
        work.labels.upsert(repository, [LabelRecord("bug")], now=now)
        release = ReleaseRecord("r1", now, "r1", "digest", {"labels": ["bug"]})
        work.releases.add(repository, release)
        kept = range(start, start + right)
        work.issues.upsert(
            repository,
            [IssueRecord(n, f"bug {n}", "", ("bug",) if n in kept else (), now) for n in numbers],
        )
        label = PredictedLabel("bug", 0.9, 0.8, "apply", "words", action="set")
        for n in numbers:
            work.predictions.record(PredictionRecord(repository, n, "r1", now, "apply", (label,)))
        events = [
            LabelEvent(
                n,
                "bug",
                "added" if n in kept else "removed",
                now + timedelta(hours=1),
                "ada",
                "person",
                key=f"e{n}",
            )
            for n in numbers
        ]
        work.labels.record_events(repository, events)


def scrape(installation: Container) -> dict[str, float]:
    text = installation.metrics.exposition(installation.store, installation.clock()).decode()
    assert "acme" not in text
    lines = (one.rpartition(" ") for one in text.splitlines() if one[:1] != "#")
    return {
        name.removeprefix("issue_tagger_live_"): float(value)
        for name, _, value in lines
        if name.startswith("issue_tagger_live_")
    }


@pytest.fixture
def ready(installation, monkeypatch):
    monkeypatch.setattr(live_metrics, "PATIENCE_SECONDS", 60.0)
    installation.store.migrate()
    return installation


def test_answers_are_pooled_over_repositories_and_none_is_named(ready) -> None:
    assert scrape(ready) == {}
    used(ready, REPO, right=9, wrong=1)
    used(ready, OTHER, right=3, wrong=7)
    ready.clock.advance(hours=2)
    found = scrape(ready)
    assert found['precision{basis="seen",label="bug"}'] == pytest.approx(0.6)
    assert 0.6 < found['precision_high{label="bug"}'] < 0.9
    assert found['answers{figure="precision",label="bug"}'] == 20
    assert found['coverage{basis="seen",label="bug"}'] == 1.0
    assert found['miss_rate{basis="seen",label="bug"}'] == 0.0


def test_the_table_is_read_once_a_minute_at_most(ready) -> None:
    used(ready, REPO, right=9, wrong=1)
    before = scrape(ready)
    used(ready, REPO, right=10, wrong=0, start=100)
    ready.clock.advance(seconds=30)
    assert scrape(ready) == before
    ready.clock.advance(hours=1)
    assert scrape(ready)['answers{figure="precision",label="bug"}'] == 20


def test_after_the_clock_was_set_back_figures_go_on(ready) -> None:
    used(ready, REPO, right=9, wrong=1)
    ready.clock.advance(days=2)
    scrape(ready)
    ready.clock.advance(days=-1)
    used(ready, REPO, right=10, wrong=0, start=100)
    assert scrape(ready)['answers{figure="precision",label="bug"}'] == 20


def test_a_scrape_waits_for_nobody_and_works_out_nothing_twice(ready, monkeypatch) -> None:
    monkeypatch.setattr(live_metrics, "PATIENCE_SECONDS", 0.01)
    begun, go_on = [], threading.Event()

    def slowly(store, now):
        begun.append(now)
        assert go_on.wait(10)
        return ()

    monkeypatch.setattr("bot.evaluating.live_outcomes.live_gauges", slowly)
    assert scrape(ready) == scrape(ready) == {}
    assert len(begun) == 1
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "live figures":
            thread.join(10)


def test_figures_outlast_a_database_that_is_gone_for_a_moment(ready, monkeypatch) -> None:
    used(ready, REPO, right=9, wrong=1)
    before = scrape(ready)

    def gone(store, now):
        raise StoreUnreachable("gone")

    monkeypatch.setattr("bot.evaluating.live_outcomes.live_gauges", gone)
    ready.clock.advance(hours=1)
    assert scrape(ready) == before


def test_doctor_tells_precision_in_use_where_people_answered(ready) -> None:
    assert list(examine_live(ready)) == []
    used(ready, REPO, right=9, wrong=1)
    used(ready, OTHER, right=3, wrong=7)
    ready.clock.advance(hours=2)
    fine, low = sorted(examine_live(ready), key=lambda one: one.found)
    assert (fine.verdict, fine.advice) == ("ok", "")
    assert fine.found == f"{REPO}: precision and answers bug 0.90 (10)"
    assert low.verdict == "note"
    assert f"bug; issue-tagger report {OTHER}" in low.advice
