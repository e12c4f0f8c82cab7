"""Every benchmark of docs/benchmarks runs at its smallest size, so that none rots.

The issues are some of the invented repository's, which travels with the package; where a benchmark
wants data sets of others, files of their shape are made up.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tagger.chain.prior import NOTHING, FeatureMoments
from tagger.statistics.log_odds import feature_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "docs" / "benchmarks"
LABELS = "bug,enhancement,question,documentation,performance,security"
SEED = ("--seeds", "1")
PARTED = ("--slices", "16", *SEED, "--pool", "40", "--test-size", "24")
CHEAP = "naive-bayes"
MEASURED = ("--members", "zero-shot,naive-bayes", "--keep", "WORK/rows")
FAST = ("--rate", "5", "--seconds", "1")

RUN_ELSEWHERE = {
    "chart": "tests/tagger/evaluation/test_chart.py",
    "fuzz": "tests/bot/service/test_odd_webhooks.py",
    "kills": "tests/bot/jobs/test_kills.py",
    "sync": "tests/bot/cli/test_sync_killed.py",
}
"""Benchmarks that have a test of their own, with what it expects."""

RUN_BY_OTHERS = {"mutations": "fuzz", "peer_probot": "webhook"}
"""Parts that are no programs, by a benchmark that they belong to."""

PAIRS = {"ISSUES:NAMED"}
"""Arguments that are two places joined."""

# Arguments by benchmark: words in capitals stand for what `Workshop` makes.
SMALLEST: dict[str, Sequence[str]] = {
    "cleaning": ("SPEC", *PARTED),
    "cleaning_speed": ("--bodies", "2"),
    "configuration": (*FAST, "--files", "1", "--strategies", CHEAP),
    "contentless": ("SPEC", "--held-out", "20", "--newest", "60"),
    "day": ("--minutes", "4", "--hours", "1", "--acts", "40", "--strategies", CHEAP),
    "duplicates": ("ISSUES", "acme/rocket", "--read", "READ", "--newest", "60", "--fit"),
    "drain": ("--issues", "4", "--model-ms", "0"),
    "import_memory": ("--megabytes", "1"),
    "familiarity": ("MANY", "FOLDER", "--least", "100"),
    "gate": ("SPEC", "--tries", "1", "--members", CHEAP, "--newest", "80"),
    "left_out": ("ISSUES",),
    "issue_types": ("ISSUES", "bug,enhancement", "--newest", "80", "--members", CHEAP),
    "long_file": ("--issues", "20", "--strategies", CHEAP, "--work", "WORK/long"),
    "neighbours": ("--sizes", "1000", "--kinds", "exact"),
    "nlbse": ("NLBSE", "--sizes", "6", *SEED, "--chain", "naive-bayes,linear"),
    "out_of_scope": ("SPEC", "OTHER", "--slices", "16", *SEED),
    "pages": (
        *("--issues", "200", "--repositories", "2"),
        *("--times", "2", "--seconds", "1"),
    ),
    "patterns": ("--pairs", "100"),
    "promise": ("SPEC", *PARTED, "--out", "WORK/promise"),
    "public_sets": ("SETS/sklearn", "SETS/several", "SETS/dotnet", "--out", "WORK/sets"),
    "retraining": ("ISSUES:NAMED", "--members", "linear,knn", "--within", "0s"),
    "rivals": ("ISSUES", "NAMED", LABELS, "--strategies", CHEAP, *PARTED, "--out", "WORK/rivals"),
    "release_cache": (
        *("--repositories", "2", "--random", "1"),
        *("--strategies", CHEAP, "--work", "WORK/shelf"),
    ),
    "speed": ("encoding", "SPEC", "--issues", "8", "--train", "24", "--runtime", "torch"),
    "spoilt": ("SPEC", *SEED, "--newest", "60"),
    "student": (
        *("f1", "ISSUES", "NAMED", LABELS, "--train", "40", "--test", "20", "--members", CHEAP),
        *("--layers", "1", "--steps", "2", "--work", "WORK/student"),
    ),
    "teaching": ("SPEC", *SEED, "--pool", "40", "--test-size", "24"),
    "turns": ("--issues", "2", "--rate", "4", "--waiting", "4", "--milliseconds", "1"),
    "unlabelled": (
        *("SPEC", "--strategies", "naive-bayes,cheap", "--slices", "16", *SEED),
        *("--test", "20", "--out", "WORK/unlabelled"),
    ),
    "unsigned": (*FAST, "--connections", "4", "--kinds", "none;silent"),
    "webhook": (*FAST, "--strategies", CHEAP),
    "worker": ("--deliveries", "2", "--milliseconds", "1"),
}


class Workshop:
    """Made-up inputs, and one folder of vectors for all benchmarks.

    :ivar places: what a name in `SMALLEST` stands for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        named = ROOT / "bot" / "sample" / "labels.json"
        lines = (ROOT / "bot" / "sample" / "issues.jsonl").read_text("utf-8").splitlines()
        specs = {}
        for name, part in (("one", lines[:120]), ("two", lines[120:240])):
            issues = folder / f"{name}.jsonl.gz"
            issues.write_bytes(gzip.compress("\n".join(part).encode()))
            specs[name] = f"{issues}:{named}:{LABELS}"
        self.places = {
            "SPEC": specs["one"],
            "OTHER": specs["two"],
            "NAMED": str(named),
            "ISSUES": str(folder / "one.jsonl.gz"),
            "READ": str(_pairs_read(folder / "read.json", lines[:120])),
            "WORK": str(folder / "work"),
            "NLBSE": str(_nlbse(folder / "nlbse")),
            "SETS": str(_public_sets(folder / "sets")),
            "MANY": str(_many(folder / "sets.json", specs)),
            "FOLDER": str(folder),
        }
        (folder / "work").mkdir()

    def run(self, name: str, arguments: Sequence[str]) -> str:
        """What the benchmark prints.

        :raises AssertionError: it did not end well, with all that it said.
        """
        return self.run_program(str(SCRIPTS / f"{name}.py"), *arguments)

    def run_program(self, *arguments: str) -> str:
        """What Python prints with these arguments.

        :raises AssertionError: see `run`.
        """
        done = subprocess.run(
            [sys.executable, *map(self._filled, arguments)],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _filled(self, argument: str) -> str:
        if argument in PAIRS:
            return ":".join(self.places[name] for name in argument.split(":"))
        name, slash, rest = argument.partition("/")
        return self.places.get(name, name) + slash + rest

    def _environment(self) -> dict[str, str]:
        kept = {key: text for key, text in os.environ.items() if "ISSUE_TAGGER" not in key}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "ISSUE_TAGGER_DATA_DIR": str(self.folder / "data"),
            "ISSUE_TAGGER_RUNTIME": "torch",  # which is fastest need not be measured each time
        }


