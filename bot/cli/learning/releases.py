"""`issue-tagger releases`: which releases there are, which one serves, and what the gate said."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from store.records import StoredRelease


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
    with opened() as container, container.store.read() as work:
        stored = work.releases.list(work.repositories.get(repo).id)
    if as_json:
        say_json(
            {
                "repository": repo,
                "releases": [
                    {
                        "id": release.id,
                        "state": release.state,
                        "target": release.target,
                        "created_at": release.created_at.isoformat(),
                        "location": release.location,
                        "digest": release.digest,
                        "labels": [row["name"] for row in release.manifest.get("labels", [])],
                        "gate": release.gate_reason,
                    }
                    for release in stored
                ],
            }
        )
        return
    if not stored:
        say(f"{repo} has no release yet; issue-tagger retrain {repo} makes one")
        return
    say_table(
        ("release", "state", "created", "labels", "gate"),
        (
            (
                release.id,
                _state(release),
                f"{release.created_at:%Y-%m-%d %H:%M}",
                len(release.manifest.get("labels", [])),
                _gate(release.gate_reason),
            )
            for release in stored
        ),
        right="   >",
    )


def _state(release: "StoredRelease") -> str:
    """Its state, and what it labels where that is not issues."""
    other = "" if release.target == "issues" else f" ({release.target.replace('_', ' ')})"
    return f"{release.state}{other}"


def _gate(reason: str | None) -> str:
    """The gate's word without its figures, which --replay and --json have."""
    first = reason == "no release is active yet"
    return "the first" if first else (reason or "").partition(": ")[0]


def _replay(repo: str, release: str, *, as_json: bool) -> None:
    """The gate's table of both releases, computed again on the issues as filed."""
    from bot.learning.replaying import replay
    from bot.process.progress import waiting

    with opened() as container, waiting("scoring the issues held out"):
        replayed = replay(
            container.store,
            container.cache.location,
            container.resources(tuning=False),
            repo,
            release,
        )
    if as_json:
        say_json({"repository": repo, **replayed.as_json()})
        return
    say(f"{replayed.release} against {replayed.against}: {replayed.now.reason}")
    say(f"then: {replayed.then.reason}")
    say("the same decision and figures" if replayed.same else "NOT the same as then")
    say()
    say_table(
        ("label", "issues", "new F1", "active F1"),
        (
            (label.name, label.support, f"{label.new_f1:.3f}", f"{label.active_f1:.3f}")
            for label in replayed.now.labels
        ),
        right=" >>>",
    )
