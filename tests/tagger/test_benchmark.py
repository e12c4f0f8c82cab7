"""The benchmark: parts that do not overlap, honest times, a figure and a table."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tagger.benchmark import peers, running
from tagger.benchmark.report import BenchmarkReport, cells, figure, markdown, page, write
from tagger.benchmark.rows import ENCODE, BenchmarkRow, fit, measure, measure_encoder
from tagger.benchmark.timing import Latency, latency, peak_megabytes, throughput
from tagger.benchmark.trial import ModelLocations, Trial
from tagger.domain.strategy import silent
from tagger.encoders.model_sources import locate
from tagger.errors import ModelRefused

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.domain.issue import TrainingSet

FAST = BenchmarkRow("knn", "onnx-int8", Latency(4.0, 5.0, 6.0), 200.0, 23.0, 300.0, 1.5, 0.6, 0.5)
SLOW = BenchmarkRow("zero-shot pipeline", "transformers", Latency(400.0, 500.0, 600.0), 2.0, 45.0,
           700.0, 3.0, 0.3, 0.2, peer=True)  # fmt: skip
MUTE = BenchmarkRow(ENCODE, "torch", Latency(20.0, 21.0, 22.0), 40.0, 90.0, 500.0, 2.0)


@pytest.fixture
def places(bert_folder: Path, tmp_path: Path) -> ModelLocations:
    return ModelLocations(locate(str(bert_folder)), None, None, "cpu", tmp_path / "cache")


@pytest.fixture
def trial(training_set: TrainingSet) -> Trial:
    return Trial.of(training_set, 8)


def test_no_issue_is_in_two_parts(training_set: TrainingSet) -> None:
    trial = Trial.of(training_set, 8)
    parts = [set(part.numbers) for part in (trial.train, trial.thresholds_on, trial.test)]
    assert len(parts[2]) == 8
    assert all(parts)
    assert sum(map(len, parts)) == len(set().union(*parts)) == len(training_set)
    assert Trial.of(training_set, 8).test.numbers == trial.test.numbers
    assert len(Trial.of(training_set, 10_000).test) == len(training_set) // 2


def test_of_few_issues_no_trial_is_made(training_set: TrainingSet) -> None:
    with pytest.raises(ValueError, match="at least 10"):
        Trial.of(training_set.subset(range(9)), 4)


def test_the_warm_up_is_not_counted() -> None:
    asked = []

    def ask(thing: int) -> None:
        time.sleep(0.05 if len(asked) < 5 else 0.001)
        asked.append(thing)

    found = latency(ask, range(20))
    assert asked[5:] == list(range(20))
    assert found.median < 40
    assert found.median <= found.p95 <= found.p99


def test_throughput_gives_the_answer_too() -> None:
    per_second, answer = throughput(list, [1, 2, 3])
    assert answer == [1, 2, 3]
    assert per_second > 0
    assert peak_megabytes() > 10


def test_a_row_says_what_a_strategy_costs_and_is_worth(
    places: ModelLocations, trial: Trial, tmp_path: Path
) -> None:
    fit(places, "knn", trial, tmp_path / "knn")
    row = measure(places, "knn", "onnx-int8", trial, tmp_path / "knn")
    assert (row.strategy, row.runtime, row.peer) == ("knn", "onnx-int8", False)
    assert 0 < row.latency.median <= row.latency.p99
    assert row.micro_f1 is not None
    assert 0 < row.micro_f1 <= 1
    assert row.megabytes > 0
    encoder = measure_encoder(places, "torch", trial)
    assert encoder.micro_f1 is None
    assert encoder.per_second > 0


def test_what_cannot_be_measured_is_left_out_with_its_reason(
    places: ModelLocations, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(function, *given):
        if given[1] == "torch-int8":
            raise ModelRefused("no such instruction\nsecond line")
        return function(*given)

    monkeypatch.setattr(running, "_apart", here)
    report = running.benchmark(
        places,
        trial,
        "owner/name",
        strategies=["naive-bayes"],
        runtimes=["torch", "torch-int8"],
        peers=False,
        progress=silent,
    )
    assert [(row.strategy, row.runtime) for row in report.rows] == [
        (ENCODE, "torch"),
        ("naive-bayes", "torch"),
    ]
    assert report.notes == ("encode, torch-int8 was left out: no such instruction",)


@pytest.mark.slow
def test_each_row_runs_in_a_process_of_its_own(places: ModelLocations, trial: Trial) -> None:
    row = running._apart(measure_encoder, places, "torch", trial)
    assert row is not None
    assert row.peak_megabytes < 2 * peak_megabytes() + 500


class TestPeers:
    def test_the_pipeline_stands_beside_us_where_there_is_a_model(
        self, places: ModelLocations
    ) -> None:
        assert peers.PIPELINE not in peers.installed(places)
        assert peers.PIPELINE in peers.installed(replace(places, zero_shot_model=places.cache))

    def test_sentence_transformers_gives_our_vectors(self, places: ModelLocations) -> None:
        pytest.importorskip("sentence_transformers")
        texts = ["the editor crashes", "slow search"]
        theirs = peers.sentence_encoder(places).encode(texts, show_progress_bar=False)
        theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
        ours = places.bare_encoder("torch").encode(texts)
        np.testing.assert_allclose((theirs * ours).sum(axis=1), 1, atol=1e-4)

    def test_the_pipeline_answers_in_the_order_of_the_labels(
        self, places: ModelLocations, tmp_path: Path
    ) -> None:
        from tiny_label_models import save_nli

        folder = save_nli(tmp_path)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["label2id"] = {name: int(at) for at, name in config["id2label"].items()}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        judged = replace(places, zero_shot_model=folder)
        names = ["bug", "docs", "speed"]
        one = peers.zero_shot_pipeline(judged, names)("slow page")
        other = peers.zero_shot_pipeline(judged, names[::-1])("slow page")
        np.testing.assert_allclose(one, other[::-1], atol=1e-5)


class TestReport:
    REPORT = BenchmarkReport(
        "owner/<name>", 20, 8, (FAST, SLOW, MUTE), ("setfit was left out: why",)
    )

    def test_the_files_say_the_same(self, tmp_path: Path) -> None:
        files = write(self.REPORT, tmp_path / "out")
        assert [path.name for path in files] == [
            "benchmark.json",
            "benchmark.md",
            "benchmark.svg",
            "benchmark.html",
        ]
        found = json.loads(files[0].read_text(encoding="utf-8"))
        assert [row["strategy"] for row in found["rows"]] == ["knn", "zero-shot pipeline", ENCODE]
        assert found["rows"][0]["latency"] == {"median": 4.0, "p95": 5.0, "p99": 6.0}
        assert "setfit was left out: why" in files[1].read_text(encoding="utf-8")

    def test_the_figure_puts_the_faster_to_the_left_and_the_better_above(self) -> None:
        import xml.etree.ElementTree as ET

        drawn = ET.fromstring(figure(self.REPORT.rows))
        circles = [one for one in drawn.iter() if one.tag.endswith("circle")]
        assert len(circles) == 2  # what decides nothing has no F1 to stand at
        by_name = {next(iter(one)).text.split(",")[0]: one for one in circles}
        fast, slow = by_name["knn"], by_name["zero-shot pipeline"]
        assert float(fast.get("cx")) < float(slow.get("cx"))
        assert float(fast.get("cy")) < float(slow.get("cy"))
        areas = [float(one.get("r")) ** 2 for one in (fast, slow)]
        assert areas[0] / areas[1] == pytest.approx(23 / 45, rel=0.02)

    def test_names_are_escaped_and_nothing_is_asked_of_a_network(self) -> None:
        html = page(self.REPORT, figure(self.REPORT.rows))
        assert "<name>" not in html
        assert "src=" not in html
        assert "href=" not in html

    def test_a_row_without_f1_has_a_dash(self) -> None:
        assert cells(MUTE)[-2:] == ("-", "-")
        assert "| encode | torch | 20.0 |" in markdown(self.REPORT)

    def test_nothing_measured_is_still_a_figure(self) -> None:
        assert "nothing that decides" in figure([MUTE])
