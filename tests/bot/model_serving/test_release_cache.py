"""The cache: which release serves now, and which stay in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from fakes_bot import FakeReleases
from hypothesis import given
from hypothesis import strategies as some

from bot.model_serving.batch_scoring import Scoring
from bot.model_serving.lru import ReleaseLru, resident_bytes
from bot.model_serving.release_cache import ReleaseCache
from bot.process import memory as freed_memory
from tagger.domain.decision import Policy
from tagger.domain.issue import IssueText
from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from pathlib import Path

    from store.database import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = 100_000_000
"""Larger than what the tests' process may grow by between two readings."""


@pytest.fixture(autouse=True)
def _quickly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for circles among all that the tests hold would take minutes."""
    if "memory_goes_back" not in request.node.name:
        monkeypatch.setattr(freed_memory.gc, "collect", lambda: 0)


@given(
    bound=some.integers(1, 20),
    sizes=some.lists(some.integers(1, 12), min_size=1, max_size=6),
    asked=some.lists(some.integers(0, 5), max_size=30),
)
def test_the_bound_holds_and_the_latest_is_always_there(
    bound: int, sizes: list[int], asked: list[int]
) -> None:
    memory: ReleaseLru[int] = ReleaseLru(bound * PAGE)
    for goal in asked:
        repository = goal % len(sizes)
        size = sizes[repository] * PAGE
        if memory.get(repository) is None:
            memory.load(repository, size, lambda one=repository: one)  # type: ignore[misc]
        assert memory.values[-1] == repository
        assert memory.size <= max(bound * PAGE, size)


def test_the_least_recently_used_goes_first() -> None:
    memory: ReleaseLru[str] = ReleaseLru(2 * PAGE)
    for repository, name in ((1, "a"), (2, "b")):
        memory.load(repository, PAGE, lambda name=name: name)  # type: ignore[misc]
    assert memory.get(1) == "a"
    memory.load(3, PAGE, lambda: "c")
    assert memory.values == ("a", "c")
    assert memory.get(2) is None


def test_room_is_made_before_the_loading() -> None:
    memory: ReleaseLru[str] = ReleaseLru(PAGE)
    memory.load(1, PAGE, lambda: "a")
    assert memory.load(2, PAGE, lambda: f"beside {memory.size} bytes") == "beside 0 bytes"


def test_what_cannot_be_loaded_leaves_what_was_there() -> None:
    memory: ReleaseLru[str] = ReleaseLru(2 * PAGE)
    memory.load(1, PAGE, lambda: "a")

    def broken() -> str:
        raise OSError("a file is missing")

    with pytest.raises(OSError, match="missing"):
        memory.load(1, PAGE, broken)
    assert memory.get(1) == "a"


def test_a_release_that_grows_the_process_counts_for_what_it_takes() -> None:
    if not resident_bytes():
        pytest.skip("this system does not say how much memory a process holds")
    memory: ReleaseLru[bytearray] = ReleaseLru(10 * PAGE)
    memory.load(1, 1, lambda: bytearray(b"x" * PAGE))
    assert memory.size > PAGE // 2


class Circle:
    """Much memory in pieces that glibc keeps when they are freed, held by a circle."""

    def __init__(self) -> None:
        self.own = self
        self.pieces = [bytes(60_000) + bytes([n % 256]) for n in range(PAGE // 60_000)]
        self.last = bytes(60_000)  # what lies above keeps the heap from shrinking by itself


def test_of_what_is_unloaded_memory_goes_back_to_the_system() -> None:
    if not resident_bytes() or freed_memory._malloc_trim() is None:
        pytest.skip("this system does not say how much memory a process holds, or has no glibc")
    memory: ReleaseLru[Circle] = ReleaseLru(10 * PAGE)
    memory.load(1, 1, Circle)
    above = [bytes(60_000) for _ in range(100)]
    held = resident_bytes()
    memory.drop(1)
    assert resident_bytes() < held - PAGE // 2
    assert above


def test_memory_goes_back_that_only_the_loading_needed() -> None:
    if not resident_bytes() or freed_memory._malloc_trim() is None:
        pytest.skip("this system does not say how much memory a process holds, or has no glibc")
    memory: ReleaseLru[bytes] = ReleaseLru(10 * PAGE)

    def load() -> bytes:
        Circle()
        return bytes(1000)

    memory.load(1, 1, load)
    assert memory.size < PAGE // 2


@pytest.mark.parametrize("without", [AttributeError, OSError, TypeError])
def test_where_there_is_no_glibc_nothing_is_trimmed(
    monkeypatch: pytest.MonkeyPatch, without: type[Exception]
) -> None:
    def library(_: object) -> None:
        raise without

    monkeypatch.setattr(freed_memory.ctypes, "CDLL", library)
    monkeypatch.setattr(freed_memory, "_malloc_trim", freed_memory._malloc_trim.__wrapped__)
    freed_memory.trim()


def shelf_of(store: Store, releases: FakeReleases, folder: Path, memory: int) -> ReleaseCache:
    return ReleaseCache(store, releases, folder, memory)


def stored(store: Store, releases: FakeReleases, folder: Path, name: str, size: int) -> int:
    """A repository with a release of so many bytes that serves."""
    releases.promote(store, name, ["bug"], NOW, f"acme/{name}")
    (folder / name).mkdir(parents=True)
    with (folder / name / "weights").open("wb") as file:
        file.truncate(size)
    with store.read() as work:
        return work.repositories.get(f"acme/{name}").id


def test_the_shelf_keeps_what_fits_into_its_memory(store: Store, tmp_path: Path) -> None:
    releases = FakeReleases()
    ids = [stored(store, releases, tmp_path, name, 4 * PAGE) for name in "abc"]
    cache = shelf_of(store, releases, tmp_path, 9 * PAGE)
    for position in (0, 1, 0, 2):
        found = cache.active(ids[position])
        assert found is not None
        assert found.id == "abc"[position]
    assert cache.loaded == ("a", "c")
    assert releases.opened == ["a", "b", "c"]
    assert cache.active(ids[1]) is not None
    assert cache.loaded == ("c", "b")


def test_a_hundred_repositories_take_turns(store: Store, tmp_path: Path) -> None:
    releases = FakeReleases()
    ids = [stored(store, releases, tmp_path, f"r{n}", PAGE) for n in range(100)]
    cache = shelf_of(store, releases, tmp_path, 7 * PAGE)
    for repository_id in (*ids, *ids[:3]):
        assert cache.active(repository_id) is not None
    assert cache.loaded == ("r96", "r97", "r98", "r99", "r0", "r1", "r2")


def test_a_promotion_is_noticed_and_the_old_release_leaves(store: Store, tmp_path: Path) -> None:
    releases = FakeReleases()
    repository_id = stored(store, releases, tmp_path, "a", 1)
    cache = shelf_of(store, releases, tmp_path, PAGE)
    assert cache.active(repository_id) is not None
    releases.promote(store, "newer", ["bug"], NOW, "acme/a")
    (tmp_path / "newer").mkdir()
    found = cache.active(repository_id)
    assert found is not None
    assert found.id == "newer"
    assert cache.loaded == ("newer",)


@pytest.mark.anyio
async def test_a_release_whose_files_go_while_it_serves_gives_way_to_the_one_before(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    releases = FakeReleases()
    repository_id = stored(store, releases, tmp_path, "a", 1)
    newer = releases.promote(store, "newer", ["bug"], NOW, "acme/a")
    (tmp_path / "newer").mkdir()
    cache = shelf_of(store, releases, tmp_path, PAGE)
    serving = cache.active(repository_id)
    assert serving is not None

    def gone(_: str) -> None:
        raise ReleaseDamaged(tmp_path / "newer", "model.safetensors is missing")

    newer.before_tagging = gone
    with pytest.raises(ReleaseDamaged):
        await Scoring().tag(serving, IssueText("a bug"), Policy())
    releases.damaged.add("newer")
    found = cache.active(repository_id)
    assert found is not None
    assert found.id == "a"
    assert "an earlier one stands in" in caplog.text
