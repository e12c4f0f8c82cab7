"""What each command prints, to which stream, and with which status it ends."""

from __future__ import annotations

import gzip
import json
import re
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import torch
from fakes_cli import REPO, issue_file, row, sixty

from bot.simulator.server import serving
from bot.simulator.state import GitHubState
from store.database import Store
from store.records import DeliveryRecord

if TYPE_CHECKING:
    from pathlib import Path

    from fakes_cli import Terminal


def test_import_says_what_is_new_and_the_second_time_that_nothing_is(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = issue_file(tmp_path, *sixty())
    first = terminal("import", file, "--repo", REPO)
    assert (first.status, first.out) == (
        0,
        f"{REPO}: 60 new, 0 changed, 0 unchanged; 3 labels new or changed; 0 bad rows skipped\n",
    )
    second = terminal("import", file, "--repo", REPO, "--json")
    assert second.document == {
        "repository": REPO,
        "new": 0,
        "changed": 0,
        "unchanged": 60,
        "labels": 0,
        "bad_rows": 0,
        "files": [
            {
                "file": str(file),
                "shape": "JSON lines of issues as GitHub's REST API lists them",
                "encoding": "UTF-8",
                "packing": "",
                "left_out": {},
                "nameless_labels": 0,
                "unlabelled": 0,
            }
        ],
    }


def test_import_names_bad_rows_on_stderr(terminal: Terminal, tmp_path: Path) -> None:
    file = issue_file(tmp_path, row(1), "{broken", row(2))
    done = terminal("import", file, "--repo", REPO, "--json")
    assert (done.status, done.document["new"], done.document["bad_rows"]) == (0, 2, 1)
    assert "skipped issues.jsonl:2: not JSON" in done.err
    strict = terminal("import", file, "--repo", REPO, "--strict")
    assert (strict.status, strict.out) == (1, "")
    assert "issue-tagger: issues.jsonl:2: not JSON" in strict.err


def test_import_refuses_a_file_without_a_single_issue(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "issues.jsonl"
    file.write_text('[{"number": 1}]\n[{"title": "x"}]\n')
    done = terminal("import", file, "--repo", REPO, "--json")
    assert done.status == 1
    assert "none of the 2 rows is an issue" in done.document["error"]
    assert "skipped issues.jsonl:1 (row 1): expected a number" in done.err
    assert "JSON arrays one after the other" in done.err
    assert "none of the 2 rows is an issue" in done.err
    assert f"`gh api --paginate 'repos/{REPO}/issues?state=all&per_page=100' > " in done.err


def test_import_says_which_shape_it_took_a_file_for(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "issues.csv"
    file.write_text("Key;Subject;Created at\n7;Crash;2026-01-02\n", encoding="utf-16")
    columns = ("--column", "number=Key", "--column", "title=Subject")
    done = terminal("import", file, "--repo", REPO, *columns)
    assert done.out.startswith(f"{REPO}: 1 new, ")
    assert (
        "issues.csv: a table with semicolons (CSV) (UTF-16 LE); "
        "1 issues without a list of labels count as having none\n"
    ) in done.err


def test_what_a_file_calls_its_columns_reaches_the_terminal_as_text(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "issues.csv"
    file.write_text("Key,\x1b]0;owned\x07\n7,Crash\n", encoding="utf-8")
    done = terminal("import", file, "--repo", REPO)
    assert (done.status, done.out) == (1, "")
    assert "a table with the columns Key,  ]0;owned " in done.err
    assert not {"\x1b", "\x07"} & set(done.err)


@pytest.mark.parametrize("number", [0, 10**30])
def test_tag_refuses_numbers_that_no_issue_has(
    terminal: Terminal, trained: Path, number: int
) -> None:
    done = terminal("tag", REPO, number)
    assert (done.status, done.out) == (2, "")
    assert "Invalid value for 'NUMBER'" in done.err


def test_import_takes_several_files(terminal: Terminal, tmp_path: Path) -> None:
    files = [issue_file(tmp_path, row(n), name=f"{n}.jsonl") for n in (1, 2)]
    packed = tmp_path / "3.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(row(3)).encode()))
    done = terminal("import", *files, packed, "--repo", REPO, "--json")
    assert done.document["new"] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("import",),
        ("import", "no-such-file", "--repo", REPO),
        ("import", __file__),
        ("import", __file__, "--repo", "no-slash"),
        ("import", __file__, "--repo", "../.."),
        ("import", __file__, "--repo", REPO, "--column", "title"),
        ("import", __file__, "--repo", REPO, "--column", "title="),
        ("import", __file__, "--repo", REPO, "--column", "colour=Red"),
        ("sync",),
        ("sync", "a/b/c"),
        ("sync", REPO, "--full", "--reconcile"),
        ("retrain", REPO, "--labels", " , "),
        ("retrain", REPO, "--seed", "-1"),
        ("tag", REPO),
        ("tag", REPO, "one"),
        ("tag", REPO, "1", "--file", __file__),
        ("evaluate", REPO, "--slices", "8,many"),
        ("evaluate", REPO, "--slices", ","),
        ("evaluate", REPO, "--slices", "9" * 5000),
        ("evaluate", REPO, "--split", "random"),
        ("evaluate", REPO, "--seeds", "0"),
        ("promote", REPO),
        ("serve", "--port", "70000"),
        ("demo", "--repo", REPO),
        ("no-such-command",),
        ("--no-such-option",),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_so_on_stderr(
    terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    done = terminal(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "Usage: issue-tagger" in done.err


@pytest.mark.parametrize("command", ["retrain", "releases", "rollback", "audit", "evaluate"])
def test_a_repository_that_is_not_there_is_refused(terminal: Terminal, command: str) -> None:
    done = terminal(command, "nobody/nothing")
    assert (done.status, done.out) == (1, "")
    assert "issue-tagger: no repository nobody/nothing in the database" in done.err
    assert "Traceback" not in done.err


def test_wrong_settings_are_named_and_refused(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISSUE_TAGGER_PORT", "many")
    monkeypatch.setenv("ISSUE_TAGGER_DEVICE", "abacus")
    done = terminal("releases", REPO)
    assert done.status == 1
    assert "ISSUE_TAGGER_PORT" in done.err
    assert "ISSUE_TAGGER_DEVICE" in done.err


def test_a_mistake_in_the_program_is_one_line_unless_debug_is_asked_for(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("a secret corner")

    monkeypatch.setattr("bot.container.build", broken)
    done = terminal("releases", REPO)
    assert done.status == 1
    assert "this should not have happened: RuntimeError: a secret corner" in done.err
    assert "Traceback" not in done.err
    with pytest.raises(RuntimeError, match="a secret corner"):
        terminal("--debug", "releases", REPO)


def test_tag_json_has_every_label_of_the_release_by_falling_score(
    terminal: Terminal, trained: Path
) -> None:
    done = terminal("tag", REPO, 1, 2, "--json")
    document = done.document
    assert (done.status, document["repository"]) == (0, REPO)
    assert [issue["number"] for issue in document["issues"]] == [1, 2]
    for issue in document["issues"]:
        scores = [label["score"] for label in issue["labels"]]
        assert {label["name"] for label in issue["labels"]} == {"bug", "docs", "speed"}
        assert scores == sorted(scores, reverse=True)
        for label in issue["labels"]:
            assert set(label) >= {"cut", "decision", "decided_by", "votes", "neighbours"}
            assert label["decision"] in {"apply", "suggest", "abstain"}


def test_tag_prints_the_same_twice(terminal: Terminal, trained: Path) -> None:
    once = terminal("tag", REPO, 3, 4, "--json")
    assert terminal("tag", REPO, 3, 4, "--json").out == once.out


def test_tag_reads_issues_from_a_file_that_need_not_be_stored(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    file = issue_file(tmp_path, row(900, "docs"), row(901, body=None, title="", labels=[]))
    done = terminal("tag", REPO, "--file", file, "--json")
    assert [issue["number"] for issue in done.document["issues"]] == [900, 901]
    assert terminal("tag", REPO, 900).status == 1


def test_tag_explains_in_words(terminal: Terminal, trained: Path) -> None:
    done = terminal("tag", REPO, 1, "--explain")
    assert done.status == 0
    assert done.out.startswith("#1 ")
    assert "less likely label" in done.out or "near misses" in done.out
    assert terminal("tag", REPO, 1, "--explain", "--all").out.count(" base ") == 3


def test_tag_asks_for_what_is_missing(terminal: Terminal, trained: Path, tmp_path: Path) -> None:
    unknown = terminal("tag", REPO, 1, 7000, 7001)
    assert (unknown.status, unknown.out) == (1, "")
    assert "#7000, #7001" in unknown.err
    broken = terminal("tag", REPO, "--file", issue_file(tmp_path, row(1), "{"))
    assert broken.status == 1
    assert "issues.jsonl:2: not JSON" in broken.err


def test_no_text_of_an_issue_reaches_the_terminal_as_a_command_to_it(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    nasty = "\x1b]0;owned\x07 crash \u202e\n#1 forged"
    done = terminal("tag", REPO, "--file", issue_file(tmp_path, row(5, title=nasty)))
    first = done.out.splitlines()[0]
    assert first.startswith("#5 ]0;owned crash #1 forged")
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out)


def test_releases_are_listed_promoted_and_rolled_back(terminal: Terminal, trained: Path) -> None:
    first = terminal("releases", REPO, "--json").document["releases"][0]["id"]
    second = terminal("retrain", REPO, "--no-promote", "--seed", 7, "--json").document
    assert second["promoted"] is False
    states = {one["id"]: one["state"] for one in _releases(terminal)}
    assert states == {first: "active", second["release"]: "staged"}
    assert terminal("promote", REPO, second["release"]).status == 0
    assert terminal("tag", REPO, 1, "--json").document["release"] == second["release"]
    assert terminal("rollback", REPO).out == f"{REPO}: release {first} serves now\n"
    states = {one["id"]: one["state"] for one in _releases(terminal)}
    assert states == {first: "active", second["release"]: "retired"}
    none_left = terminal("rollback", REPO)
    assert none_left.status == 1
    assert "no earlier release" in none_left.err
    assert terminal("promote", REPO, "no-such-release").status == 1


def _releases(terminal: Terminal) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = terminal("releases", REPO, "--json").document["releases"]
    return listed


def test_retrain_says_what_each_label_can_do(terminal: Terminal, trained: Path) -> None:
    done = terminal("retrain", REPO, "--labels", "speed,BUG", "--strategies", "naive-bayes,knn")
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("Switch on ")
    head = lines.index("What each label can do at a target precision of 0.90:") + 2
    assert lines[head].split()[:3] == ["label", "mode", "examples"]
    assert {line.split()[0] for line in lines[head + 1 : head + 3]} == {"bug", "speed"}
    assert not any(name in done.out for name in ("naive-bayes", "knn", "runtime"))
    assert "serves now" in lines[-1]


def test_names_of_strategies_are_behind_details(terminal: Terminal, trained: Path) -> None:
    done = terminal("retrain", REPO, "--strategies", "naive-bayes,knn", "--details")
    assert "mostly decided by" in done.out
    assert "runtime: torch, as set" in done.out.splitlines()


def test_the_first_release_is_called_so(terminal: Terminal, tmp_path: Path) -> None:
    terminal("import", issue_file(tmp_path, *sixty()), "--repo", REPO)
    done = terminal("retrain", REPO, "--strategies", "naive-bayes,knn")
    assert done.out.endswith("serves now; it was the first.\n")
    document = terminal("retrain", REPO, "--strategies", "naive-bayes,knn", "--json").document
    assert document["verdict"]["sentences"][0] == done.out.splitlines()[0]


def test_retrain_on_the_same_data_says_the_same(terminal: Terminal, trained: Path) -> None:
    said = []
    for _ in range(2):
        assert terminal("retrain", REPO).status == 0
        said.append(terminal("tag", REPO, *range(1, 10), "--json").document["issues"])
    assert said[0] == said[1]


def test_validate_tells_line_and_key(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "issue-tagger.yml"
    file.write_text("version: 1\nmode: apply\n")
    assert terminal("validate", file).status == 0
    file.write_text("version: 1\nmode: suggest\ntypes: {Bug: bug}\n")
    of_types = terminal("validate", file, "--json").document["labels"]
    assert [(row["name"], row["mode"]) for row in of_types] == [("type = Bug", "suggest")]
    file.write_text("version: 1\nmod: apply\n")
    wrong = terminal("validate", file)
    assert wrong.status == 1
    assert f"{file}:2: mod: unknown key; did you mean 'mode'?" in wrong.err
    as_json = terminal("validate", file, "--json")
    assert (as_json.status, as_json.document["valid"]) == (1, False)
    assert as_json.document["problems"][0]["line"] == 2


def test_evaluate_writes_the_report_and_resumes(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    options = ("--strategies", "naive-bayes", "--slices", "8,all", "--seeds", 2, "--out", tmp_path)
    done = terminal("evaluate", REPO, *options)
    assert done.status == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert {(one["strategy"], one["slice"]) for one in report["rows"]} == {
        ("naive-bayes", "8"),
        ("naive-bayes", "all"),
    }
    assert {path.name for path in tmp_path.glob("report.*")} == {
        *("report.json", "report.md", "report.html")
    }
    again = terminal("evaluate", REPO, *options, "--resume", "--json")
    assert again.document["rows"] == report["rows"]
    assert "naive-bayes on slice" not in again.err


def test_evaluate_reads_the_test_set_from_a_file(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("1\n#2, 6\n7 11 12\n")
    options = ("--strategies", "naive-bayes", "--slices", "all", "--seeds", 1, "--out", tmp_path)
    done = terminal("evaluate", REPO, *options, "--holdout", numbers, "--json")
    assert (done.document["n_test"], done.document["notes"]) == (6, [])
    numbers.write_text("1 2 6 7 11 12 998 999")
    short = terminal("evaluate", REPO, *options, "--holdout", numbers, "--json")
    assert short.document["n_test"] == 6
    assert "2 of the 8 issues to hold out are not stored" in short.err
    assert "#998, #999" in short.document["notes"][0]
    numbers.write_text("9" * 5000)
    assert "expected issue numbers" in terminal("evaluate", REPO, "--holdout", numbers).err
    numbers.write_text("one")
    assert (
        "got 'one', expected issue numbers"
        in terminal("evaluate", REPO, *options, "--holdout", numbers).err
    )
    numbers.write_text("7000")
    assert terminal("evaluate", REPO, *options, "--holdout", numbers).status == 1


def test_evaluate_names_a_slice_by_its_size_once(terminal: Terminal, trained: Path) -> None:
    options = ("--strategies", "naive-bayes", "--slices", "08,4,8", "--seeds", 2, "--json")
    summary = terminal("evaluate", REPO, *options).document["summary"]
    assert [(one["slice"], one["seeds"]) for one in summary] == [("4", 2), ("8", 2)]


@pytest.mark.parametrize(
    ("slices", "reason"),
    [("0", "none of these strategies works with so little"), ("500", "labelled issues to learn")],
)
def test_evaluate_refuses_slices_of_which_none_can_be_scored(
    terminal: Terminal, trained: Path, slices: str, reason: str
) -> None:
    done = terminal("evaluate", REPO, "--strategies", "naive-bayes", "--slices", slices)
    assert (done.status, done.out) == (1, "")
    assert "there is nothing to report" in done.err
    assert reason in done.err


def test_evaluate_names_the_strategies_there_are(terminal: Terminal, trained: Path) -> None:
    done = terminal("evaluate", REPO, "--strategies", "magic")
    assert done.status == 1
    assert "unknown strategy 'magic'; known are naive-bayes" in done.err


def test_audit_finds_a_label_set_by_mistake(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    wrong = row(500, "docs") | {"labels": [{"name": "speed"}]}
    terminal("import", issue_file(tmp_path, wrong), "--repo", REPO)
    found = terminal("audit", REPO, "--json").document
    assert (500, "speed") in {(one["number"], one["label"]) for one in found["suspects"]}
    assert terminal("audit", REPO).status == 0


def test_audit_says_how_many_it_shows_and_where_to_look_next(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    wrong = [row(500 + n, "docs") | {"labels": [{"name": "speed"}]} for n in range(6)]
    terminal("import", issue_file(tmp_path, *wrong), "--repo", REPO)
    total = len(terminal("audit", REPO, "--json").document["suspects"])
    page = tmp_path / "audit.html"
    shown = terminal("audit", REPO, "--limit", 4)
    assert re.search(rf"probably wrong or missing: \d of {total}\n", shown.out)
    assert "https://github.com/octo/lab/issues/NUMBER" in shown.out
    assert f"issue-tagger audit {REPO} --html" in shown.out
    assert f"written: {page}" in terminal("audit", REPO, "--html", page).out
    text = page.read_text("utf-8")
    assert text.count('href="https://github.com/octo/lab/issues/') >= total
    assert "<script" not in text


def test_report_shows_the_verdict_and_says_where_its_files_are(
    terminal: Terminal, trained: Path
) -> None:
    done = terminal("report", REPO)
    assert done.out.startswith("Switch on ")
    assert "| ---" not in done.out
    folder = trained / "reports" / REPO
    assert done.out.splitlines()[-1] == f"written: {folder}/live.json, {folder}/live.md"
    assert (folder / "live.md").is_file()
    document = terminal("report", REPO, "--json").document
    assert document["verdict"]["sentences"][0] == done.out.splitlines()[0]


def test_doctor_examines_every_part(terminal: Terminal, trained: Path) -> None:
    done = terminal("doctor", "--json")
    verdicts = {one["part"]: one["verdict"] for one in done.document["findings"]}
    assert done.status == 0
    assert verdicts == {
        **dict.fromkeys(("settings", "database", "migrations", "inbox", "webhooks"), "ok"),
        **dict.fromkeys(("disk", "clock", "device", "processor", "encoder", "release"), "ok"),
        **dict.fromkeys(("GitHub", "webhook secret", "zero-shot", "transformer"), "note"),
    }


def test_doctor_says_what_is_wrong_and_what_to_do(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISSUE_TAGGER_PROT", "8000")
    monkeypatch.setenv("ISSUE_TAGGER_ENCODER", "no/such-model@1")
    monkeypatch.setattr("tagger.encoders.model_sources._hub_problem", lambda *_: "out of reach")
    done = terminal("doctor")
    assert done.status == 1
    assert "ISSUE_TAGGER_PROT is no setting; did you mean ISSUE_TAGGER_PORT?" in done.out
    assert "there is no database at" in done.out
    assert "check ISSUE_TAGGER_DATABASE_URL" in done.out
    assert "encoder: check ISSUE_TAGGER_ENCODER" in done.out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_named(
    terminal: Terminal, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISSUE_TAGGER_DEVICE", "cuda")
    assert "device: set ISSUE_TAGGER_DEVICE to auto" in terminal("doctor").out
    done = terminal("audit", REPO)
    assert done.status == 1
    assert "ISSUE_TAGGER_DEVICE is cuda, but this PyTorch finds no CUDA device" in done.err


def test_work_offers_the_lanes_that_there_are() -> None:
    from bot.cli.running.work import WorkKind
    from bot.jobs.worker_pool import QUEUES

    assert tuple(WorkKind) == QUEUES


def test_forget_says_what_was_dropped(terminal: Terminal, trained: Path) -> None:
    assert terminal("forget", "--json").document == {
        "payloads": 0, "deliveries": 0, "repositories": 0,
    }  # fmt: skip
    assert "0 payloads older than 7 days" in terminal("forget").out


def test_failed_lists_what_was_given_up_and_sets_it_going(
    terminal: Terminal, trained: Path, data_dir: Path
) -> None:
    assert terminal("failed").out == "no delivery was given up\n"
    now = datetime(2026, 3, 1, tzinfo=UTC)
    store = Store(f"sqlite:///{data_dir / 'issue-tagger.sqlite3'}")
    with store.begin() as work:
        work.inbox.accept(DeliveryRecord("g-1", "issues", {}, now, "opened", REPO, 7))
        claim = work.inbox.claim("w", timedelta(minutes=1), now)
        assert claim is not None
        work.inbox.fail(claim, "ValueError: \x1b[31modd", now, None)
    store.close()
    listed = terminal("failed", REPO)
    assert "octo/lab#7  issues opened  g-1" in listed.out
    assert "ValueError: [31modd" in listed.out
    assert "--retry" in listed.err
    assert terminal("failed", "octo/other").out == "no delivery was given up\n"
    unknown = terminal("failed", "--delivery", "g-2")
    assert (unknown.status, "no delivery g-2 was given up" in unknown.err) == (1, True)
    done = terminal("failed", "--delivery", "g-1", "--retry", "--json").document
    assert (done["retried"], [one["guid"] for one in done["deliveries"]]) == (1, ["g-1"])
    assert terminal("failed", "--json").document == {"deliveries": [], "retried": 0}


def test_serve_wants_a_webhook_secret(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUE_TAGGER_GITHUB_TOKEN", "ghp_0123456789abcdef")
    done = terminal("serve")
    assert done.status == 1
    assert "ISSUE_TAGGER_WEBHOOK_SECRET is not set" in done.err


def test_serve_refuses_a_port_that_is_taken(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = terminal("serve", "--host", "127.0.0.1", "--port", port)
    assert (done.status, done.out) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use); choose another" in done.err


def test_help_names_every_command_and_version_the_version(terminal: Terminal) -> None:
    from tagger import __version__

    listed = terminal("--help").out
    for command in ("import", "sync", "retrain", "releases", "promote", "rollback", "tag"):
        assert f"\n  {command} " in listed
    for command in ("evaluate", "audit", "serve", "work", "validate", "forget", "doctor", "demo"):
        assert f"\n  {command} " in listed
    first, below = terminal("--version").out.splitlines()
    assert first == __version__  # alone, for scripts
    named = [part.split(" ")[0] for part in below.split(", ")]
    assert named[:4] == ["python", "torch", "transformers", "faiss-cpu"]


def test_sync_brings_in_a_repository_from_github(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = GitHubState()
    state.add_repository(REPO)
    state.add_token("secret", "tagger[bot]")
    for number in range(1, 4):
        state.open_issue(REPO, f"Issue {number}", by="ada")
        state.add_labels(REPO, number, ["bug"], by="ada")
    monkeypatch.setenv("ISSUE_TAGGER_GITHUB_TOKEN", "secret")
    with serving(state) as url:
        monkeypatch.setenv("ISSUE_TAGGER_GITHUB_API_URL", url)
        first = terminal("sync", REPO, "--json")
        assert first.document == {
            "repository": REPO,
            "new": 3,
            "changed": 0,
            "unchanged": 0,
            "labels": 1,
            "label_acts": 3,
            "forgotten": 0,
            "note": "",
        }
        second = terminal("sync", REPO)
        assert second.out.startswith(f"{REPO}: 0 new, 0 changed, 0 unchanged; 1 labels; 0 new acts")
        state.delete_issue(REPO, 2, by="ada")
        swept = terminal("sync", REPO, "--reconcile", "--json").document
        assert swept["forgotten"] == 1
        assert (swept["deliveries_taken_in"], swept["made_up"]) == (0, 0)
        missing = terminal("sync", "octo/missing")
        assert (missing.status, missing.out) == (1, "")
        assert "GitHub answered 404" in missing.err
        monkeypatch.setenv("ISSUE_TAGGER_GITHUB_TOKEN", "wrong")
        refused = terminal("sync", REPO, "--full")
        assert refused.status == 1
        assert "check GITHUB_TOKEN" in refused.err
    assert terminal("tag", REPO, 1).status == 1
