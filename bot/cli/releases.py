"""`issue-tagger releases`: which releases there are, which one serves, and what the gate said."""

from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, say_table


def releases(
    repo: Repo,
    *,
    replay: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Ask the gate about this release once more."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List a repository's releases, the newest first."""
    if replay is not None:
        _replay(repo, replay, as_json=as_json)
        return
    with opened() as installation, installation.store.read() as work:
        found = work.releases.list(work.repositories.get(repo).id)
    if as_json:
        say_json(
            {
                "repository": repo,
                "releases": [
                    {
                        "id": one.id,
                        "state": one.state,
                        "created_at": one.created_at.isoformat(),
                        "location": one.location,
                        "digest": one.digest,
                        "labels": [row["name"] for row in one.manifest.get("labels", [])],
                        "gate": (one.gate or {}).get("reason"),
                    }
                    for one in found
                ],
            }
        )
        return
    if not found:
        say(f"{repo} has no release yet; issue-tagger retrain {repo} makes one")
        return
    say_table(
        ("release", "state", "created", "labels", "gate"),
        (
            (
                one.id,
                one.state,
                f"{one.created_at:%Y-%m-%d %H:%M}",
                len(one.manifest.get("labels", [])),
                (one.gate or {}).get("reason"),
            )
            for one in found
        ),
        right="   >",
    )


def _replay(repo: str, release: str, *, as_json: bool) -> None:
    """The gate's table of both releases, computed again on the issues as filed."""
    from bot.progress import waiting
    from bot.use_cases.replaying import replay

    with opened() as installation, waiting("scoring the issues held out"):
        found = replay(
            installation.store,
            installation.shelf.location,
            installation.resources(tuning=False),
            repo,
            release,
        )
    if as_json:
        say_json({"repository": repo, **found.as_json()})
        return
    say(f"{found.release} against {found.against}: {found.now.reason}")
    say(f"then: {found.then['reason']}")
    say("the same decision and figures" if found.same else "NOT the same as then")
    say()
    say_table(
        ("label", "issues", "new F1", "active F1"),
        (
            (one.name, one.support, f"{one.new_f1:.3f}", f"{one.active_f1:.3f}")
            for one in found.now.labels
        ),
        right=" >>>",
    )
