"""`issue-tagger failed`: deliveries that were given up, and setting them going again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, repository_name
from bot.cli.output import plain, say, say_json, say_table, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.records import GivenUp

MOST_ROWS = 100
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
    from bot.use_cases.given_up import given_up, set_going

    with opened() as installation:
        found = given_up(installation.store, repo, delivery or ())
        going = set_going(installation.store, found, installation.clock()) if retry else 0
    if as_json:
        say_json({"deliveries": [_as_json(one) for one in found], "retried": going})
        return
    if not found:
        say("no delivery was given up")
        return
    _show(found[-MOST_ROWS:])
    if len(found) > MOST_ROWS:
        tell(f"the latest {MOST_ROWS} of {len(found)}; --json has them all")
    if retry:
        say(f"{going} of {len(found)} set going again; the database's workers take them up")
    else:
        tell("with --retry they are set going again")
    if empty := sum(not one.has_payload for one in found):
        tell(
            f"{empty} of them cannot be: what they told is no longer kept; /tagger retry on an "
            "issue, or issue-tagger backfill, tags what was missed"
        )


def _show(found: "Sequence[GivenUp]") -> None:
    say_table(
        ("received", "where", "what", "delivery", "attempts", "why"),
        (
            (
                f"{one.received_at:%Y-%m-%d %H:%M}",
                (one.repository or "") + (f"#{one.issue_number}" if one.issue_number else ""),
                f"{one.event} {one.action or ''}",
                one.guid,
                one.attempts,
                plain(one.error or "", 120),
            )
            for one in found
        ),
        right="    >",
    )


def _as_json(one: "GivenUp") -> dict[str, Any]:
    from dataclasses import asdict

    ended = one.finished_at and one.finished_at.isoformat()
    return asdict(one) | {"received_at": one.received_at.isoformat(), "finished_at": ended}
