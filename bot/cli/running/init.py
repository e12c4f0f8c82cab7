"""`issue-tagger init`: writes a configuration file from what the serving release can promise."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json
from bot.errors import CommandRefused

FILE = Path(".github/issue-tagger.yml")


def init(
    repo: Repo,
    *,
    out: Annotated[
        Path, typer.Option("--out", dir_okay=False, metavar="FILE", help="Where to write it.")
    ] = FILE,
    switch_on: Annotated[
        bool,
        typer.Option("--switch-on", help="Set and suggest labels at once, instead of watching."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a configuration file from what the release that serves can promise.

    It only watches (mode: shadow) and holds what could be switched on as comments, unless
    --switch-on is given.
    """
    from tagger.monitoring.verdict import as_json as verdict_as_json
    from tagger.monitoring.verdict import configuration, sentences, verdict_of_manifest

    with opened() as container, container.store.read() as work:
        active = work.releases.active(work.repositories.get(repo).id)
    if active is None:
        raise CommandRefused(
            f"{repo} has no active release, which says what can be promised; "
            f"issue-tagger retrain {repo} makes one"
        )
    outlook = verdict_of_manifest(active.manifest)
    text = configuration(outlook, watch=not switch_on)
    _write(out, _head(repo, active.id, sentences(outlook)) + text, force=force)
    if as_json:
        say_json({"repository": repo, "file": str(out), **verdict_as_json(outlook)})
        return
    for sentence in sentences(outlook):
        say(sentence)
    say()
    say(f"written: {out}")
    say(_next_step(out, repo, switch_on=switch_on))


def _head(repo: str, release: str, why: list[str]) -> str:
    """What was chosen and why, as comments; names of labels stay on their line."""
    lines = [f"For {repo}, from what release {release} can promise:", *why]
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)


def _write(file: Path, text: str, *, force: bool) -> None:
    if file.exists() and not force:
        raise CommandRefused(f"{file} is there already; --force replaces it, --out writes another")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f"{file.name}.tmp")
        aside.write_text(text, encoding="utf-8")
        aside.replace(file)
    except OSError as error:
        raise CommandRefused(f"{file} cannot be written: {error.strerror}") from None


def _next_step(file: Path, repo: str, *, switch_on: bool) -> str:
    then = "" if switch_on else "; take off the # before what is to be switched on"
    return f"Next: issue-tagger validate {file} --repo {repo}{then}; then commit it."
