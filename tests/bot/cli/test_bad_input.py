"""Whatever comes in, a command says clearly what is wrong, and nothing that is stored is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes_cli import REPO, issue_file, row, sixty

if TYPE_CHECKING:
    from pathlib import Path

    from fakes_cli import Terminal

ODD_BODIES = [
    "",
    None,
    "x" * 1_000_000,
    "NUL \0 byte",
    "half \ud83d pair",
    "\x1b[31m",
    "👩\u200d🚀",
]


def bring_in(terminal: Terminal, folder: Path, *rows: dict[str, Any]) -> None:
    done = terminal("import", issue_file(folder, *rows), "--repo", REPO)
    assert done.status == 0, done.err


def test_odd_bodies_are_imported_learned_from_and_tagged(
    terminal: Terminal, tmp_path: Path
) -> None:
    odd = [row(100 + n, "bug", body=body) for n, body in enumerate(ODD_BODIES)]
    bring_in(terminal, tmp_path, *sixty(), *odd)
    assert terminal("retrain", REPO).status == 0
    done = terminal("tag", REPO, *range(100, 100 + len(odd)), "--json")
    assert [len(issue["labels"]) for issue in done.document["issues"]] == [3] * len(odd)


def test_a_repository_without_labels_is_told_how_to_get_them(
    terminal: Terminal, tmp_path: Path
) -> None:
    bring_in(terminal, tmp_path, row(1), row(2))
    done = terminal("retrain", REPO)
    assert (done.status, done.out) == (1, "")
    assert "octo/lab has no labels; bring them in" in done.err


def test_a_repository_without_issues_is_served_by_the_labels_wording(
    terminal: Terminal, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('[{"name": "bug", "description": "It fails"}, {"name": "docs"}]')
    empty = issue_file(tmp_path)
    assert terminal("import", empty, "--repo", REPO, "--labels", labels).status == 0
    trained = terminal("retrain", REPO, "--json")
    assert trained.status == 0, trained.err
    assert [one["examples"] for one in trained.document["manifest"]["labels"]] == [0, 0]
    done = terminal("tag", REPO, "--file", issue_file(tmp_path, row(9, "bug")), "--json")
    assert len(done.document["issues"][0]["labels"]) == 2


@pytest.mark.parametrize(
    "rows",
    [
        [row(n, "bug") for n in range(1, 40)],
        [row(n, *(("bug",) if n % 2 else ())) for n in range(1, 40)],
        [row(1, "bug"), row(2, "bug")],
        [row(1, "bug"), row(2, "docs")],
        [row(1, "bug")],
        [row(n, "bug", title="the same", body="words") for n in range(1, 40)],
        [row(n, "bug", "docs", title="", body="") for n in range(1, 40)],
    ],
    ids=[
        *("one label on all", "one label on half", "two examples of one", "two examples"),
        *("one example", "all the same", "no words at all"),
    ],
)
def test_little_or_odd_data_is_learned_from_all_the_same(
    terminal: Terminal, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    bring_in(terminal, tmp_path, *rows)
    trained = terminal("retrain", REPO, "--json")
    assert trained.status == 0, trained.err
    assert trained.document["promoted"]
    done = terminal("tag", REPO, 1, "--json")
    assert done.status == 0, done.err
    assert terminal("retrain", REPO).status == 0


def test_unknown_labels_are_refused_with_the_nearest_right_one(
    terminal: Terminal, trained: Path
) -> None:
    done = terminal("retrain", REPO, "--labels", "bug,dcos")
    assert (done.status, done.out) == (1, "")
    assert "has no label 'dcos'; did you mean 'docs'?" in done.err
    assert terminal("tag", REPO, 1).status == 0


def test_a_label_whose_name_holds_a_comma_is_named_in_quotes(
    terminal: Terminal, tmp_path: Path
) -> None:
    rows = [row(number, ("bug", "docs, all")[number % 2]) for number in range(1, 21)]
    terminal("import", issue_file(tmp_path, *rows), "--repo", REPO)
    done = terminal("retrain", REPO, "--labels", '"docs, all", bug', "--json")
    assert [one["name"] for one in done.document["manifest"]["labels"]] == ["docs, all", "bug"]
    for wrong in ('"docs, all', '"docs" all,bug'):
        refused = terminal("retrain", REPO, "--labels", wrong)
        assert (refused.status, refused.out) == (2, "")
        assert "whose quotes do not pair" in refused.err


def test_an_unknown_strategy_is_refused(terminal: Terminal, trained: Path) -> None:
    done = terminal("retrain", REPO, "--strategies", "knn,magic")
    assert done.status == 1
    assert "unknown strategy 'magic'" in done.err


def _release_folder(data_dir: Path) -> Path:
    return next((data_dir / "releases" / REPO).iterdir())


def _shorten(folder: Path) -> None:
    file = max((one for one in folder.rglob("*") if one.is_file()), key=lambda one: one.name)
    file.write_bytes(file.read_bytes()[:-1])


def _spoil_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


def _remove_a_file(folder: Path) -> None:
    next(folder.rglob("*.safetensors")).unlink()


def _remove_all(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("damage", [_shorten, _spoil_manifest, _remove_a_file, _remove_all])
def test_a_damaged_release_is_refused_and_retraining_repairs_it(
    terminal: Terminal, trained: Path, damage: Any
) -> None:
    folder = _release_folder(trained)
    damage(folder)
    done = terminal("tag", REPO, 1)
    assert (done.status, done.out) == (1, "")
    assert "is damaged" in done.err
    assert "retrain, or roll back" in done.err
    assert terminal("promote", REPO, folder.name).status == 1
    examined = terminal("doctor", "--json")
    found = {one["part"]: one["verdict"] for one in examined.document["findings"]}
    assert (examined.status, found["release"]) == (1, "wrong")
    assert terminal("retrain", REPO).status == 0
    assert terminal("tag", REPO, 1).status == 0


def test_a_database_that_is_none_is_named_and_left_alone(
    terminal: Terminal, data_dir: Path
) -> None:
    data_dir.mkdir()
    file = data_dir / "issue-tagger.sqlite3"
    file.write_bytes(b"this is a letter to my aunt" * 100)
    before = file.read_bytes()
    done = terminal("releases", REPO)
    assert done.status == 1
    assert str(file) in done.err
    assert file.read_bytes() == before


def test_a_data_folder_that_cannot_be_made_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ISSUE_TAGGER_DATA_DIR", str(tmp_path / "file" / "data"))
    done = terminal("releases", REPO)
    assert done.status == 1
    assert "ISSUE_TAGGER_DATA_DIR" in done.err
