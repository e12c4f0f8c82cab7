"""Doctor: examines each part of an installation and says what to do about what it finds."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.app_credentials import is_private
from bot.errors import BotError
from bot.github.errors import GitHubError
from bot.settings import PREFIX, unknown_variables
from store.errors import SchemaMismatch, StoreError
from tagger.errors import TaggerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from bot.bootstrap import Installation
    from bot.settings import Settings

Verdict = Literal["ok", "note", "wrong"]
"""`note`: works, but less well than it could; `wrong`: a part does not work."""

LITTLE_SPACE = 1_000_000_000
"""Bytes; a release with adapted weights takes some 400 MB."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part; `advice` is empty where there is nothing to do."""

    part: str
    verdict: Verdict
    found: str
    advice: str = ""


async def examine(installation: Installation) -> tuple[Finding, ...]:
    """Look at every part; an error in one is a finding, and the rest is looked at as well."""
    settings = installation.settings
    findings = [*_settings(settings), *_database(installation), _disk(settings.data_dir)]
    findings.append(await _reported("GitHub", lambda: _github(installation)))
    findings += [_webhook(settings), *credentials_file(settings)]
    findings += [_encoder(settings), _zero_shot(settings), _bert(settings)]
    findings += _releases(installation)
    return tuple(findings)


def _settings(settings: Settings) -> Iterator[Finding]:
    wrong = unknown_variables()
    for sentence in wrong:
        yield Finding("settings", "wrong", sentence, "rename the variable, or remove it")
    if not wrong:
        yield Finding("settings", "ok", f"data in {settings.data_dir.resolve()}")


def _database(installation: Installation) -> Iterator[Finding]:
    store = installation.store
    try:
        store.ping()
        store.check_schema()
        with store.read() as work:
            counts = work.inbox.counts()
            repositories = len(work.repositories.all())
    except SchemaMismatch as error:
        yield Finding("database", "wrong", str(error), "issue-tagger serve brings it up to date")
        return
    except StoreError as error:
        yield Finding("database", "wrong", str(error), "check ISSUE_TAGGER_DATABASE_URL")
        return
    yield Finding("database", "ok", f"{store.shown_url}, {repositories} repositories")
    waiting, failed = counts.get("pending", 0), counts.get("failed", 0)
    if failed:
        advice = "the service's log says why; sync brings in what they told"
        yield Finding("inbox", "note", f"{failed} deliveries failed, {waiting} waiting", advice)
    else:
        yield Finding("inbox", "ok", f"{waiting} deliveries waiting, none failed")


def _disk(folder: Path) -> Finding:
    there = next(one for one in (folder.resolve(), *folder.resolve().parents) if one.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / 1e9:.1f} GB free at {there}"
    if free < LITTLE_SPACE:
        return Finding("disk", "wrong", found, "make room, or move ISSUE_TAGGER_DATA_DIR")
    return Finding("disk", "ok", found)


async def _github(installation: Installation) -> Finding:
    access = installation.access()
    url = installation.settings.github_api_url
    if access is None:
        return Finding(
            "GitHub",
            "note",
            f"no credentials for {url}: the bot can write nothing",
            f"set {PREFIX}GITHUB_APP_ID with {PREFIX}GITHUB_PRIVATE_KEY_FILE, "
            f"or {PREFIX}GITHUB_TOKEN",
        )
    try:
        return Finding("GitHub", "ok", f"{url} knows us as {await access.login()}")
    finally:
        await access.aclose()


async def _reported(part: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except (BotError, GitHubError) as error:
        return Finding(part, "wrong", str(error))


def _webhook(settings: Settings) -> Finding:
    secrets = settings.webhook_secrets
    if not secrets:
        return Finding(
            "webhook secret",
            "note",
            "none: no delivery is accepted",
            f"set {PREFIX}WEBHOOK_SECRET to what GitHub signs webhooks with, "
            "or let serve's set-up page make an App",
        )
    if min(map(len, secrets)) < 16:
        return Finding(
            "webhook secret", "note", "shorter than 16 characters", "make a longer one at random"
        )
    rotating = ", two while rotating" if len(secrets) > 1 else ""
    return Finding("webhook secret", "ok", f"set{rotating}")


def credentials_file(settings: Settings) -> Iterator[Finding]:
    """Whether the App's key that the set-up page stored is ours alone."""
    file = settings.app_credentials_file
    if file.exists() and not is_private(file):
        yield Finding("App", "wrong", f"others may read {file}", f"chmod 600 {file}")


def _encoder(settings: Settings) -> Finding:
    from tagger.model_sources import DEFAULT_ENCODER

    return _model("encoder", settings.encoder or DEFAULT_ENCODER, f"{PREFIX}ENCODER")


def _zero_shot(settings: Settings) -> Finding:
    from tagger.errors import ModelNotFound
    from tagger.label_judges import kind_of
    from tagger.model_sources import DEFAULT_ZERO_SHOT, locate

    try:
        source = locate(settings.zero_shot_model or DEFAULT_ZERO_SHOT)
        return Finding("zero-shot", "ok", f"{kind_of(source.folder)} by {source.name}")
    except TaggerError as error:
        if settings.zero_shot_model is not None or not isinstance(error, ModelNotFound):
            return Finding("zero-shot", "wrong", str(error), f"check {PREFIX}ZERO_SHOT_MODEL")
    return Finding(
        "zero-shot",
        "note",
        "compares label wording with the issue through the encoder: there is no NLI model, and "
        f"the hub, which has {DEFAULT_ZERO_SHOT}, is out of reach",
        f"{PREFIX}ZERO_SHOT_MODEL may name an NLI cross-encoder, by folder or hub name",
    )


def _bert(settings: Settings) -> Finding:
    from tagger.errors import ModelNotFound
    from tagger.model_sources import DEFAULT_BERT, locate

    if settings.bert_model is not None:
        return _model("transformer", settings.bert_model, f"{PREFIX}BERT_MODEL")
    try:
        source = locate(DEFAULT_BERT)
    except ModelNotFound:
        return Finding(
            "transformer",
            "note",
            f"{DEFAULT_BERT} is not here and the hub is out of reach: the encoder's own "
            "transformer is fine-tuned instead",
            f"{PREFIX}BERT_MODEL may name a folder",
        )
    return Finding("transformer", "ok", f"{source.name} from the {source.origin}")


def _model(part: str, name: str, variable: str) -> Finding:
    from tagger.model_sources import locate

    try:
        source = locate(name)
    except TaggerError as error:
        return Finding(part, "wrong", str(error), f"check {variable}")
    return Finding(part, "ok", f"{source.name} from the {source.origin}, {source.digest[:12]}")


def _releases(installation: Installation) -> Iterator[Finding]:
    """Each repository's active release, checked by its digests."""
    from tagger.release import Release

    try:
        with installation.store.read() as work:
            found = [(one, work.releases.active(one.id)) for one in work.repositories.all()]
        resources = installation.resources(tuning=False)
    except (StoreError, TaggerError):
        return  # told by the database or the models already
    for repository, active in found:
        part, name = "release", repository.full_name
        if active is None:
            advice = f"issue-tagger retrain {name}"
            yield Finding(part, "note", f"{name} has no active release", advice)
            continue
        try:
            Release.open(installation.shelf.location(active), resources)
        except TaggerError as error:
            yield Finding(part, "wrong", f"{name}: {error}", f"issue-tagger rollback {name}")
        else:
            yield Finding(part, "ok", f"{name}: {active.id} is whole and loads")
