"""The report keeps the contract for scripts, and is one harmless page for people."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from invented import invented
from rivals import BOTH, NAMED, VOTES

from tagger.domain.issue import IssueText, TrainingSet
from tagger.evaluation.cells import MemoryCells
from tagger.evaluation.figures import figures
from tagger.evaluation.report.document import report_json
from tagger.evaluation.report.extras import Extras, LossCurve, NeighbourMap, NextIssue
from tagger.evaluation.report.issue_map import places
from tagger.evaluation.report.page import report_page
from tagger.evaluation.report.tables import ReportTable, escaped
from tagger.evaluation.report.text import report_text
from tagger.evaluation.report.view import View
from tagger.evaluation.report.writing import write_report
from tagger.evaluation.runner import Execution, evaluate
from tagger.evaluation.slices import SplitPlan
from tagger.monitoring.live_figures import LiveLabel, weighted_share
from tagger.statistics.metrics import macro_f1, micro_f1

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> [x](javascript:alert(3)) @octocat"
PLAN = SplitPlan(slices=("0", "8", "32", "all"))


def _evil(data):
    """The same issues with markup in every text that comes from outside."""
    issues = tuple(IssueText(f"{EVIL} {issue.title}", issue.body) for issue in data.issues)
    labels = tuple(replace(label, name=f"{label.name}{EVIL}") for label in data.labels)
    return TrainingSet(labels, data.numbers, issues, data.targets)


NOBODY = weighted_share([])


def _lived(label):
    """Nine of ten were wanted."""
    share = weighted_share([(n > 0, 1.0) for n in range(10)], "asked")
    return LiveLabel(label, None, share, NOBODY, share, 12)


def _extras(n_issues):
    rng = np.random.default_rng(0)
    return Extras(
        f"acme/rocket{EVIL}",
        "https://github.com/acme/rocket/issues/{number}",
        NeighbourMap((1, 5), (1, 2), np.array([[0.3, np.nan], [0.4, 0.5]])),
        (LossCurve(f"held out {EVIL}", (0, 50, 100), (2.5, 1.5, 1.2)),),
        (NextIssue(901, EVIL, "bug", 0.5, EVIL),),
        rng.normal(size=(n_issues, 6)),
        notes=(f"No entailment model is at hand. {EVIL}",),
        live=(_lived(f"bug {EVIL}"), LiveLabel("never", None, NOBODY, NOBODY, NOBODY, 0)),
    )


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(invented(120), (VOTES, NAMED, BOTH), PLAN, (0, 1), MemoryCells())


@pytest.fixture(scope="module")
def evil():
    data = _evil(invented(120))
    result = evaluate(data, (VOTES,), PLAN, (0, 1), MemoryCells())
    return View(result, figures(result, 100), _extras(120))


def test_issues_of_another_repository_have_a_table_beside_coverage_at_home(evaluation):
    foreign = tuple(IssueText(f"a cake of {n} eggs") for n in range(20))
    result = evaluate(
        invented(120), (VOTES, BOTH), PLAN, (0,), MemoryCells(), Execution(foreign=foreign)
    )
    pages = report_page(View(result, figures(result, 20), Extras("acme/rocket")))
    assert "Issues of another repository" in pages
    assert "coverage at home" in pages
    plain = report_page(View(evaluation, figures(evaluation, 20), Extras("acme/rocket")))
    assert "Issues of another repository" not in plain


def test_zero_shot_is_shown_by_thresholds_and_by_its_likeliest_labels():
    zero_shot = replace(NAMED, name="zero-shot")
    result = evaluate(invented(120), (VOTES, zero_shot), PLAN, (0,), MemoryCells())
    text = report_text(View(result, figures(result, 20), Extras("acme/rocket")))
    assert "Zero-shot: thresholds or the likeliest labels" in text
    for way in ("thresholds", "the likeliest", "the 2 likeliest", "the 3 likeliest"):
        assert f"| {way} |" in text


class Outline(HTMLParser):
    """What a browser would find: elements and attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)


