"""Releases: one serves, and a rollback finds the one before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from store.errors import NotStored
from store.records import ComparedOn, ReleaseProvenance, ReleaseRecord
from store.releases import _stack
from store.tables import ReleaseRow
from tagger.monitoring.gate import GateDecision, GateFigure, GateLabel
from tagger.statistics.bootstrap import Comparison, Interval

if TYPE_CHECKING:
    from datetime import datetime

    from store.database import Store
    from store.records import Repository


@pytest.fixture
def releases(any_store: Store, repository: Repository, now: datetime) -> None:
    """Releases A, B and C, staged an hour apart."""
    with any_store.begin() as work:
        for hours, name in enumerate("ABC"):
            at = now + timedelta(hours=hours)
            record = ReleaseRecord(name, at, f"releases/{name}", f"digest-{name}", {"seed": hours})
            work.releases.add(repository.id, record)


def active(store: Store, repository: Repository) -> str | None:
    with store.read() as work:
        release = work.releases.active(repository.id)
    return None if release is None else release.id


def promote(store: Store, repository: Repository, name: str, now: datetime) -> None:
    with store.begin() as work:
        work.releases.promote(repository.id, name, now)


@pytest.mark.usefixtures("releases")
def test_releases_are_staged_and_listed_from_the_newest(any_store: Store, repository: Repository):
    assert active(any_store, repository) is None
    with any_store.read() as work:
        listed = work.releases.list(repository.id)
        assert [(one.id, one.state) for one in listed] == [(n, "staged") for n in "CBA"]
        one = work.releases.get(repository.id, "B")
    assert (one.location, one.digest, one.manifest) == ("releases/B", "digest-B", {"seed": 1})
    assert one.gate is None


@pytest.mark.usefixtures("releases")
def test_one_release_serves_at_a_time(any_store: Store, repository: Repository, now: datetime):
    promote(any_store, repository, "A", now)
    promote(any_store, repository, "B", now)
    with any_store.read() as work:
        states = {one.id: one.state for one in work.releases.list(repository.id)}
    assert states == {"A": "retired", "B": "active", "C": "staged"}


@pytest.mark.usefixtures("releases")
def test_the_database_allows_no_second_active_release(
    any_store: Store, repository: Repository, now: datetime
):
    promote(any_store, repository, "A", now)
    both_active = update(ReleaseRow).values(state="active")
    with pytest.raises(Exception, match=r"(?i)unique"), any_store.begin() as work:
        work._session.execute(both_active)


@pytest.mark.usefixtures("releases")
def test_rolling_back_goes_through_all_that_served(
    any_store: Store, repository: Repository, now: datetime
):
    for name in "ABC":
        promote(any_store, repository, name, now)
    for expected in "BA":
        with any_store.begin() as work:
            assert work.releases.rollback(repository.id, now).id == expected
        assert active(any_store, repository) == expected
    with pytest.raises(NotStored, match="promote chooses one"), any_store.begin() as work:
        work.releases.rollback(repository.id, now)
    assert active(any_store, repository) == "A"


@pytest.mark.usefixtures("releases")
def test_promoting_after_a_rollback_begins_from_there(
    any_store: Store, repository: Repository, now: datetime
):
    for name in "AB":
        promote(any_store, repository, name, now)
    with any_store.begin() as work:
        work.releases.rollback(repository.id, now)
    promote(any_store, repository, "C", now)
    with any_store.begin() as work:
        assert work.releases.rollback(repository.id, now).id == "A"


@pytest.mark.usefixtures("releases")
def test_promoting_the_one_that_serves_changes_nothing(
    any_store: Store, repository: Repository, now: datetime
):
    for name in "ABB":
        promote(any_store, repository, name, now)
    with any_store.begin() as work:
        assert work.releases.rollback(repository.id, now).id == "A"


def test_decision_and_provenance_stay_with_the_release(
    any_store: Store, repository: Repository, now: datetime
):
    comparison = Comparison(Interval(0.01, -0.02, 0.03), 0.4)
    figure = GateFigure("micro_f1", 0.8, 0.79, comparison, worse=False)
    gate = GateDecision(True, "not worse", 2, (figure,), (GateLabel("bug", 1, 0.5, 0.25),))
    compared = ComparedOn("A", ("bug", "docs"), {"bugs": "bug"}, ((3, (0, 1)), (4, ())))
    provenance = ReleaseProvenance((1, 2), 2, 17, compared)
    record = ReleaseRecord("B", now, "x", "y", {}, gate, provenance)
    with any_store.begin() as work:
        work.releases.add(repository.id, record)
    with any_store.read() as work:
        stored = work.releases.get(repository.id, "B")
    assert (stored.gate, stored.gate_reason) == (gate, "not worse")
    assert stored.provenance == provenance


@pytest.mark.usefixtures("releases")
def test_adding_a_release_again_keeps_its_state(
    any_store: Store, repository: Repository, now: datetime
):
    promote(any_store, repository, "A", now)
    with any_store.begin() as work:
        moved = ReleaseRecord("A", now, "s3://bucket/A", "digest-A", {})
        assert work.releases.add(repository.id, moved).state == "active"
        assert work.releases.get(repository.id, "A").location == "s3://bucket/A"
        assert len(work.releases.list(repository.id)) == 3


def test_two_repositories_may_name_their_releases_alike(
    any_store: Store, repository: Repository, now: datetime
):
    record = ReleaseRecord("A", now, "x", "y", {})
    with any_store.begin() as work:
        other = work.repositories.get_or_create("acme/other", now=now)
        for one in (repository, other):
            work.releases.add(one.id, record)
            work.releases.promote(one.id, "A", now)
    assert active(any_store, repository) == active(any_store, other) == "A"


def test_an_unknown_release_is_named(any_store: Store, repository: Repository, now: datetime):
    with any_store.begin() as work:
        with pytest.raises(NotStored, match="release Z"):
            work.releases.promote(repository.id, "Z", now)
        with pytest.raises(NotStored, match="release Z"):
            work.releases.get(repository.id, "Z")


@given(st.lists(st.sampled_from("ABC"), min_size=1), st.data())
def test_every_rollback_takes_one_promotion_back(promoted: list[str], data: st.DataObject):
    history = [("promote", name) for name in promoted]
    back = data.draw(st.integers(0, len(promoted) - 1))
    history += [("rollback", "")] * back
    assert _stack(history) == promoted[: len(promoted) - back]
