"""Releases for many machines: uploaded, fetched once, checked, and what happens when they break."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from fakes_bot import WordRelease

from bot.errors import SettingsInvalid
from bot.model_serving.release_archive import ReleaseArchive
from bot.model_serving.release_cache import ReleaseCache
from store.records import ReleaseRecord
from tagger.errors import ReleaseDamaged
from tagger.releases.release import FORMAT, Manifest, check_files, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, tzinfo=UTC)
REPO = "acme/rocket"


@pytest.fixture
def url() -> str:
    import fsspec

    files = fsspec.filesystem("memory")
    for path in files.find("/"):
        files.rm(path)
    return "memory://releases"


def trained(folder: Path, name: str) -> Manifest:
    """A release's folder, of two small files."""
    where = folder / REPO / name
    (where / "chain").mkdir(parents=True)
    (where / "chain" / "weights").write_text(f"weights of {name}")
    (where / "titles.json").write_text("{}")
    files = {
        path.relative_to(where).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in where.rglob("*")
        if path.is_file()
    }
    made = Manifest(name, REPO, NOW, (), (), 0, 0.9, 0, "f", {}, {}, (), files)
    assert made.as_json()["format"] == FORMAT
    (where / "manifest.json").write_text(json.dumps(made.as_json()))
    return made


def opened(folder: Path) -> WordRelease:
    check_files(folder, read_manifest(folder).files)
    return WordRelease([folder.name])


def location(name: str) -> str:
    return f"{REPO}/{name}"


@pytest.fixture
def machines(tmp_path: Path, url: str) -> tuple[ReleaseArchive, ReleaseArchive]:
    return ReleaseArchive(tmp_path / "one", url), ReleaseArchive(tmp_path / "two", url)


def test_what_one_machine_trained_another_fetches_once(machines) -> None:
    one, two = machines
    made = trained(one.folder, "r1")
    one.keep(location("r1"))
    fetched = two.fetch(location("r1"), made.digest)
    assert (fetched / "chain" / "weights").read_text() == "weights of r1"
    assert [path.name for path in fetched.parent.iterdir()] == ["r1"]
    gone = ReleaseArchive(two.folder, "memory://elsewhere")
    assert gone.fetch(location("r1"), made.digest) == fetched


def test_without_a_location_the_folder_is_all_there_is(tmp_path) -> None:
    archive = ReleaseArchive(tmp_path)
    archive.keep(location("r1"))
    assert archive.fetch(location("r1"), "any") == tmp_path / REPO / "r1"
    with pytest.raises(ReleaseDamaged, match="no other copy"):
        archive.fetch_again(location("r1"), "any")


def test_a_folder_may_be_the_location(tmp_path) -> None:
    one = ReleaseArchive(tmp_path / "one", str(tmp_path / "shared"))
    made = trained(one.folder, "r1")
    one.keep(location("r1"))
    two = ReleaseArchive(tmp_path / "two", f"file://{tmp_path}/shared")
    assert two.fetch(location("r1"), made.digest).is_dir()


def test_what_is_not_what_was_promoted_is_refused(machines, url) -> None:
    one, two = machines
    made = trained(one.folder, "r1")
    one.keep(location("r1"))
    with pytest.raises(ReleaseDamaged, match="another release of that name"):
        two.fetch(location("r1"), "0" * 64)
    (one.folder / REPO / "r1" / "chain" / "weights").write_text("changed")
    one.keep(location("r1"))
    with pytest.raises(ReleaseDamaged, match="weights has changed"):
        two.fetch(location("r1"), made.digest)
    with pytest.raises(ReleaseDamaged, match="cannot be fetched from memory://releases"):
        two.fetch(location("r2"), made.digest)
    assert list((two.folder / REPO).iterdir()) == []


def test_a_manifest_cannot_name_files_outside(machines) -> None:
    one, two = machines
    made = trained(one.folder, "r1")
    where = one.folder / REPO / "r1"
    evil = replace(made, files={"../../../evil": "0" * 64})
    (where / "manifest.json").write_text(json.dumps(evil.as_json()))
    one.keep(location("r1"))
    with pytest.raises(ReleaseDamaged, match="outside of it"):
        two.fetch(location("r1"), evil.digest)


