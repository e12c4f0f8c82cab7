"""A report as Markdown, for an issue, a file or the terminal; names of labels are escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagger.evaluation.report.tables import ReportTable, TableCell, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WEEKS = 6
"""Weeks shown of each label, the latest ones."""

_BASES = {
    "asked": "asked at random",
    "reviewed": "issues drawn at random",
    "seen": "issues that people looked at",
}


def in_words(document: Mapping[str, Any]) -> str:
    """The whole report."""
    parts = [
        f"# How labels do in {escaped(document['repository'])}",
        f"Release {escaped(document['release'])}, {document['at'][:16].replace('T', ' ')} UTC."
        + (f" Last report: {document['since'][:10]}." if document["since"] else ""),
        *map(escaped, document.get("verdict", {}).get("sentences", ())),
        *(f"> **Alarm:** {escaped(alarm)}" for alarm in document["alarms"]),
        *_retrain(document["retrain"]),
        *_in_use(document["live"]),
        *_held_out(document),
        *_drift(document["drift"]),
        *_evaluation(document["evaluation"]),
        *_kind(document.get("pull_requests"), "pull_requests"),
        *_kind(document.get("discussions"), "discussions"),
    ]
    return "\n\n".join(parts) + "\n"


def _retrain(advice: Mapping[str, Any]) -> Iterator[str]:
    if advice["now"]:
        yield "## Retrain now\n\n" + "\n".join(f"- {escaped(why)}" for why in advice["why"])
    gain = advice["gain"]
    if gain:
        yield (
            f"A training now may bring {gain['expected']:+.3f} micro F1: {gain['labelled']} "
            f"labelled issues against {gain['learned']}, at {gain['per_doubling']:+.3f} for the "
            "last doubling in the evaluation; curves flatten, so rather less."
        )
    elif not advice["now"]:
        yield "Nothing speaks for a training now."


def _in_use(live: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    total = [row for row in live if row["week"] is None]
    if not total:
        yield "## In use\n\nNo issue with a prediction yet."
        return
    heads = ["label", "set or suggested", "precision", "missed", "coverage", "told by"]
    yield "## In use"
    yield "Twelve weeks, with 95 % intervals and in brackets the answers that a figure rests on."
    yield ReportTable.of(heads, [[row["label"], *_row(row)] for row in total]).markdown()
    weeks = sorted({row["week"] for row in live if row["week"]})[-WEEKS:]
    by_key = {(row["label"], row["week"]): row for row in live}
    rows = [
        [row["label"], *(_week(by_key.get((row["label"], week))) for week in weeks)]
        for row in total
    ]
    yield "### Precision week by week"
    yield ReportTable.of(["label", *weeks], rows).markdown()


def _row(row: Mapping[str, Any]) -> list[object]:
    shares = [_share(row[name]) for name in ("precision", "miss_rate", "coverage")]
    return [row["decided"], *shares, _BASES[row["precision"]["basis"]]]


def _share(share: Mapping[str, Any]) -> TableCell:
    if share["value"] is None:
        return TableCell("-", number=True)
    low, high = share["ci"]
    return TableCell(f"{share['value']:.2f} ({low:.2f} to {high:.2f}) [{share['n']}]", number=True)


def _kind(kind: Mapping[str, Any] | None, target: str) -> Iterator[str]:
    """Another kind by itself: nothing said of issues holds for it."""
    if kind is None:
        return
    named = target.replace("_", " ")
    yield f"## {named.capitalize()}"
    if kind["release"] is None:
        yield f"No release labels them yet: issue-tagger retrain --target {target} makes one."
        return
    rows = [[row["label"], *_row(row)] for row in kind["live"]]
    heads = ["label", "set or suggested", "precision", "missed", "coverage", "told by"]
    yield ReportTable.of(heads, rows).markdown() if rows else "None with a prediction yet."
    if kind["held_out"]["n_issues"]:
        yield _figures_held_out(kind["held_out"], named)


def _figures_held_out(held_out: Mapping[str, Any], kind: str) -> str:
    figures = (
        f"{name} {held_out[key]:.3f} ({low:.3f} to {high:.3f})"
        for name, key in (("micro F1", "micro_f1"), ("macro F1", "macro_f1"))
        for low, high in [held_out[f"{key}_ci"]]
    )
    number = held_out["n_issues"]
    return f"{', '.join(figures)} on {number} {kind} that the release never learned from."


def _week(row: Mapping[str, Any] | None) -> TableCell:
    if row is None or row["precision"]["value"] is None:
        return TableCell("-", number=True)
    return TableCell(f"{row['precision']['value']:.2f} [{row['precision']['n']}]", number=True)


def _held_out(document: Mapping[str, Any]) -> Iterator[str]:
    held_out, compared = document["held_out"], document["compared_with_last"]
    if not held_out["n_issues"]:
        return
    yield "## On issues held out"
    yield _figures_held_out(held_out, "issues")
    if compared is not None:
        reason = compared["reason"].replace("the active release", "at the last report")
        yield escaped(f"Compared with the last report: {reason}.")


def _drift(signs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    comparable = [sign for sign in signs if sign["n_before"] and sign["n_now"]]
    if not comparable:
        return
    comparable.sort(key=lambda sign: (not sign["beyond_noise"], -abs(sign["now"] - sign["before"])))
    rows = [
        [
            sign["what"],
            TableCell(f"{sign['before']:.1%}", number=True),
            TableCell(f"{sign['now']:.1%}", number=True),
            "yes" if sign["beyond_noise"] else "no",
        ]
        for sign in comparable
    ]
    yield "## Drift"
    yield "Shares when the release was trained and since; label by label, and of words and silence."
    yield ReportTable.of(["sign", "then", "now", "beyond noise"], rows).markdown()


def _evaluation(evaluation: Mapping[str, Any] | None) -> Iterator[str]:
    if evaluation is None:
        return
    yield f"## Last evaluation: {evaluation['at'][:10]}"
    yield from (f"> {escaped(note)}" for note in evaluation["notes"])
    beyond = [
        change
        for change in evaluation["changes"]
        if change["micro_f1_beyond"] or change["macro_f1_beyond"]
    ]
    yield (
        "\n".join(
            f"- {escaped(change['strategy'])} at {change['slice']}: "
            f"micro F1 {change['micro_f1']:+.3f}, macro F1 {change['macro_f1']:+.3f} "
            "since the one before"
            for change in beyond
        )
        or "Nothing moved beyond the interval of the one before."
    )
