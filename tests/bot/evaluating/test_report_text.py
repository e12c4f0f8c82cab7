"""A report in Markdown: what is there is shown, what is not leaves no empty heading."""

from __future__ import annotations

from typing import Any

from bot.evaluating.report_text import WEEKS, _kind, in_words


def share(value: float | None, n: int = 20, basis: str = "asked") -> dict[str, Any]:
    return {"value": value, "ci": [0.5, 1.0], "n": n, "basis": basis}


def figures(label: str, week: str | None = None, value: float | None = 0.9) -> dict[str, Any]:
    return {
        "label": label,
        "week": week,
        "decided": 12,
        "precision": share(value),
        "miss_rate": share(0.1),
        "coverage": share(0.4),
    }


def document(**given: Any) -> dict[str, Any]:
    return {
        "repository": "acme/rocket",
        "release": "r1",
        "at": "2026-03-01T12:34:56+00:00",
        "since": None,
        "alarms": [],
        "retrain": {"now": False, "why": [], "gain": None},
        "live": [],
        "held_out": {"n_issues": 0},
        "compared_with_last": None,
        "drift": [],
        "evaluation": None,
        **given,
    }


def test_a_report_with_nothing_to_say_is_short() -> None:
    text = in_words(document())
    assert "Release r1, 2026-03-01 12:34 UTC.\n" in text
    assert "Nothing speaks for a training now." in text
    assert "No issue with a prediction yet." in text
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# How labels do in acme/rocket",
        "## In use",
    ]


def test_alarms_stand_at_the_top_and_nothing_in_them_is_markup() -> None:
    text = in_words(document(alarms=["<b>bug</b> is worse"], since="2026-02-01T00:00:00+00:00"))
    assert "> **Alarm:**" in text
    assert "<b>" not in text
    assert "Last report: 2026-02-01." in text


def test_reasons_for_a_training_and_what_it_may_bring() -> None:
    gain = {"expected": 0.0213, "labelled": 300, "learned": 200, "per_doubling": 0.05}
    text = in_words(document(retrain={"now": True, "why": ["100 new"], "gain": gain}))
    assert "## Retrain now\n\n- 100 new" in text
    assert "+0.021 micro F1: 300 labelled issues against 200, at +0.050" in text
    assert "Nothing speaks" not in text


def test_labels_in_use_with_their_latest_weeks() -> None:
    weeks = [f"2026-W{week:02}" for week in range(1, 9)]
    live = [figures("bug"), *(figures("bug", week) for week in weeks)]
    text = in_words(document(live=live))
    assert r"0.90 (0.50 to 1.00) \[20\]" in text
    assert "asked at random" in text
    assert [week for week in weeks if week in text] == weeks[-WEEKS:]


def test_a_share_that_is_not_known_is_a_dash() -> None:
    text = in_words(document(live=[figures("bug", value=None)]))
    row = next(line for line in text.splitlines() if line.startswith("| bug "))
    assert row.split("|")[3].strip() == "-"


def test_issues_held_out_beside_the_last_report() -> None:
    held_out = {
        "n_issues": 50,
        "micro_f1": 0.8,
        "micro_f1_ci": [0.7, 0.9],
        "macro_f1": 0.6,
        "macro_f1_ci": [0.5, 0.7],
    }
    compared = {"reason": "as good as the active release"}
    text = in_words(document(held_out=held_out, compared_with_last=compared))
    assert "micro F1 0.800 (0.700 to 0.900), macro F1 0.600 (0.500 to 0.700) on 50 issues" in text
    assert "Compared with the last report: as good as at the last report." in text


def test_drift_shows_first_what_is_beyond_noise() -> None:
    def sign(what: str, now: float, *, beyond: bool, n_now: int = 9) -> dict[str, Any]:
        return {
            "what": what,
            "before": 0.1,
            "now": now,
            "n_before": 9,
            "n_now": n_now,
            "beyond_noise": beyond,
        }

    signs = [
        sign("docs", 0.4, beyond=False),
        sign("bug", 0.2, beyond=True),
        sign("unseen", 0.9, beyond=True, n_now=0),
    ]
    lines = in_words(document(drift=signs)).splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.endswith(("yes |", "no |"))]
    assert rows == ["bug", "docs"]


def test_the_last_evaluation_names_what_moved() -> None:
    def change(slice_: str, *, beyond: bool) -> dict[str, Any]:
        return {
            "strategy": "chain",
            "slice": slice_,
            "micro_f1": -0.05,
            "macro_f1": 0.0,
            "micro_f1_beyond": beyond,
            "macro_f1_beyond": False,
        }

    moved = {
        "at": "2026-02-20T00:00:00+00:00",
        "notes": ["two seeds"],
        "changes": [change("64", beyond=True), change("all", beyond=False)],
    }
    text = in_words(document(evaluation=moved))
    assert "## Last evaluation: 2026-02-20\n\n> two seeds" in text
    assert "- chain at 64: micro F1 -0.050, macro F1 +0.000 since the one before" in text
    assert "at all" not in text
    moved["changes"] = []
    assert "Nothing moved beyond" in in_words(document(evaluation=moved))


def test_other_kinds_have_chapters_of_their_own() -> None:
    kind = {"release": "p1", "live": [], "held_out": {"n_issues": 0}}
    with_release = "\n".join(_kind(kind, "pull_requests"))
    assert with_release.startswith("## Pull requests")
    assert "None with a prediction yet" in with_release
    assert "retrain --target pull_requests" in "\n".join(
        _kind({**kind, "release": None}, "pull_requests")
    )
    assert list(_kind(None, "discussions")) == []