def test_an_upload_that_broke_off_is_no_release(machines, monkeypatch) -> None:
    one, two = machines
    made = trained(one.folder, "r1")
    put, calls = one._files.put_file, []

    def breaking(source: str, target: str) -> None:
        calls.append(target)
        if len(calls) == 3:
            raise ConnectionError("the line is dead")
        put(source, target)

    monkeypatch.setattr(type(one._files), "put_file", lambda _, *given: breaking(*given))
    with pytest.raises(ReleaseDamaged, match="the line is dead; check ISSUE_TAGGER_RELEASES_URL"):
        one.keep(location("r1"))
    assert calls[-1].endswith("manifest.json")
    with pytest.raises(ReleaseDamaged, match=r"manifest\.json cannot be fetched"):
        two.fetch(location("r1"), made.digest)


def test_a_location_of_an_unknown_kind_is_named(tmp_path) -> None:
    with pytest.raises(SettingsInvalid, match="ISSUE_TAGGER_RELEASES_URL"):
        ReleaseArchive(tmp_path, "gopher://x/y").fetch("r", "d")


class Shelved:
    """Two releases promoted, one after the other, and the cache of a second machine."""

    def __init__(self, store, machines) -> None:
        self.one, self.two = machines
        self.store = store
        with store.begin() as work:
            self.repository = work.repositories.get_or_create(REPO, now=NOW).id
        for place, name in enumerate(("r1", "r2")):
            self.serve(name, NOW + timedelta(hours=place))
        self.cache = ReleaseCache(store, opened, self.two)

    def serve(self, name: str, at: datetime) -> None:
        made = trained(self.one.folder, name)
        self.one.keep(location(name))
        record = ReleaseRecord(name, at, location(name), made.digest, {})
        with self.store.begin() as work:
            work.releases.add(self.repository, record)
            work.releases.promote(self.repository, name, at)

    def active(self) -> str:
        found = self.cache.active(self.repository)
        assert found is not None
        assert found.release.names == (found.id,)
        return found.id


@pytest.fixture
def cached(store, machines) -> Shelved:
    return Shelved(store, machines)


def test_a_damaged_copy_here_is_fetched_again(cached) -> None:
    here = cached.two.folder / REPO / "r2"
    cached.two.fetch(location("r2"), read_manifest(cached.one.folder / REPO / "r2").digest)
    (here / "chain" / "weights").write_text("rotten")
    assert cached.active() == "r2"
    assert (here / "chain" / "weights").read_text() == "weights of r2"


def test_a_promotion_reaches_another_machine_between_two_jobs(cached) -> None:
    assert cached.active() == "r2"
    cached.serve("r3", NOW + timedelta(hours=3))
    assert cached.active() == "r3"


def test_where_no_copy_is_good_the_release_before_goes_on(cached, caplog, monkeypatch) -> None:
    cached.two._files.rm("/releases/acme/rocket/r2", recursive=True)
    assert cached.active() == "r1"
    assert "an earlier one stands in" in caplog.text
    caplog.clear()
    assert cached.active() == "r1"
    assert caplog.text == ""  # not with every delivery
    cached.one.keep(location("r2"))
    monkeypatch.setattr("bot.model_serving.release_cache.TRIED_AGAIN", 0.0)
    assert cached.active() == "r2"


def test_where_nothing_is_good_the_damage_is_told(cached) -> None:
    cached.two._files.rm("/releases", recursive=True)
    with pytest.raises(ReleaseDamaged, match=r"r2.*manifest\.json cannot be fetched"):
        cached.active()
    cached.one.keep(location("r1"))
    assert cached.active() == "r1"


def test_a_release_that_vanishes_from_this_machine_comes_back(cached) -> None:
    assert cached.active() == "r2"
    shutil.rmtree(cached.two.folder)
    fresh = ReleaseCache(cached.store, opened, cached.two)
    assert fresh.active(cached.repository).id == "r2"