def _pairs_read(file: Path, lines: Sequence[str]) -> Path:
    """A verdict on every pair of issues."""
    numbers = sorted(json.loads(line)["number"] for line in lines)
    pairs = [
        [copy, original, int((copy + original) % 3 == 0)]
        for copy in numbers
        for original in numbers
        if original < copy
    ]
    file.write_text(json.dumps(pairs))
    return file


def _many(path: Path, names: Iterable[str]) -> Path:
    """The list of repositories that `across` and `familiarity` read."""
    sets = [
        {"repository": f"{name}/r", "file": f"{name}.jsonl.gz", "labels": LABELS.split(",")}
        for name in names
    ]
    path.write_text(json.dumps(sets), encoding="utf-8")
    return path


def _nlbse(folder: Path) -> Path:
    """Twelve issues to learn from and to be asked about, in each of the five repositories."""
    folder.mkdir()
    repositories = (
        *("facebook/react", "tensorflow/tensorflow", "microsoft/vscode"),
        *("bitcoin/bitcoin", "opencv/opencv"),
    )
    for part in ("train", "test"):
        with (folder / f"issues_{part}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["repo", "label", "title", "body"])
            for repository in repositories:
                for number in range(12):
                    label = ("bug", "feature", "question")[number % 3]
                    rows.writerow([repository, label, f"a {label}, {part} {number}", "words"])
    return folder


def _public_sets(folder: Path) -> Path:
    """A few issues in the shapes of the three clones that `public_sets.py` reads."""
    lines = [{"title": f"t {n}", "body": None, "labels": [{"name": "Bug"}]} for n in range(8)]
    sklearn = folder / "sklearn" / "data" / "sklearn_issues_final_1.json"
    sklearn.parent.mkdir(parents=True)
    sklearn.write_text(json.dumps(lines), "utf-8")
    several = folder / "several" / "data" / "eng_labelled" / "remove_duplicates"
    several.mkdir(parents=True)
    for name, label in (("bootstrap", "docs"), ("ohmyzsh", "Bug"), ("vue", "bug")):
        rows = [{"title": f"t {n}", "body": "b", "labels": label} for n in range(8)]
        (several / f"{name}_removed_dups.json").write_text(json.dumps(rows), "utf-8")
    dotnet = folder / "dotnet/samples/CLI/MulticlassClassification_CLI/corefx-issues-train.tsv"
    dotnet.parent.mkdir(parents=True)
    table = ["ID\tArea\tTitle\tDescription", *(f"{n}\tarea-{n % 2}\tt {n}\tb" for n in range(8))]
    dotnet.write_text("\n".join(table), "utf-8")
    return folder


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("benchmarks"))


