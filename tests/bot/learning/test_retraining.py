"""Retrain: held-out issues stay held out, and a worse release never serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hashed_words import HashedWords
from hypothesis import given
from hypothesis import strategies as some

from bot.errors import CommandRefused
from bot.learning.gating import ENOUGH_TO_HOLD_OUT, Retrained, part
from bot.learning.replaying import Replayed, replay
from bot.learning.retraining import RetrainRequest, retrain
from bot.learning.training_data import training_data
from bot.learning.workspace import Workspace
from bot.model_serving.release_archive import ReleaseArchive
from store.errors import NotStored
from store.records import IssueRecord
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from store.database import Store
    from store.records import StoredRelease

REPO = "octo/lab"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = {"bug": "crash error broken", "docs": "manual typo guide", "speed": "slow memory minute"}


class Lab:
    """A store with issues whose words say their label, and a folder for releases."""

    def __init__(self, store: Store, root: Path) -> None:
        self.store = store
        self.root = root
        self.now = NOW
        with store.begin() as work:
            self.id = work.repositories.get_or_create(REPO, now=NOW).id

    def file(self, numbers: Sequence[int], *, mislabelled: bool = False) -> None:
        names = list(WORDS)
        with self.store.begin() as work:
            issues = [self._issue(n, names[n % 3]) for n in numbers]
            wrong = {name: (names[place - 1],) for place, name in enumerate(names)}
            if mislabelled:
                issues = [replace(one, labels=wrong[one.labels[0]]) for one in issues]
            work.issues.upsert(self.id, issues)

    def file_pull_requests(self, numbers: Sequence[int]) -> None:
        names = list(WORDS)
        with self.store.begin() as work:
            issues = [self._issue(n, names[n % 3]) for n in numbers]
            work.issues.upsert(self.id, [replace(one, is_pull_request=True) for one in issues])

    def file_discussions(self, numbers: Sequence[int]) -> None:
        """Each label in a category of its own, by which alone it can be told."""
        names = list(WORDS)
        with self.store.begin() as work:
            issues = [
                replace(self._issue(n, names[n % 3]), title=f"thing {n}", category=names[n % 3])
                for n in numbers
            ]
            work.issues.upsert(self.id, issues)

    def retrain(self, repository: str = REPO, **options: Any) -> Retrained:
        self.now += timedelta(hours=1)
        resources = self.resources()
        workspace = Workspace(self.store, resources, ReleaseArchive(self.root), self.now)
        return retrain(workspace, RetrainRequest(repository, **options))

    def resources(self) -> Resources:
        encoder = HashedWords()
        return Resources(encoder=lambda: encoder, device="cpu")

    def folder_of(self, release: StoredRelease) -> Path:
        return self.root / release.location

    def releases(self) -> tuple[StoredRelease, ...]:
        with self.store.read() as work:
            return work.releases.list(self.id)

    def _issue(self, number: int, label: str) -> IssueRecord:
        words = WORDS[label].split()
        title = f"{words[number % 2]} {words[2]} number{number}"
        return IssueRecord(number, title, "", (label,), NOW + timedelta(minutes=number))


@pytest.fixture
def lab(store: Store, tmp_path: Path) -> Lab:
    return Lab(store, tmp_path / "releases")


def data_of(numbers: Sequence[int]) -> TrainingSet:
    return TrainingSet(
        (Label("bug"),),
        tuple(numbers),
        tuple(IssueText(f"issue {number}") for number in numbers),
        np.ones((len(numbers), 1), dtype=bool),
    )


@given(
    first=some.sets(some.integers(1, 5000), min_size=ENOUGH_TO_HOLD_OUT, max_size=600),
    more=some.sets(some.integers(1, 5000), max_size=200),
)
def test_what_is_held_out_once_is_never_learned_from_later(first: set[int], more: set[int]) -> None:
    before = part(data_of(sorted(first)), REPO)
    after = part(data_of(sorted(first | more)), REPO.upper())
    assert set(before.held_out.numbers) <= set(after.held_out.numbers)
    for parted in (before, after):
        assert not set(parted.held_out.numbers) & set(parted.learned.numbers)


def test_a_training_counts_the_duplicates_that_people_named(lab: Lab) -> None:
    lab.file(range(1, 40))
    with lab.store.begin() as work:
        work.advice.link(lab.id, 30, [3], NOW)
    lab.retrain(strategies=["naive-bayes"])
    with lab.store.read() as work:
        duplicates = work.repositories.get(REPO).duplicates
    assert duplicates is not None
    assert (duplicates["n_links"], duplicates["probability"]) == (1, None)


def test_a_renamed_repository_keeps_its_issues_for_the_gate(lab: Lab) -> None:
    lab.file(range(1, 401))
    first = lab.retrain()
    with lab.store.begin() as work:
        work.repositories.get_or_create(REPO, now=NOW, github_id=7)
        work.repositories.get_or_create("octo/elsewhere", now=NOW, github_id=7)
    again = lab.retrain(repository="octo/elsewhere")
    held_out = part(data_of(range(1, 401)), REPO).held_out.numbers
    compared = lab.releases()[0].provenance.replay
    assert (first.gate.n_issues, again.gate.n_issues) == (0, len(held_out))
    assert [number for number, _ in compared.issues] == list(held_out)


def test_a_renamed_label_is_the_same_label_to_the_gate(lab: Lab) -> None:
    lab.file(range(1, 401))
    lab.retrain()
    with lab.store.begin() as work:
        work.labels.rename(lab.id, "bug", "kind: bug")
    again = lab.retrain()
    micro = again.gate.to_json()["figures"][0]
    assert micro["active"] == pytest.approx(micro["new"], abs=0.05)
    replayed = replay(
        lab.store,
        lab.folder_of,
        lab.resources(),
        REPO,
        again.manifest.id,
    )
    assert replayed.same


def test_about_a_tenth_is_held_out_and_of_few_issues_none() -> None:
    assert 60 <= len(part(data_of(range(1, 1001)), REPO).held_out) <= 140
    few = part(data_of(range(1, ENOUGH_TO_HOLD_OUT)), REPO)
    assert (len(few.learned), len(few.held_out)) == (ENOUGH_TO_HOLD_OUT - 1, 0)


def test_the_first_release_serves_and_lies_where_it_says(lab: Lab) -> None:
    lab.file(range(1, 61))
    done = lab.retrain()
    assert done.promoted
    assert done.gate.reason == "no release is active yet"
    stored = lab.releases()[0]
    assert (stored.id, stored.state) == (done.manifest.id, "active")
    assert (lab.root / stored.location / "manifest.json").is_file()
    assert {row.name: row.examples for row in done.manifest.labels} == dict.fromkeys(WORDS, 20)


def test_a_release_that_is_not_worse_takes_over(lab: Lab) -> None:
    lab.file(range(1, 301))
    lab.retrain()
    done = lab.retrain(seed=1)
    assert done.promoted
    assert done.gate.n_issues == len(part(data_of(range(1, 301)), REPO).held_out)
    assert [one.state for one in lab.releases()] == ["active", "retired"]


def test_a_worse_release_is_refused_and_the_gate_is_kept(lab: Lab) -> None:
    lab.file(range(1, 301))
    first = lab.retrain()
    lab.file(part(data_of(range(1, 301)), REPO).learned.numbers, mislabelled=True)
    worse = lab.retrain()
    assert not worse.promoted
    assert "worse than the active release" in worse.gate.reason
    refused, active = lab.releases()
    assert (refused.state, active.state, active.id) == ("refused", "active", first.manifest.id)
    assert refused.gate == worse.gate
    assert refused.gate_reason == worse.gate.reason


def test_a_decision_is_replayed_as_it_was_whatever_people_changed_since(
    lab: Lab,
) -> None:
    lab.file(range(1, 301))
    lab.retrain()
    lab.file(part(data_of(range(1, 301)), REPO).learned.numbers, mislabelled=True)
    worse = lab.retrain()
    lab.file(part(data_of(range(1, 301)), REPO).held_out.numbers, mislabelled=True)
    encoder = HashedWords()
    resources = Resources(encoder=lambda: encoder, device="cpu")

    def again(release: str) -> Replayed:
        return replay(
            lab.store,
            lambda one: lab.root / one.location,
            resources,
            REPO,
            release,
        )

    found = again(worse.manifest.id)
    assert found.same
    assert not found.now.promote
    assert found.now == worse.gate
    assert found.as_json()["against"] == lab.releases()[1].id
    then = replace(found.then, figures=found.then.figures[:2])  # before the Brier score was one
    assert replace(found, then=then).same
    with pytest.raises(CommandRefused, match="no release is active yet"):
        again(lab.releases()[1].id)


def test_without_promotion_a_release_waits(lab: Lab) -> None:
    lab.file(range(1, 61))
    done = lab.retrain(promote=False)
    assert not done.promoted
    assert [one.state for one in lab.releases()] == ["staged"]


def test_issues_that_the_active_release_learned_from_do_not_judge(lab: Lab) -> None:
    lab.file(range(1, 151))
    lab.retrain()
    lab.file(range(151, 401))
    done = lab.retrain()
    held_out = part(data_of(range(1, 401)), REPO).held_out.numbers
    assert done.gate.n_issues == sum(number > 150 for number in held_out)


def test_with_few_issues_the_new_release_serves_and_says_why(lab: Lab) -> None:
    lab.file(range(1, 61))
    lab.retrain()
    lab.file(range(61, 91))
    done = lab.retrain()
    assert done.promoted
    assert "no held-out issues yet" in done.gate.reason


def test_a_damaged_active_release_is_replaced(lab: Lab) -> None:
    lab.file(range(1, 301))
    lab.retrain()
    (lab.root / lab.releases()[0].location / "manifest.json").unlink()
    done = lab.retrain()
    assert done.promoted
    assert "cannot be compared with" in done.gate.reason


def test_two_trainings_within_one_second_are_two_releases(lab: Lab) -> None:
    lab.file(range(1, 31))
    ids = set()
    for _ in range(3):
        lab.now = NOW
        ids.add(lab.retrain().manifest.id)
    assert len(ids) == 3


def test_pull_requests_have_a_release_of_their_own(lab: Lab) -> None:
    lab.file(range(1, 40))
    lab.file_pull_requests(range(101, 140))
    of_issues = lab.retrain()
    of_pull_requests = lab.retrain(target="pull_requests")
    assert of_issues.promoted
    assert of_pull_requests.promoted
    assert of_pull_requests.gate.reason == "no release is active yet"
    with lab.store.read() as work:
        active = {
            target: work.releases.active(lab.id, target) for target in ("issues", "pull_requests")
        }
    assert active["issues"].id == of_issues.manifest.id
    assert active["pull_requests"].id == of_pull_requests.manifest.id
    assert set(active["issues"].provenance.learned_from) == set(range(1, 40))
    assert set(active["pull_requests"].provenance.learned_from) == set(range(101, 140))


def test_discussions_have_a_release_of_their_own_and_are_read_by_category(lab: Lab) -> None:
    lab.file(range(1, 40))
    lab.file_discussions(range(101, 140))
    of_issues, of_discussions = lab.retrain(), lab.retrain(target="discussions")
    assert of_issues.promoted
    assert of_discussions.promoted
    with lab.store.read() as work:
        learned = work.releases.active(lab.id, "discussions").provenance.learned_from
        assert set(learned) == set(range(101, 140))
        assert set(work.releases.active(lab.id).provenance.learned_from) == set(range(1, 40))
    data = training_data(lab.store, REPO, target="discussions")
    assert {issue.body for issue in data.issues} == set(WORDS)


def test_a_rollback_stays_with_its_kind(lab: Lab) -> None:
    lab.file(range(1, 40))
    lab.file_pull_requests(range(101, 140))
    first, second = lab.retrain(), lab.retrain(seed=1)
    other = lab.retrain(target="pull_requests")
    assert second.promoted
    with lab.store.begin() as work:
        assert work.releases.rollback(lab.id, lab.now).id == first.manifest.id
        assert work.releases.active(lab.id, "pull_requests").id == other.manifest.id
        with pytest.raises(NotStored):
            work.releases.rollback(lab.id, lab.now, target="pull_requests")
