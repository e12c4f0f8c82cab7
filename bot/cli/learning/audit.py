"""`issue-tagger audit`: labels that are probably wrong, missing, confused, doubled or dead."""

from typing import TYPE_CHECKING

from bot.cli.opening import opened
from bot.cli.options import Json, Repo, Seed
from bot.cli.output import plain, say, say_json, say_table

if TYPE_CHECKING:
    from bot.evaluating.auditing import Audit

SHOWN = 20


def audit(repo: Repo, *, seed: Seed = 0, as_json: Json = False) -> None:
    """List labels that are probably wrong or missing, confusable pairs and dead labels."""
    from datetime import UTC, datetime

    from bot.evaluating.auditing import audit as find_suspects
    from bot.process.progress import ShownProgress

    with opened() as container, ShownProgress() as progress:
        resources = container.resources(progress, tuning=False)
        findings = find_suspects(container.store, resources, repo, now=datetime.now(UTC), seed=seed)
    if as_json:
        say_json({"repository": repo, **findings.as_json()})
    else:
        say_audit(findings)


def say_audit(findings: "Audit") -> None:
    """Each kind of finding under a heading of its own."""
    from bot.evaluating.auditing import most_informative

    shown = most_informative(findings.suspects, SHOWN)
    say(f"Labels that are probably wrong or missing: {len(findings.suspects)}")
    say_table(
        ("", "label", "suspicion", "issue"),
        (
            (
                suspect.kind,
                suspect.label,
                f"{suspect.suspicion:.2f}",
                f"#{suspect.number} {plain(findings.titles[suspect.number], 70)}",
            )
            for suspect in shown
        ),
        right="  >",
    )
    say()
    say(f"Labels that are confused: {len(findings.confused)}")
    say_table(
        ("of", "taken for", "issues", "share", "such as"),
        (
            (
                confused_pair.true,
                confused_pair.given,
                confused_pair.count,
                f"{confused_pair.share:.0%}",
                _numbers(confused_pair.issues),
            )
            for confused_pair in findings.confused[:SHOWN]
        ),
        right="  >>",
    )
    say()
    say(f"Labels that may be one: {len(findings.doubles)}")
    for pair in findings.doubles[:SHOWN]:
        say(f"  {pair.first} and {pair.second}: {pair.why}")
    say()
    say(f"Labels that nobody uses: {', '.join(use.name for use in findings.dead) or 'none'}")
    say(f"Labels that only bots set: {', '.join(use.name for use in findings.bot_only) or 'none'}")


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(f"#{number}" for number in numbers)