def test_every_script_is_run_by_some_test() -> None:
    there = {script.stem for script in SCRIPTS.glob("*.py")}
    apart = {"across", "library", "model_server", "contract_hooks", "engines", "unseen"}
    assert there == {*SMALLEST, *RUN_ELSEWHERE, *RUN_BY_OTHERS, *apart}
    assert all((ROOT / test).exists() for test in RUN_ELSEWHERE.values())
    for part, whole in RUN_BY_OTHERS.items():
        assert f"from {part} import" in (SCRIPTS / f"{whole}.py").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_runs_at_its_smallest_size(workshop: Workshop, name: str) -> None:
    printed = workshop.run(name, SMALLEST[name])
    assert printed.strip()


@pytest.mark.slow
def test_a_prior_of_other_repositories_is_judged_on_each(workshop: Workshop) -> None:
    small = ("--largest", "8", "--share", "0.2", "--out", "WORK/prior.json", "SPEC", "OTHER")
    workshop.run_program("-m", "bot.cli", "prior", *MEASURED, *small)
    prior = FeatureMoments.from_json(json.loads((workshop.folder / "work/prior.json").read_text()))
    weights = prior.weigh(feature_names(("zero-shot", "naive-bayes")), np.array([NOTHING, 0, 2]))
    assert weights.slopes.shape == (3, 4)
    assert np.isfinite(weights.slopes).all()
    lines = workshop.run("unseen", MEASURED).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["one", "two"]


@pytest.mark.slow
def test_the_mean_curve_over_repositories_is_of_priors_that_others_made(
    workshop: Workshop,
) -> None:
    small = ("MANY", "FOLDER", "--sizes", "0,8", "--keep", "WORK/across", "--out", "WORK/all.json")
    printed = workshop.run("across", small)
    assert "2 of 2 repositories have all sizes" in printed
    assert [line.split("|")[1].strip() for line in printed.splitlines()[3:6]] == [
        "chain", "zero-shot", "LR tfidf+MiniLM",
    ]  # fmt: skip
    assert "0 to 8: micro" in printed
    moments = json.loads((workshop.folder / "work/all.json").read_text())
    assert FeatureMoments.from_json(moments).knows("knn")


@pytest.mark.slow
@pytest.mark.postgres
def test_a_trial_of_engines_loses_no_job(workshop: Workshop, postgres_url: str) -> None:
    from sqlalchemy import make_url

    url = make_url(postgres_url)
    server = f"host={url.host} port={url.port or 5432} user={url.username}"
    if url.password:
        server += f" password={url.password}"
    small = ("--server", server, "--jobs", "20", "--kills", "2", "--sweep")
    assert "20 of 20 done" in workshop.run("engines", ("procrastinate", *small))


@pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"
)
def test_schemathesis_takes_the_hooks() -> None:
    specification = importlib.util.spec_from_file_location("hooks", SCRIPTS / "contract_hooks.py")
    assert specification is not None
    assert specification.loader is not None
    specification.loader.exec_module(importlib.util.module_from_spec(specification))
