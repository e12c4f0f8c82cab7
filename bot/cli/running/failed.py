"""`issue-tagger failed`: deliveries that were given up, and setting them going again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, repository_name
from bot.cli.output import plain, say, say_json, say_table, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.records import GivenUp

MAX_ROWS = 100
"""Of a table for people; JSON has them all."""


def failed(
    repo: Annotated[
        str | None,
        typer.Argument(
            metavar="[REPO]", callback=repository_name, help="Only of this one, as OWNER/NAME."
        ),
    ] = None,
    *,
    delivery: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this one, by GitHub's id; may be given repeatedly."),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Set them going again.")] = False,
    as_json: Json = False,
) -> None:
    """List deliveries that were given up, and why; the oldest first."""
    from bot.operations.failed_deliveries import given_up, set_going

    with opened() as container:
        given_ups = given_up(container.store, repo, delivery or ())
        going = set_going(container.store, given_ups, container.clock()) if retry else 0
    if as_json:
        say_json({"deliveries": [_as_json(given_up) for given_up in given_ups], "retried": going})
        return
    if not given_ups:
        say("no delivery was given up")
        return
    _show(given_ups[-MAX_ROWS:])
    if len(given_ups) > MAX_ROWS:
        tell(f"the latest {MAX_ROWS} of {len(given_ups)}; --json has them all")
    if retry:
        say(f"{going} of {len(given_ups)} set going again; the database's workers take them up")
    else:
        tell("with --retry they are set going again")
    if empty := sum(not given_up.has_payload for given_up in given_ups):
        tell(
            f"{empty} of them cannot be: what they told is no longer kept; /tagger retry on an "
            "issue, or issue-tagger backfill, tags what was missed"
        )


def _show(given_ups: "Sequence[GivenUp]") -> None:
    say_table(
        ("received", "where", "what", "delivery", "attempts", "why"),
        (
            (
                f"{given_up.received_at:%Y-%m-%d %H:%M}",
                (given_up.repository or "")
                + (f"#{given_up.issue_number}" if given_up.issue_number else ""),
                f"{given_up.event} {given_up.action or ''}",
                given_up.guid,
                given_up.attempts,
                plain(given_up.error or "", 120),
            )
            for given_up in given_ups
        ),
        right="    >",
    )


def _as_json(given_up: "GivenUp") -> dict[str, Any]:
    from dataclasses import asdict

    ended = given_up.finished_at and given_up.finished_at.isoformat()
    return asdict(given_up) | {
        "received_at": given_up.received_at.isoformat(),
        "finished_at": ended,
    }
