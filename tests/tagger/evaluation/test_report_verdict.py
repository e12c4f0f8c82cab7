"""The report begins with what to switch on, measured with the thresholds that the bot uses."""

from typing import ClassVar

import numpy as np
import pytest
from invented import invented
from rivals import VOTES, Both

from tagger.evaluation.cells import MemoryCells
from tagger.evaluation.figures import figures
from tagger.evaluation.report.document import report_json
from tagger.evaluation.report.extras import Extras
from tagger.evaluation.report.outlook import said_by_the_bot, verdict_of, weight_of_rows
from tagger.evaluation.report.page import report_page
from tagger.evaluation.report.text import report_text
from tagger.evaluation.report.view import View
from tagger.evaluation.runner import evaluate
from tagger.evaluation.slices import SplitPlan
from tagger.strategies.candidates import Candidate


class SmallChain(Both):
    """Stands where the chain does."""

    name: ClassVar[str] = "chain"


@pytest.fixture(scope="module")
def view():
    candidates = (VOTES, Candidate("chain", SmallChain))
    plan = SplitPlan(slices=("32", "all"))
    evaluation = evaluate(invented(240), candidates, plan, (0, 1), MemoryCells())
    return View(evaluation, figures(evaluation, 100), Extras("acme/rocket"))


@pytest.fixture(scope="module")
def without_chain():
    evaluation = evaluate(invented(120), (VOTES,), SplitPlan(slices=("all",)), (0,), MemoryCells())
    return View(evaluation, figures(evaluation, 100), Extras("acme/rocket"))


def test_a_label_is_switched_on_where_what_was_applied_was_right(view):
    verdict = verdict_of(view)
    pooled = view.pooled("chain", "all")
    for label in verdict.labels:
        column = view.names.index(label.name)
        applied = pooled.applied[:, column]
        if label.mode == "apply":
            assert label.high >= 0.9
            assert label.low <= label.precision <= label.high
            assert applied.any()
        if label.precision is not None and label.mode != "apply":
            assert label.high < 0.9 or not applied.all()
    assert verdict.names("apply")
    assert verdict.wrong <= verdict.wrong_at_most
    assert 0 < verdict.issues_labelled <= 1


def test_an_issue_that_two_seeds_test_counts_once(view):
    pooled = view.pooled("chain", "all")
    weights = weight_of_rows(pooled)
    assert weights.sum() == pytest.approx(len(np.unique(pooled.rows)))


def test_the_first_screen_has_the_verdict_then_the_table_then_what_to_copy(view):
    page = report_page(view)
    places = [
        page.index(words)
        for words in (
            "Switch on “",
            "Of 100 new issues the bot labels",
            '<section id="verdict">',
            "mode to set",
            "mode: suggest",
            "For the curious",
            '<section id="curves">',
        )
    ]
    assert places == sorted(places)


def test_the_text_and_the_document_say_the_same(view):
    text = report_text(view)
    document = report_json(view.evaluation, view.figures, view.extras)
    first = document["verdict"]["sentences"][0]
    assert text.splitlines()[2] == first
    assert first in report_page(view)
    assert document["verdict"]["configuration"] in text
    assert [row["name"] for row in document["verdict"]["labels"]] == [
        label.name for label in verdict_of(view).labels
    ]


def test_the_chart_of_labels_shows_what_the_bot_would_set(view):
    switched_on = set(verdict_of(view).names("apply"))
    pooled = view.pooled("chain", "all")
    for column, profile in enumerate(said_by_the_bot(view)):
        decided = pooled.applied if profile.name in switched_on else pooled.decided
        assert profile.how == ("set" if profile.name in switched_on else "suggested")
        assert profile.times == decided[:, column].sum()


def test_without_the_chain_nothing_is_promised(without_chain):
    page = report_page(without_chain)
    assert "No verdict: this run did not score the chain" in page
    assert verdict_of(without_chain).names("apply") == ()


def test_other_strategies_than_the_best_are_behind_a_fold(view):
    assert view.leading == view.evaluation.strategies
    assert "Every strategy" not in report_page(view)


def test_the_verdict_is_on_the_release_that_serves_where_there_is_one(view):
    row = {"name": "docs", "examples": 60, "cut": 0.7, "precision": 0.95, "bound": 0.91}
    manifest = {"id": "r7", "target": 0.9, "labels": [{**row, "coverage": 0.5}]}
    served = View(view.evaluation, view.figures, Extras("acme/rocket", release=manifest))
    page = report_page(served)
    assert "Switch on “docs”." in page
    assert "the release that serves, r7, can promise" in page
    assert "95 (at least 91)" in page
