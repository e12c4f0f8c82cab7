"""What is no export is called by its shape, and the command that is named helps: it is run here."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_exports import ISSUES, REPO, event, gh, lines, payload, rest, table
from made_refusals import NO_TIME, REFUSED, ROWS
from test_export_shapes import table_rows

from bot.errors import CommandRefused
from bot.exports import parquet_rows
from bot.exports.refusals import ExportRefused
from bot.repositories.importing import ImportRequest, import_files

if TYPE_CHECKING:
    from store.database import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HAVE_COMMANDS = ("bzip2", "xz", "tar", "iconv")

GH = f"""#!{sys.executable}
import json, sys
asked = sys.argv[1:]
if asked == ["api", "--paginate", "repos/{REPO}/issues?state=all&per_page=100"]:
    print({json.dumps([*map(rest, ISSUES)])!r})
elif asked[:8] == ["issue", "list", "--repo", "{REPO}", "--state", "all", "--limit", "1000000"]:
    issues = json.loads({json.dumps([*map(gh, ISSUES)])!r})
    wanted = asked[9].split(",")
    print(json.dumps([{{k: v for k, v in issue.items() if k in wanted}} for issue in issues]))
else:
    sys.exit("gh was asked for " + " ".join(asked))
"""
SOFFICE = f"""#!{sys.executable}
import pathlib, sys
_, headless, convert, kind, outdir, folder, file = sys.argv
made = pathlib.Path(folder) / (pathlib.Path(file).stem + ".csv")
made.write_text({table({n: n for n in ("number", "title", "created_at")})!r}, newline="")
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which gh and office are simulators, and our command is this one's."""
    folder = tmp_path_factory.mktemp("tools")
    ours = f'#!/bin/sh\nexec "{sys.executable}" -m bot.cli "$@"\n'
    python = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    scripts = {"gh": GH, "soffice": SOFFICE, "issue-tagger": ours, "python3": python}
    for name, script in scripts.items():
        file = folder / name
        file.write_text(script, encoding="utf-8")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ISSUE_TAGGER_")}
    root = str(Path(__file__).parents[3])
    wide = {"COLUMNS": "1000"}  # a command that breaks in a long temporary path cannot be copied
    return {**environment, **wide, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": root}


def refusal(store: Store, path: Path) -> ExportRefused:
    with pytest.raises(ExportRefused) as refused:
        import_files(store, REPO, ImportRequest([path]), now=NOW)
    return refused.value


def run(command: str, tools: dict[str, str], folder: Path) -> str:
    """What the command printed.

    It is skipped, visibly, where a program that it names is not installed.
    """
    for name in HAVE_COMMANDS:
        if re.search(rf"\b{name}\b", command) and not shutil.which(name):
            pytest.skip(f"{name} is not installed")
    environment = {**tools, "ISSUE_TAGGER_DATA_DIR": str(folder / "data")}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, cwd=folder, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named_and_its_command_makes_what_is_read(
    store: Store, tmp_path: Path, tools: dict[str, str], name: str
) -> None:
    refused = REFUSED[name]
    path = tmp_path / "it's a `folder`" / refused.name
    path.parent.mkdir()
    path.write_bytes(refused.content)
    error = refusal(store, path)
    assert re.search(refused.seen, error.seen), error
    assert error.command in str(error)
    printed = run(error.command, tools, path.parent)
    if not refused.made:
        assert f"{REPO}: 3 new" in printed
        return
    made = f"{path}{refused.made}" if refused.made.startswith(".") else path.parent / refused.made
    done = import_files(store, REPO, ImportRequest([Path(made)]), now=NOW)
    assert (done.bad, done.issues.new > 0) == (0, True)


def test_the_document_lists_what_is_refused() -> None:
    assert [name for name, _ in table_rows("what it is instead")] == list(REFUSED)


def test_compressed_files_are_unpacked_by_the_command_as_well(
    store: Store, tmp_path: Path, tools: dict[str, str]
) -> None:
    import gzip

    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(REFUSED["YAML"].content))
    run(refusal(store, path).command, tools, tmp_path)
    assert import_files(store, REPO, ImportRequest([Path(f"{path}.json")]), now=NOW).issues.new == 3


