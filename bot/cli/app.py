"""The application: which commands there are, and how an error ends the process.

Exit status 0: done; 1: refused with a reason on stderr; 2: wrong usage; 130: Ctrl-C.
"""

import os
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Annotated, NoReturn

import typer

from bot.cli import opening, output
from bot.cli.issues.backfill import backfill
from bot.cli.issues.forget import forget
from bot.cli.issues.import_issues import import_issues
from bot.cli.issues.sync import sync
from bot.cli.issues.tag import tag
from bot.cli.issues.undo import undo
from bot.cli.learning.audit import audit
from bot.cli.learning.benchmark import benchmark
from bot.cli.learning.compress import compress
from bot.cli.learning.evaluate import evaluate
from bot.cli.learning.prior import prior
from bot.cli.learning.promote import promote
from bot.cli.learning.pull import pull
from bot.cli.learning.push import push
from bot.cli.learning.releases import releases
from bot.cli.learning.report import report
from bot.cli.learning.retrain import retrain
from bot.cli.learning.rollback import rollback
from bot.cli.running.action import action
from bot.cli.running.demo import demo
from bot.cli.running.doctor import doctor
from bot.cli.running.failed import failed
from bot.cli.running.init import init
from bot.cli.running.model_server import model_server
from bot.cli.running.open_pages import open_pages
from bot.cli.running.preview import preview
from bot.cli.running.serve import serve
from bot.cli.running.task import task
from bot.cli.running.token import token
from bot.cli.running.validate import validate
from bot.cli.running.work import work

app = typer.Typer(
    name="issue-tagger",
    help="Labels GitHub issues well from a handful of examples, and says so when it cannot.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich alone would take a third of the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "import": (import_issues, "Bring in issues from files."),
    "sync": (sync, "Bring in issues and labels from GitHub."),
    "retrain": (retrain, "Train; the result labels unless it is worse."),
    "compress": (compress, "Make a small, fast copy of what labels."),
    "releases": (releases, "List what was trained, and what labels now."),
    "promote": (promote, "Let another trained release label."),
    "rollback": (rollback, "Let the release before label again."),
    "push": (push, "Send a release to the Hub."),
    "pull": (pull, "Fetch a release from the Hub."),
    "tag": (tag, "Show which labels fit an issue; writes none."),
    "preview": (preview, "Show what it would do with open issues."),
    "evaluate": (evaluate, "Measure how good labels would be; a report."),
    "audit": (audit, "List labels that are probably wrong."),
    "report": (report, "Tell what people did with the bot's labels."),
    "backfill": (backfill, "Label issues that are open already."),
    "undo": (undo, "Take a backfill's labels off again."),
    "benchmark": (benchmark, "Measure how fast and how large each part is."),
    "open": (open_pages, "Show the pages on this machine."),
    "serve": (serve, "Receive webhooks and tag issues."),
    "work": (work, "Work beside `serve`, on this or another host."),
    "model-server": (model_server, "Compute models for many workers."),
    "validate": (validate, "Check a configuration file."),
    "init": (init, "Write a configuration file."),
    "token": (token, "Let a script use the API."),
    "failed": (failed, "List webhooks that were given up; --retry."),
    "forget": (forget, "Drop what is old, or erase for good."),
    "doctor": (doctor, "Examine the installation; says what to do."),
    "demo": (demo, "See all of it at work, on invented issues."),
    "action": (action, "What the GitHub Action runs."),
}
"""By name: what runs, and what the list says of it, which has 60 columns."""
for _name, (_command, _short) in _COMMANDS.items():
    app.command(_name, short_help=_short)(_command)
app.command("task", hidden=True)(task)
app.command("prior", hidden=True)(prior)

TELL_THEMSELVES = {"doctor", "task"}
"""Commands beside which misspelt variables are named already."""


_PACKAGES = ("torch", "transformers", "faiss-cpu", "onnxruntime", "scikit-learn")


def _version(wanted: bool) -> None:
    if wanted:
        from tagger import __version__

        typer.echo(__version__)
        typer.echo(_versions_below())
        raise typer.Exit


def _versions_below() -> str:
    """What a report of a mistake has to name, read from metadata: importing torch takes seconds."""
    installed = (f"{package} {metadata.version(package)}" for package in _PACKAGES)
    return ", ".join([f"python {platform.python_version()}", *installed])


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks and every log line.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - acted on by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the versions.")
    ] = False,
) -> None:
    """Labels GitHub issues well from a handful of examples, and says so when it cannot."""
    opening.debug = debug
    if context.invoked_subcommand not in TELL_THEMSELVES:
        _tell_misspelt_variables()


def run() -> None:
    """Run the command that `sys.argv` names; always ends in SystemExit.

    What it makes is for its owner alone: releases, reports and caches hold private texts.
    """
    os.umask(0o077)
    output.document_state.begun = False
    try:
        app(prog_name="issue-tagger")
    except SystemExit as ending:
        sys.exit(_flushed(ending.code))
    except Exception as error:
        if opening.debug:
            raise
        _refuse(_reason(error))


def _refuse(reason: str) -> NoReturn:
    """End with status 1 and the reason on stderr; for scripts also as the one JSON document."""
    for line in reason.splitlines():
        output.tell(f"issue-tagger: {line}" if line == reason.splitlines()[0] else line)
    if "--json" in sys.argv and not output.document_state.begun:
        output.say_json({"error": reason})
    sys.exit(_flushed(1))


def _tell_misspelt_variables() -> None:
    """Say once, on stderr, which variables with the prefix are no settings."""
    from bot.process.settings import unknown_variables

    for sentence in unknown_variables():
        output.tell(f"issue-tagger: {sentence}")


def _reason(error: Exception) -> str:
    """Our own errors speak for themselves; any other is a mistake in the program."""
    from bot.errors import BotError
    from bot.github.errors import GitHubError
    from store.errors import StoreError
    from tagger.errors import TaggerError

    if isinstance(error, BotError | GitHubError | StoreError | TaggerError):
        return str(error)
    return (
        f"this should not have happened: {type(error).__name__}: {error}; "
        "`issue-tagger --debug` shows where, please report it"
    )


def _flushed(status: str | int | None) -> str | int | None:
    """Hand out what stdout holds; a reader that has gone away (`| head`) is no error to report."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain about the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
