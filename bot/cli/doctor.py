"""`issue-tagger doctor`: examines each part and says what to do."""

import typer

from bot.cli.options import Json
from bot.cli.output import say, say_json, say_table

_SIGNS = {"ok": "ok", "note": "note", "wrong": "WRONG"}


def doctor(*, as_json: Json = False) -> None:
    """Examine settings, database, GitHub, models, releases and disk."""
    import asyncio
    from dataclasses import asdict

    from bot.bootstrap import build
    from bot.cli import opening
    from bot.progress import waiting
    from bot.settings import load_settings
    from bot.use_cases.examining import examine

    settings = load_settings()
    opening.set_up(settings)
    installation = build(settings)
    try:
        with waiting("examining"):
            findings = asyncio.run(examine(installation))
    finally:
        installation.close()
    if as_json:
        say_json({"findings": [asdict(one) for one in findings]})
    else:
        say_table(("part", "", "found"), ((f.part, _SIGNS[f.verdict], f.found) for f in findings))
        advice = [f"{one.part}: {one.advice}" for one in findings if one.advice]
        for line in (["", "what to do:"] if advice else []) + [f"  {one}" for one in advice]:
            say(line)
    if any(one.verdict == "wrong" for one in findings):
        raise typer.Exit(1)