def test_columns_are_for_tables(store: Store, tmp_path: Path, tools: dict[str, str]) -> None:
    path = tmp_path / "issues.jsonl"
    path.write_bytes(ROWS)
    with pytest.raises(ExportRefused, match="JSON, which has no columns") as refused:
        import_files(store, REPO, ImportRequest([path], columns={"title": "Subject"}), now=NOW)
    assert "3 new" in run(refused.value.command, tools, tmp_path)


def test_a_column_that_is_not_there_is_named(
    store: Store, tmp_path: Path, tools: dict[str, str]
) -> None:
    path = tmp_path / "issues.csv"
    names = {"number": "number", "title": "Subject", "created_at": "created"}
    path.write_text(table(names), encoding="utf-8")
    with pytest.raises(ExportRefused, match="of which none is called subject") as refused:
        import_files(store, REPO, ImportRequest([path], columns={"title": "subject"}), now=NOW)
    assert (
        "'--column=title=Subject'" in refused.value.command.replace("--column", "'--column") + "'"
    )
    assert "3 new" in run(refused.value.command, tools, tmp_path)


def test_parquet_without_pyarrow_says_what_to_install(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "issues.parquet"
    path.write_bytes(parquet_rows.MAGIC + b"and more")
    error = refusal(store, path)
    assert error.seen == "a Parquet file, and pyarrow is not installed"
    assert error.command.startswith("python3 -m pip install pyarrow && issue-tagger import ")


def test_damaged_parquet_is_refused(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    path = tmp_path / "issues.parquet"
    path.write_bytes(parquet_rows.MAGIC + b"and more")
    assert "a damaged Parquet file" in refusal(store, path).seen


def test_json_that_breaks_off_says_where_and_keeps_what_came_before(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "issues.json"
    path.write_text(json.dumps([*map(rest, ISSUES)], indent=1)[:-200], encoding="utf-8")
    with pytest.raises(CommandRefused, match=r"line \d+: the file ends within a value.*is stored"):
        import_files(store, REPO, ImportRequest([path]), now=NOW)
    with store.read() as work:
        assert work.issues.numbers(work.repositories.get(REPO).id) == (1, 2)


def test_what_holds_no_row_that_can_be_used_is_refused_by_the_command(
    tmp_path: Path, tools: dict[str, str]
) -> None:
    path = tmp_path / "issues.json"
    rows = [{k: v for k, v in gh(issue).items() if k in NO_TIME} for issue in ISSUES]
    path.write_text(json.dumps(rows), encoding="utf-8")
    error = ended(path, tools, tmp_path)
    assert "none of the 3 rows is an issue" in error
    [command] = re.findall(r"readable: `(.*)`", error)
    run(command, tools, tmp_path)
    assert "3 new" in run(f"issue-tagger import {path}.json --repo {REPO}", tools, tmp_path)


@pytest.mark.parametrize("made", [payload, lambda issue: event(rest(issue))], ids=["hook", "event"])
def test_issues_of_another_repository_are_not_taken_for_this_ones(
    tmp_path: Path, tools: dict[str, str], made: object
) -> None:
    path = tmp_path / "issues.json"
    path.write_text(lines(map(made, ISSUES)), encoding="utf-8")  # type: ignore[arg-type]
    error = ended(path, tools, tmp_path, "octo/other")
    assert f"all of other repositories, most of {REPO}" in error
    [command] = re.findall(r"readable: `(.*)`", error)
    assert f"{REPO}: 3 new" in run(command, tools, tmp_path)


def ended(path: Path, tools: dict[str, str], folder: Path, repository: str = REPO) -> str:
    """What `import` says of a file that it refuses."""
    done = subprocess.run(
        ["issue-tagger", "import", str(path), "--repo", repository],
        env={**tools, "ISSUE_TAGGER_DATA_DIR": str(folder / "data")},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr
