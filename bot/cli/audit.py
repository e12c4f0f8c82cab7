"""`issue-tagger audit`: labels that are probably wrong, missing, confused, doubled or dead."""

from typing import TYPE_CHECKING

from bot.cli.opening import opened
from bot.cli.options import Json, Repo, Seed
from bot.cli.output import plain, say, say_json, say_table

if TYPE_CHECKING:
    from bot.use_cases.auditing import Audit

SHOWN = 20


def audit(repo: Repo, *, seed: Seed = 0, as_json: Json = False) -> None:
    """List labels that are probably wrong or missing, confusable pairs and dead labels."""
    from datetime import UTC, datetime

    from bot.progress import ShownProgress
    from bot.use_cases.auditing import audit as judge

    with opened() as installation, ShownProgress() as progress:
        resources = installation.resources(progress, tuning=False)
        found = judge(installation.store, resources, repo, now=datetime.now(UTC), seed=seed)
    if as_json:
        say_json({"repository": repo, **found.as_json()})
    else:
        say_audit(found)


def say_audit(found: "Audit") -> None:
    """Each kind of finding under a heading of its own."""
    from bot.use_cases.auditing import most_telling

    shown = most_telling(found.suspects, SHOWN)
    say(f"Labels that are probably wrong or missing: {len(found.suspects)}")
    say_table(
        ("", "label", "suspicion", "issue"),
        (
            (
                one.kind,
                one.label,
                f"{one.suspicion:.2f}",
                f"#{one.number} {plain(found.titles[one.number], 70)}",
            )
            for one in shown
        ),
        right="  >",
    )
    say()
    say(f"Labels that are confused: {len(found.confused)}")
    say_table(
        ("of", "taken for", "issues", "share", "such as"),
        (
            (one.true, one.given, one.count, f"{one.share:.0%}", _numbers(one.issues))
            for one in found.confused[:SHOWN]
        ),
        right="  >>",
    )
    say()
    say(f"Labels that may be one: {len(found.doubles)}")
    for pair in found.doubles[:SHOWN]:
        say(f"  {pair.first} and {pair.second}: {pair.why}")
    say()
    say(f"Labels that nobody uses: {', '.join(use.name for use in found.dead) or 'none'}")
    say(f"Labels that only bots set: {', '.join(use.name for use in found.bot_only) or 'none'}")


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(f"#{number}" for number in numbers)
