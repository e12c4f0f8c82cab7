"""`issue-tagger benchmark`: how fast, how large and how good each strategy is in each runtime."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Labels, Strategies, listed, repository_name
from bot.cli.output import say, say_json, say_table, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.benchmark.report import BenchmarkReport
    from tagger.runtimes import Runtime


def _runtimes(value: str | None) -> str | None:
    from tagger.runtimes import RUNTIMES

    if value is not None:
        for name in listed(value):
            if name not in RUNTIMES:
                raise typer.BadParameter(f"got {name!r}, expected some of {', '.join(RUNTIMES)}")
    return value


AnyRepository = Annotated[
    str | None,
    typer.Option(
        metavar="REPO",
        callback=repository_name,
        help="Repository, as OWNER/NAME; without it, an invented one.",
    ),
]


def benchmark(
    *,
    repo: AnyRepository = None,
    labels: Labels = None,
    strategies: Strategies = None,
    runtimes: Annotated[
        str | None,
        typer.Option(metavar="A,B", callback=_runtimes, help="Runtimes; without it, all."),
    ] = None,
    issues: Annotated[int, typer.Option(min=5, help="How many issues to ask about.")] = 100,
    no_peers: Annotated[
        bool, typer.Option("--no-peers", help="Leave other libraries out.")
    ] = False,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Where reports go.")] = None,
    as_json: Json = False,
) -> None:
    """Measure latency, throughput, size, memory and F1 of each strategy and runtime."""
    from bot.evaluating.benchmarking import BenchmarkRequest
    from bot.evaluating.benchmarking import benchmark as measure
    from bot.process.progress import ShownProgress
    from tagger.benchmark.report import write

    request = BenchmarkRequest(
        repo,
        listed(labels) or None,
        listed(strategies) or None,
        cast("tuple[Runtime, ...]", listed(runtimes)) or None,
        issues,
        peers=not no_peers,
    )
    with opened() as container, ShownProgress() as progress:
        report = measure(container, request, progress)
        files = write(report, out or container.settings.reports_folder / "benchmark")
    for note in report.notes:
        tell(f"note: {note}")
    if as_json:
        say_json(report.as_json())
    else:
        _say(report, files)


def _say(report: "BenchmarkReport", files: "Sequence[Path]") -> None:
    from tagger.benchmark.report import COLUMNS, cells

    say_table(COLUMNS, map(cells, report.rows), right="  " + ">" * (len(COLUMNS) - 2))
    say()
    say("report: " + ", ".join(map(str, files)))