def test_report_json_keeps_the_contract(evaluation, tmp_path):
    paths = write_report(evaluation, Extras("acme/rocket"), tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["report.json", "report.md", "report.html"]
    document = json.loads(paths[0].read_text())
    assert document["repository"] == "acme/rocket"
    assert document["labels"] == ["bug", "docs", "speed", "design"]
    assert document["split"] == "stratified"
    assert document["n_test"] == 36
    assert len(document["fingerprint"]) == 64
    contract = {
        "strategy", "slice", "seed", "n_train", "micro_f1", "macro_f1", "per_label",
        "fit_seconds", "predict_ms_per_issue",
    }  # fmt: skip
    assert len(document["rows"]) == 22
    for row in document["rows"]:
        assert contract <= row.keys()
        assert set(row["per_label"]) == set(document["labels"])
        assert set(row["per_label"]["bug"]) == {"precision", "recall", "f1", "support"}
        assert row["macro_f1"] == pytest.approx(
            np.mean([label["f1"] for label in row["per_label"].values()])
        )
    assert {row["slice"] for row in document["rows"]} == {"0", "8", "32", "all"}
    assert {row["strategy"] for row in document["rows"] if row["slice"] == "0"} == {
        "name-in-text",
        "both",
    }
    for one in document["summary"]:
        rows = [
            row
            for row in document["rows"]
            if (row["strategy"], row["slice"]) == (one["strategy"], one["slice"])
        ]
        assert one["micro_f1"] == pytest.approx(np.mean([row["micro_f1"] for row in rows]))
        low, high = one["macro_f1_ci"]
        assert low <= one["macro_f1"] <= high


def test_rows_are_the_metrics_of_their_decisions(evaluation):
    by_key = {(row.strategy, row.slice, row.seed): row for row in figures(evaluation, 50).rows}
    for cell in evaluation.cells:
        row = by_key[cell.key.strategy, cell.key.slice, cell.key.seed]
        truth = evaluation.truth(cell.key.seed)
        assert row.micro_f1.value == pytest.approx(micro_f1(truth, cell.decided))
        assert row.macro_f1.value == pytest.approx(macro_f1(truth, cell.decided))


def test_the_same_evaluation_gives_the_same_files(evaluation, tmp_path):
    first, second = (write_report(evaluation, _extras(120), tmp_path / name) for name in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_the_page_loads_nothing_and_runs_nothing(evil):
    outline = Outline(report_page(evil))
    assert not {"script", "iframe", "object", "link", "img", "form"} & set(outline.tags)
    for tag, name, value in outline.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in {"href", "src"}:
            assert re.match(r"#\w+$|https://github.com/acme/rocket/issues/\d+$", value), value
    policy = [
        value for tag, name, value in outline.attributes if (tag, name) == ("meta", "content")
    ]
    assert any("default-src 'none'" in value for value in policy)
    style = "".join(outline.text)
    assert "@import" not in style
    assert "url(" not in style
    assert EVIL in "".join(outline.text)  # shown as text, not swallowed


def test_every_figure_has_its_numbers_and_is_named(evil):
    page = report_page(evil)
    drawings = re.findall(r'<svg viewBox="[^"]*" style.*?</svg>', page, re.DOTALL)
    assert len(drawings) >= 11
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("aria-label")
        assert root.get("role") == "img"
        numbers = re.findall(r'(?: |")(?:x|y|x1|x2|y1|y2|cx|cy|width|height)="([^"]*)"', drawing)
        assert numbers
        assert all(np.isfinite(float(number)) for number in numbers)
    once = [drawing for drawing in drawings if not re.search(r'label="[^"]*, narrow"', drawing)]
    assert page.count("<details") == len(once)
    assert page.count("<figure") == page.count("<table ") + page.count("<pre ") >= 14


def test_the_page_has_all_chapters_and_looks(evil):
    page = report_page(evil)
    for anchor in (
        "verdict",
        "curves",
        "strategies",
        "labels",
        "trust",
        "use",
        "errors",
        "next",
        "data",
        "learning",
        "cost",
    ):
        assert f'<section id="{anchor}">' in page
        assert f'href="#{anchor}"' in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_what_people_did_in_use_is_told_by_label(evil):
    page = report_page(evil)
    section = page[page.index('<section id="use">') :]
    section = section[: section.index("</section>")]
    assert "0.900" in section
    assert "asked" in section
    assert "never" not in section
    assert report_json(evil.evaluation, evil.figures, evil.extras)["live"][0]["decided"] == 12


def test_without_anybody_s_word_nothing_is_told_of_use(evaluation):
    page = report_page(View(evaluation, figures(evaluation), Extras("acme/rocket")))
    assert '<section id="use">' not in page


def test_markdown_shows_markup_as_text_and_mentions_nobody(evil):
    text = report_text(evil)
    assert "<script" not in text
    assert "<img" not in text
    assert "@octocat" not in text
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    assert "### Micro F1" in text


def test_a_markdown_table_survives_what_stands_in_it():
    text = ReportTable.of(["a|b", "n"], [["x\n|y", 1.5], [None, 2]]).markdown()
    assert text.splitlines() == [
        "| a\\|b | n |",
        "| --- | ---: |",
        "| x \\|y | 1.500 |",
        "| - | 2 |",
    ]
    assert escaped("`a`") == "\\`a\\`"


def test_what_moved_since_the_last_run_is_told(evaluation, tmp_path):
    [path, *_] = write_report(evaluation, Extras("acme/rocket"), tmp_path)
    before = json.loads(path.read_text())
    for one in before["summary"]:
        one["micro_f1"] -= 0.5
        one["micro_f1_ci"] = [0.0, 0.1]
    [path, text, _] = write_report(evaluation, Extras("acme/rocket", previous=before), tmp_path)
    moved = json.loads(path.read_text())["changes"]
    assert len(moved) == len(before["summary"])
    assert moved[0]["micro_f1"] == pytest.approx(0.5)
    assert moved[0]["micro_f1_beyond"]
    assert moved[0]["macro_f1"] == 0
    assert "Since the last run" in text.read_text()


def test_one_label_one_slice_one_seed_still_make_a_report(tmp_path):
    data = invented(40, n_labels=1)
    result = evaluate(data, (VOTES,), SplitPlan(slices=("all",)), (7,), MemoryCells())
    for path in write_report(result, Extras("a/b"), tmp_path):
        assert path.stat().st_size > 500


@pytest.mark.parametrize("shape", [(40, 5), (3, 5), (1, 5), (0, 5), (40, 1)])
def test_the_map_lies_in_the_unit_square_and_says_how_it_was_made(shape):
    vectors = np.random.default_rng(0).normal(size=shape)
    laid = places(vectors)
    assert laid.points.shape == (shape[0], 2)
    assert ((laid.points >= 0) & (laid.points <= 1)).all()
    assert laid.method


def test_what_reads_differently_lies_apart():
    vectors = np.vstack([np.eye(4)[0] + np.zeros((10, 4)), np.eye(4)[1] + np.zeros((10, 4))])
    points = places(vectors[:12]).points  # too few for UMAP, wherever that is installed
    assert np.abs(points[:10].mean(axis=0) - points[10:].mean(axis=0)).max() > 0.5
