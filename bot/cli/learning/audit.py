"""`issue-tagger audit`: labels that are probably wrong, missing, confused, doubled or dead."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo, Seed
from bot.cli.output import plain, say, say_json, say_table, terminal_width

if TYPE_CHECKING:
    from bot.evaluating.auditing import Audit

SHOWN = 20


def audit(
    repo: Repo,
    *,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Findings of a kind to show.")
    ] = SHOWN,
    html: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, help="Write a page with links to the issues."),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """List labels that are probably wrong or missing, confusable pairs and dead labels."""
    from datetime import UTC, datetime

    from bot.evaluating.auditing import audit as find_suspects
    from bot.evaluating.auditing_page import write_page
    from bot.github.web_addresses import issue_address
    from bot.process.progress import ShownProgress

    with opened() as container, ShownProgress() as progress:
        resources = container.resources(progress, tuning=False)
        findings = find_suspects(container.store, resources, repo, now=datetime.now(UTC), seed=seed)
        address = issue_address(container.settings.github_api_url, repo)
    if html is not None:
        write_page(findings, repo, address, html)
    if as_json:
        say_json({"repository": repo, **findings.as_json(address)})
        return
    say_audit(findings, limit)
    say()
    say(f"An issue is at {address.replace('{number}', 'NUMBER')}")
    say(_next_step(repo, html))


def _next_step(repo: str, html: Path | None) -> str:
    if html is not None:
        return f"written: {html}"
    return (
        f"Next: look at the first few and correct what is wrong; issue-tagger audit {repo} --html "
        f"audit.html writes all of them as a page of links; then issue-tagger retrain {repo}"
    )


def say_audit(findings: "Audit", limit: int = SHOWN) -> None:
    """Each kind of finding under a heading of its own, so many of each."""
    from bot.evaluating.auditing import most_informative

    shown = most_informative(findings.suspects, limit)
    title = min(70, max((terminal_width() or 120) - 50, 20))
    say(f"Labels that are probably wrong or missing: {_of(len(shown), len(findings.suspects))}")
    say_table(
        ("", "label", "suspicion", "issue"),
        (
            (
                suspect.kind,
                suspect.label,
                f"{suspect.suspicion:.2f}",
                f"#{suspect.number} {plain(findings.titles[suspect.number], title)}",
            )
            for suspect in shown
        ),
        right="  >",
    )
    say()
    say(f"Labels that are confused: {_of(limit, len(findings.confused))}")
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
            for confused_pair in findings.confused[:limit]
        ),
        right="  >>",
    )
    say()
    say(f"Labels that may be one: {_of(limit, len(findings.doubles))}")
    for pair in findings.doubles[:limit]:
        say(f"  {pair.first} and {pair.second}: {pair.why}")
    say()
    say(f"Labels that nobody uses: {', '.join(use.name for use in findings.dead) or 'none'}")
    say(f"Labels that only bots set: {', '.join(use.name for use in findings.bot_only) or 'none'}")


def _of(shown: int, total: int) -> str:
    return f"{shown} of {total}" if shown < total else str(total)


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(f"#{number}" for number in numbers)
