"""`issue-tagger evaluate`: how good each strategy is on the repository's own issues."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Labels, Repo, Strategies, Target, listed, repository_name
from bot.cli.output import say, say_json, say_table, tell

SLICES = "0,8,16,32,64,128,all"


MAX_DIGITS = 9


def _slices(value: str) -> str:
    """The slices' names as the report writes them: 08 is 8, and each is there once."""
    names = listed(value)
    for name in names:
        is_number = name.isascii() and name.isdigit() and len(name) <= MAX_DIGITS
        if name != "all" and not is_number:
            raise typer.BadParameter(f"got {name[:40]!r}, expected numbers of issues, or all")
    if not names:
        raise typer.BadParameter("got none, expected numbers of issues, or all")
    return ",".join(dict.fromkeys(name if name == "all" else str(int(name)) for name in names))


def evaluate(
    repo: Repo,
    *,
    strategies: Strategies = None,
    slices: Annotated[
        str, typer.Option(metavar="A,B", callback=_slices, help="Labelled issues to learn from.")
    ] = SLICES,
    seeds: Annotated[
        int, typer.Option(min=1, help="How often to repeat, with other issues drawn.")
    ] = 5,
    split: Annotated[
        Literal["stratified", "temporal"], typer.Option(help="How to choose the test set.")
    ] = "stratified",
    test_size: Annotated[int | None, typer.Option(min=1, help="Issues to test on.")] = None,
    pool: Annotated[int | None, typer.Option(min=1, help="Issues that slices are drawn from.")] = (
        None
    ),
    holdout: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="File of issue numbers to test on."),
    ] = None,
    target: Target = "issues",
    labels: Labels = None,
    confirm_after_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=365,
            metavar="N",
            help="A bot's label that stood N days counts as confirmed; 0: none does.",
        ),
    ] = None,
    foreign: Annotated[
        str | None,
        typer.Option(
            metavar="REPO",
            callback=repository_name,
            help="Another stored repository, whose issues should get no label.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Where reports go.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run was ended.")] = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that share the work; by itself as many as fit."),
    ] = None,
    join: Annotated[
        int | None,
        typer.Option(min=0, metavar="RUN", help="Help with a run begun elsewhere; 0: the newest."),
    ] = None,
    while_alive: Annotated[int | None, typer.Option(hidden=True)] = None,
    threads: Annotated[int | None, typer.Option(min=1, hidden=True)] = None,
    as_json: Json = False,
) -> None:
    """Score every strategy over slices of labelled issues, and write a report."""
    from bot.evaluating.evaluating import evaluate as score
    from bot.evaluating.evaluation_request import EvaluationRequest
    from bot.evaluating.issue_numbers import read_numbers
    from bot.github.web_addresses import issue_address
    from bot.learning.training_data import check_labels
    from bot.process.progress import ShownProgress
    from tagger.evaluation.slices import SplitPlan

    if join is not None:
        _join(repo, join, while_alive, threads)
        return
    plan = SplitPlan(
        kind=split,
        slices=listed(slices),
        test_size=test_size,
        pool=pool,
        holdout=read_numbers(holdout) if holdout else frozenset(),
    )
    request = EvaluationRequest(
        plan,
        listed(strategies) or None,
        listed(labels) or None,
        seeds,
        confirm_after_days,
        foreign=foreign,
        target=target,
    )
    with opened() as container, ShownProgress() as progress:
        check_labels(container.store, repo, request.labels)
        settings = container.settings
        done = score(
            container.evaluation_workspace(repo, progress),
            request,
            out=out or settings.reports_folder / repo / ("" if target == "issues" else target),
            resume=resume,
            processes=processes,
            issue_url=issue_address(settings.github_api_url, repo),
        )
    for note in done.notes:
        tell(f"note: {note}")
    if as_json:
        say_json(done.report)
        return
    say_summary(done.report)
    say()
    say("report: " + ", ".join(map(str, done.files)))


def _join(repo: str, run: int, parent: int | None, threads: int | None) -> None:
    """Work on cells of a run that another process, here or elsewhere, began."""
    from bot.evaluating.evaluating import is_alive
    from bot.evaluating.evaluating import join as help_with
    from bot.process.progress import ShownProgress
    from tagger.runtimes.threads import limit_threads

    if threads is not None:
        limit_threads(threads)
    with opened() as container, ShownProgress() as progress:
        joined = help_with(
            container.evaluation_workspace(repo, progress),
            run_id=run or None,
            alive=is_alive(parent) if parent else lambda: True,
        )
    say(f"nothing of run {joined} is free any more")


def say_summary(report: dict[str, Any]) -> None:
    """Each strategy on each slice: mean F1 over the seeds, with its interval."""
    say_table(
        ("strategy", "slice", "issues", "micro F1", "", "macro F1", ""),
        (
            (
                row["strategy"],
                row["slice"],
                row["n_train"],
                f"{row['micro_f1']:.3f}",
                "-".join(f"{end:.3f}" for end in row["micro_f1_ci"]),
                f"{row['macro_f1']:.3f}",
                "-".join(f"{end:.3f}" for end in row["macro_f1_ci"]),
            )
            for row in report["summary"]
        ),
        right=" >>>>>>",
    )
