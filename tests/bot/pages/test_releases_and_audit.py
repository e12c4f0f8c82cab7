"""Releases with the gate's figures and curves, and the audit as a list to go through."""

from __future__ import annotations

import time

import pytest
from fakes_bot import LABELS, REPO
from fakes_pages import Forms

from bot.evaluating import auditing
from bot.evaluating.auditing import Audit
from store.records import IssueRecord, LabelRecord, ReleaseRecord
from tagger.monitoring.audit import ConfusedPair, Suspect
from tagger.monitoring.gate import GateDecision, GateFigure
from tagger.statistics.bootstrap import Comparison, Interval

BASE = f"/r/{REPO}"
ROW = {
    "name": "bug", "examples": 40, "served_by": "linear", "cut": 0.9, "precision": 0.97,
    "bound": 0.91, "coverage": 0.5, "missing": 0, "missing_at_least": 0, "missing_at_most": 0,
}  # fmt: skip
FEW = ROW | {"name": "docs", "examples": 3, "cut": None, "precision": None, "bound": None,
             "missing": 40, "missing_at_least": 40, "missing_at_most": 90}  # fmt: skip


@pytest.fixture
def released(installation, clock, releases):
    """Two releases, the second held back by the gate, and an evaluation."""
    releases.promote(installation.store, "r1", LABELS, clock())
    figure = GateFigure("micro_f1", 0.5, 0.61, Comparison(Interval(-0.11, -0.2, -0.02), 0.99), True)
    gate = GateDecision(False, "micro F1 is worse", 120, (figure,))
    with installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        manifest = {"labels": [ROW, FEW], "n_issues": 300, "target": 0.9}
        for name in ("r1", "r2"):
            record = ReleaseRecord(name, clock(), name, "digest", manifest, gate)
            work.releases.add(repository.id, record)
        run = work.evaluations.start(repository.id, "evaluate", "f", {}, clock())
        summary = [
            {"strategy": strategy, "slice": str(size), "n_train": size, "micro_f1": 0.5,
             "micro_f1_ci": [0.4, 0.6], "macro_f1": 0.3, "macro_f1_ci": [0.2, 0.4]}
            for strategy in ("chain", "knn") for size in (0, 8, 64)
        ]  # fmt: skip
        work.evaluations.finish(run.id, {"summary": summary, "n_labelled": 300}, clock())
    return repository


def test_releases_stand_side_by_side_with_what_each_label_can_do(local, released) -> None:
    text = local.get(f"{BASE}/releases")
    for part in (
        "held back: micro F1 is worse", "0.500", "against 0.610", "40 to 90 more",
        "&#34;bug&#34;: {mode: apply}", "&#34;docs&#34;: {mode: suggest}", "serves now", "Promote",
    ):  # fmt: skip
        assert part in text, part


def test_curves_are_drawn_without_a_style_of_their_own(local, released) -> None:
    text = local.get(f"{BASE}/releases")
    assert text.count("<svg") >= 2
    assert "Micro F1 over labelled issues" in text
    assert " style=" not in text
    document = local.client.get(f"/api/v1/repositories/{REPO}/evaluation").json()
    assert [len(curve["points"]) for curve in document["curves"]] == [2, 2]


@pytest.fixture
def audited(installation, clock, monkeypatch):
    """An audit that finds a wrong label and a missing one."""
    found = Audit(
        (Suspect(1, "bug", "wrong", 0.97, True), Suspect(2, "docs", "missing", 0.9, True)),
        (ConfusedPair("bug", "docs", 4, 0.2, (1,)),),
        (), (), (), {1: "It <crashes>", 2: "Explain"},
    )  # fmt: skip
    monkeypatch.setattr(auditing, "audit", lambda *_, **__: found)
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=clock())
        work.labels.upsert(repository.id, [LabelRecord(name) for name in LABELS], now=clock())
        rows = [
            IssueRecord(1, "It <crashes>", "", ("bug",), clock()),
            IssueRecord(2, "Explain", "", (), clock()),
        ]
        work.issues.upsert(repository.id, rows)
    return repository


def labels(installation, repository) -> dict[int, tuple[str, ...]]:
    with installation.store.read() as work:
        return {issue.number: issue.labels for issue in work.issues.walk(repository.id)}


def page(local) -> str:
    for _ in range(50):
        if "looks again by itself" not in (text := local.get(f"{BASE}/audit")):
            return text
        time.sleep(0.1)
    raise AssertionError(text)


def test_the_audit_is_gone_through_with_the_same_keys(local, audited, installation) -> None:
    text = page(local)
    assert "2 labels on issues are probably wrong or missing" in text
    assert "It &lt;crashes&gt;" in text
    forms = [form for form in Forms(text).forms if form.action.endswith("/decide")]
    wrong, missing = sorted(forms, key=lambda form: form.fields["number"])
    part = local.client.post(
        wrong.action, data=wrong.fields | {"decision": "dismiss"}, headers={"X-Part": "item"}
    ).text
    assert "does not belong" in part
    assert 'data-key="u"' in part
    local.send(missing, decision="approve")
    assert labels(installation, audited) == {1: (), 2: ("docs",)}
    local.send(wrong, decision="undo")
    assert labels(installation, audited) == {1: ("bug",), 2: ("docs",)}
    assert "belongs on it" in page(local)


def test_what_goes_wrong_aside_is_said_and_can_be_asked_for_again(
    local, audited, monkeypatch
) -> None:
    def fails(*_, **__):
        from bot.errors import CommandRefused

        raise CommandRefused("there are too few labelled issues")

    monkeypatch.setattr(auditing, "audit", fails)
    assert "there are too few labelled issues" in local.get(f"{BASE}/audit", status=409)
    assert "there are too few labelled issues" in local.get(f"{BASE}/audit", status=409)
