"""`issue-tagger releases`: which releases there are and which one serves."""

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, say_table


def releases(repo: Repo, *, as_json: Json = False) -> None:
    """List a repository's releases, the newest first."""
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
