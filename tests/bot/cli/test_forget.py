"""What is forgotten is in no file any more: database, log, releases, reports."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fakes_cli import REPO, Terminal, issue_file, row, sixty
from words_on_disk import files_with

from bot.container import build
from bot.erasure.issue_erasing import sweep
from bot.model_serving.release_archive import ReleaseArchive
from bot.process.settings import load_settings
from bot.receiving.deliveries import keep, understand
from store.database import Store
from tagger.releases.erasing import vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = 61
GITHUB_ID = 987654321
WORDS = ("wolpertinger", "zwiebelfisch", "geheimniskraemer")
TEXT = "Wolpertinger crash error", "Zwiebelfisch error; my password is geheimniskraemer broken"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def secret() -> dict[str, Any]:
    title, body = TEXT
    return row(SECRET, "bug", title=title, body=body, id=GITHUB_ID)


def payload(action: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "repository": {"full_name": REPO}, "issue": secret(), **more}


@pytest.fixture(scope="module")
def full_folder(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Path:
    """A data folder that holds the words wherever words are kept; to be copied."""
    from bot.learning.retraining import RetrainRequest, retrain
    from bot.repositories.importing import ImportRequest, import_files

    folder, aside = tmp_path_factory.mktemp("full"), tmp_path_factory.mktemp("aside")
    installation = build(load_settings(data_dir=folder, encoder=str(encoder_folder), device="cpu"))
    store = installation.store
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.container.to_tune", lambda *_: None)
        patch.setattr("bot.container.to_entail", lambda *_: None)
        store.migrate()
        import_files(store, REPO, ImportRequest([issue_file(aside, *sixty(), secret())]), now=NOW)
        workspace = replace(installation.workspace(), now=NOW)
        retrain(workspace, RetrainRequest(REPO))
    receive(store, "g-1", "issues", payload("opened"))
    unreadable = {**secret(), "number": "sixty-one"}
    receive(store, "g-2", "issues", {**payload("edited"), "issue": unreadable})
    installation.close()
    name_it_as_precedent(folder)
    report = folder / "reports" / REPO / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text(f"<td>#{SECRET}</td><td>{TEXT[0]}</td>", "utf-8")
    (report.parent / "report.json").write_text('{"n_test": 61}', "utf-8")
    left = folder / "releases" / REPO / ".unfinished" / "step"
    left.mkdir(parents=True)
    (left / "words.json").write_text(f'{{"words": ["{WORDS[0]}"]}}', "utf-8")
    return folder


def receive(store: Store, guid: str, event: str, told: dict[str, Any]) -> None:
    with store.begin() as work:
        keep(work, understand(guid, event, told, NOW), None)


def name_it_as_precedent(folder: Path) -> None:
    from store.records import PredictedLabel, PredictionRecord

    near = {"number": SECRET, "title": TEXT[0], "labels": ["bug"], "similarity": 0.9}
    label = PredictedLabel("bug", 0.9, 0.8, "apply", "knn", {"knn": 0.9}, (near,))
    with database(folder) as store, store.begin() as work:
        repository = work.repositories.get(REPO)
        release = work.releases.active(repository.id)
        work.predictions.record(
            PredictionRecord(repository.id, 1, release.id, NOW, "shadow", (label,))
        )


def database(folder: Path) -> Store:
    return Store(f"sqlite:///{folder / 'issue-tagger.sqlite3'}")


def kept_vectors(store: Store, texts: list[tuple[str, str]]) -> int:
    with store.read() as work:
        encoders = work.vectors.count()
        return sum(len(work.vectors.get(encoder, vectors_of(texts))) for encoder in encoders)


@pytest.fixture
def full(full_folder: Path, data_dir: Path) -> Path:
    shutil.copytree(full_folder, data_dir)
    assert {name.rpartition("/")[2] for name in files_with(WORDS, data_dir)} >= {
        "issue-tagger.sqlite3", "titles.json", "words.json", "report.html",
    }  # fmt: skip
    return data_dir


@pytest.fixture
def served(full: Path) -> Iterator[Store]:
    """The database held open meanwhile, as by a service: its write-ahead log stays."""
    with database(full) as store:
        with store.read() as work:
            work.repositories.all()
        yield store


def test_an_issue_that_is_forgotten_is_in_no_file(
    terminal: Terminal, full: Path, served: Store
) -> None:
    done = terminal("forget", "--repository", REPO, "--issue", SECRET, "--yes", "--json").document
    assert done["erased"] == {
        "issues": 1, "deliveries": 0, "payloads": 2, "vectors": 0, "precedents": 1, "releases": 1,
        "reports": 1,
    }  # fmt: skip
    assert files_with(WORDS, full) == set()
    assert (full / "reports" / REPO / "report.json").exists()
    tagged = terminal("tag", REPO, 1, "--json")
    assert tagged.document["issues"][0]["number"] == 1, tagged.err
    again = terminal("import", issue_file(full.parent, secret()), "--repo", REPO, "--json").document
    assert (again["new"], again["unchanged"]) == (0, 1)
    assert files_with(WORDS, full) == set()


def test_a_deleted_issue_is_in_no_file_once_its_task_has_run(full: Path, served: Store) -> None:
    receive(served, "g-3", "issues", payload("deleted"))
    assert {name.partition("/")[0] for name in files_with(WORDS, full)} >= {"releases", "reports"}
    installation = build(load_settings())
    with served.read() as work:
        repository = work.repositories.get(REPO)
        assert work.tasks.find("erase", repository.id) is not None
        assert work.issues.find(repository.id, SECRET) is None
    sweep(installation, repository)
    installation.close()
    assert files_with(WORDS, full) == set()
    receive(served, "g-4", "issues", payload("labeled", label={"name": "bug"}))
    receive(served, "g-5", "issue_comment", payload("created", comment={"id": 1, "body": WORDS[1]}))
    receive(served, "g-6", "milestone", payload("edited"))
    with served.read() as work:
        assert work.issues.find(repository.id, SECRET) is None
        assert work.inbox.find("g-4").state == "ignored"
    assert files_with(WORDS, full) == set()


def test_it_goes_from_where_releases_lie_for_all_machines(
    terminal: Terminal, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setenv("ISSUE_TAGGER_RELEASES_URL", f"file://{shared}")
    installation = build(load_settings())
    with installation.store.read() as work:
        record = work.releases.active(work.repositories.get(REPO).id)
    installation.archive.keep(record.location)
    assert files_with(WORDS, shared)
    done = terminal("forget", "--repository", REPO, "--issue", SECRET, "--yes")
    assert "1 releases" in done.out
    assert files_with(WORDS, tmp_path) == set()
    another = ReleaseArchive(tmp_path / "another machine", installation.archive.url)
    shutil.copytree(full / "releases" / REPO, another.folder / REPO)
    old = (another.folder / f"{record.location}.2").rename(another.folder / record.location)
    with installation.store.read() as work:
        anew = work.releases.active(record.repository_id)
    assert (anew.id, anew.location) == (record.id, f"{record.location}.2")
    assert another.fetch(anew.location, anew.digest).is_dir()
    assert not old.exists()  # what is fetched takes the place of what it was before
    assert terminal("forget", "--repository", REPO, "--yes").status == 0
    assert not [path for path in shared.rglob("*") if path.is_file()]
    installation.close()


def test_a_repository_that_is_forgotten_leaves_nothing(
    terminal: Terminal, full: Path, served: Store
) -> None:
    texts = [(one["title"], one["body"]) for one in (*sixty(), secret())]
    assert kept_vectors(served, texts) > 40
    done = terminal("forget", "--repository", REPO, "--yes")
    assert done.out.startswith(f"{REPO} erased: 61 issues, 1 deliveries")
    words = [*WORDS, REPO, "hello", "in part"]
    assert files_with(words, full) == set()
    assert not list((full / "releases" / REPO.partition("/")[0]).rglob("*/*"))
    with served.read() as work:
        assert work.repositories.all() == ()
    assert kept_vectors(served, texts) == 0
    again = terminal("forget", "--repository", REPO, "--yes")
    assert (again.status, "sync" in again.err) == (1, True)


def test_nothing_is_erased_without_a_yes(terminal: Terminal, full: Path) -> None:
    refused = terminal("forget", "--repository", REPO)
    assert (refused.status, "say --yes" in refused.err) == (1, True)
    assert terminal("forget", "--issue", 3, "--yes").status == 2
    unknown = terminal("forget", "--repository", REPO, "--issue", 4711, "--yes")
    assert (unknown.status, "#4711" in unknown.err) == (1, True)
    with database(full) as store, store.read() as work:
        assert work.issues.count(work.repositories.get(REPO).id) == 61


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_files_are_made_for_their_owner_alone(
    full_folder: Path, data_dir: Path, tmp_path: Path
) -> None:
    """Each file that a command makes, and each folder, whatever umask it was started under."""
    file = issue_file(tmp_path, *sixty())
    evaluation = ("evaluate", REPO, "--strategies", "naive-bayes", "--slices", "8", "--seeds", "1")
    commands = [("import", str(file), "--repo", REPO), ("retrain", REPO), evaluation]
    with database(data_dir) as holding:  # so that the write-ahead log is there to be looked at
        for command in commands:
            script = "import os; os.umask(0); from bot.cli import main; main()"
            subprocess.run([sys.executable, "-c", script, *command], check=True, timeout=300)
            holding.ping()
        with holding.begin() as work:
            work.repositories.get_or_create("a/b", now=NOW)
        made = [data_dir, *data_dir.rglob("*")]
        shared = {path.name for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert shared == set()
    names = {path.name for path in made}
    assert names >= {"issue-tagger.sqlite3", "issue-tagger.sqlite3-wal", "manifest.json"}
    assert names >= {"report.html", "titles.json", "issue-tagger.sqlite3-shm"}
