"""`issue-tagger doctor`: examines each part and says what to do."""

import typer

from bot.cli.options import Json
from bot.cli.output import say, say_json, say_table

_SIGNS = {"ok": "ok", "note": "note", "wrong": "WRONG"}


def doctor(*, as_json: Json = False) -> None:
    """Examine settings, database, GitHub, models, releases and disk."""
    import asyncio
    from dataclasses import asdict

    from bot.cli import opening
    from bot.container import build
    from bot.operations.doctor import examine
    from bot.process.progress import waiting
    from bot.process.settings import load_settings

    settings = load_settings()
    opening.set_up(settings)
    container = build(settings)
    try:
        with waiting("examining"):
            findings = asyncio.run(examine(container))
    finally:
        container.close()
    if as_json:
        say_json({"findings": [asdict(finding) for finding in findings]})
    else:
        say_table(("part", "", "found"), ((f.part, _SIGNS[f.verdict], f.found) for f in findings))
        advice = [f"{finding.part}: {finding.advice}" for finding in findings if finding.advice]
        for line in (["", "what to do:"] if advice else []) + [
            f"  {advice_line}" for advice_line in advice
        ]:
            say(line)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(1)
