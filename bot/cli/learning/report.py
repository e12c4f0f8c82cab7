"""`issue-tagger report`: how labels do in use, what changed, whether to retrain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, say_table


def report(
    repo: Repo,
    *,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Where files go, instead of the data folder."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell how good labels are in use, compare with the last report, and keep this one."""
    from bot.evaluating.reporting import report as take_stock
    from bot.evaluating.reporting import write_files
    from bot.process.progress import waiting

    with opened() as container, waiting("taking stock"):
        reported = take_stock(container.store, container.cache, repo, now=container.clock())
        folder = out or container.settings.reports_folder / repo
    files = write_files(reported, folder)
    if as_json:
        say_json(reported.document)
        return
    say_report(reported.document)
    say()
    say("written: " + ", ".join(map(str, files)))


def say_report(document: Mapping[str, Any]) -> None:
    """The verdict, alarms, labels that anything is known of, and whether to retrain."""
    for alarm in document["alarms"]:
        say(f"ALARM: {alarm}")
    for sentence in document["verdict"]["sentences"]:
        say(sentence)
    say()
    _say_in_use(document["live"])
    _say_held_out(document["held_out"])
    _say_advice(document["retrain"])


def _say_in_use(live: list[dict[str, Any]]) -> None:
    rows = [row for row in live if row["week"] is None and _has_data(row)]
    if not rows:
        say("In use: nothing to measure yet; what people do with labels will show here.")
        return
    say("In use, over twelve weeks (95 % intervals):")
    say_table(
        ("label", "said", "right", "missed", "found", "answers"),
        (
            (
                row["label"],
                row["decided"],
                *(_share(row[name]) for name in ("precision", "miss_rate", "coverage")),
                max(row[name]["n"] for name in ("precision", "miss_rate", "coverage")),
            )
            for row in rows
        ),
        right=" >>>>>",
    )


def _has_data(row: Mapping[str, Any]) -> bool:
    return bool(row["decided"] or row["coverage"]["n"] or row["precision"]["n"])


def _share(share: Mapping[str, Any]) -> str:
    if share["value"] is None:
        return "-"
    low, high = share["ci"]
    return f"{share['value']:.0%} ({low:.0%} to {high:.0%})"


def _say_held_out(held_out: Mapping[str, Any]) -> None:
    if held_out["n_issues"]:
        low, high = held_out["micro_f1_ci"]
        say(
            f"On {held_out['n_issues']} issues that the release never learned from: micro F1 "
            f"{held_out['micro_f1']:.2f} ({low:.2f} to {high:.2f})."
        )


def _say_advice(advice: Mapping[str, Any]) -> None:
    if not advice["now"]:
        say("Nothing speaks for a training now.")
        return
    say("Retrain now:")
    for why in advice["why"]:
        say(f"  {why}")
