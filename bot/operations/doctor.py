"""Doctor: examines each part of an installation and says what to do about what it finds."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.operations.doctor_findings import Finding
from bot.operations.doctor_github import examine_clock, examine_github
from bot.operations.doctor_live import examine_live
from bot.operations.doctor_machine import examine_processor, examine_way, examine_writing
from bot.process.app_credentials import is_private
from bot.process.settings import PREFIX, unknown_variables
from store.errors import SchemaMismatch, SchemaTooNew, StoreError
from tagger.errors import TaggerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.container import Container
    from bot.process.settings import Settings

LITTLE_SPACE = 1_000_000_000
"""Bytes; a release with adapted weights takes some 400 MB."""


async def examine(container: Container) -> tuple[Finding, ...]:
    """Look at every part; an error in one is a finding, and the rest is looked at as well."""
    settings = container.settings
    findings = [*_settings(settings), *_database(container), _disk(container)]
    way = [*examine_way(settings)]
    findings += way
    if all(finding.verdict == "ok" for finding in way):  # else no connection can be made
        findings += await examine_github(container, _repositories(container))
    findings.append(examine_clock(container, _database_ahead(container)))
    findings += [_webhook(settings), *credentials_file(settings), *_shared(settings)]
    findings += [*filter(None, (examine_writing(settings),))]
    findings += [_device(settings), examine_processor()]
    findings += [_encoder(settings), _zero_shot(settings), _bert(settings)]
    findings += [*_named_models(settings)]
    findings += [*_releases(container), *examine_live(container)]
    return tuple(findings)


def _settings(settings: Settings) -> Iterator[Finding]:
    wrong = unknown_variables()
    for sentence in wrong:
        yield Finding("settings", "wrong", sentence, "rename the variable, or remove it")
    if not wrong:
        yield Finding("settings", "ok", f"data in {settings.data_dir.resolve()}")


def _database(container: Container) -> Iterator[Finding]:
    """Whether it answers, whether its tables are of the code's age, and what waits in it."""
    store = container.store
    try:
        store.ping()
    except StoreError as error:
        yield Finding("database", "wrong", str(error), f"check {PREFIX}DATABASE_URL")
        return
    yield Finding("database", "ok", store.shown_url)
    try:
        store.check_schema()
        yield Finding("migrations", "ok", f"tables at revision {store.revision()}")
        yield from _inbox(container)
    except SchemaTooNew as error:
        yield Finding("migrations", "wrong", str(error), "install the version that migrated it")
    except SchemaMismatch as error:
        yield Finding(
            "migrations", "wrong", str(error), "issue-tagger serve brings them up to date"
        )
    except StoreError as error:
        yield Finding("database", "wrong", str(error), "restore it from a backup")


def _inbox(container: Container) -> Iterator[Finding]:
    now, most = container.clock(), timedelta(hours=container.settings.silent_hours)
    with container.store.read() as work:
        counts, last = work.inbox.counts(), work.inbox.last_received()
    waiting, failed = counts["pending"] + counts["running"], counts["failed"]
    if failed:
        summary = f"{failed} deliveries were given up, {waiting} waiting"
        advice = "issue-tagger failed says why; with --retry it sets them going again"
        yield Finding("inbox", "note", summary, advice)
    else:
        yield Finding("inbox", "ok", f"{waiting} deliveries waiting, none given up")
    if last is None:
        yield Finding("webhooks", "ok", "none came in yet")
    elif now - last > most:
        hours = (now - last) / timedelta(hours=1)
        advice = "look into the webhook's recent deliveries in GitHub's settings"
        yield Finding("webhooks", "note", f"none for {hours:.0f} hours", advice)
    else:
        yield Finding("webhooks", "ok", f"the last at {last:%Y-%m-%d %H:%M} UTC")


def _repositories(container: Container) -> list[str]:
    try:
        with container.store.read() as work:
            return [repository.full_name for repository in work.repositories.all()]
    except StoreError:
        return []  # told by the database already


def _database_ahead(container: Container) -> timedelta | None:
    try:
        theirs = container.store.server_time()
    except StoreError:
        return None  # told by the database already
    return None if theirs is None else theirs - container.clock()


def _disk(container: Container) -> Finding:
    """The fuller one of the disks that hold the data folder and a database in a file."""
    places = [container.settings.data_dir]
    if container.store.is_sqlite:
        places.append(Path(container.store.url.database or ""))
    free, place = min(map(_free, places))
    summary = f"{free / 1e9:.1f} GB free at {place}"
    if free < LITTLE_SPACE:
        return Finding("disk", "wrong", summary, f"make room, or move {PREFIX}DATA_DIR")
    return Finding("disk", "ok", summary)


def _free(place: Path) -> tuple[int, Path]:
    there = next(path for path in (place.resolve(), *place.resolve().parents) if path.exists())
    return shutil.disk_usage(there).free, there


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


def _shared(settings: Settings) -> Iterator[Finding]:
    """Whether others may read what private repositories wrote."""
    folder = settings.data_dir
    if os.name == "posix" and folder.exists() and not is_private(folder):
        readable = f"others may read {folder.resolve()}"
        yield Finding("data folder", "note", readable, f"chmod -R go= {folder}")


def _device(settings: Settings) -> Finding:
    from tagger.errors import DeviceMissing
    from tagger.runtimes.devices import choose_device

    try:
        return Finding("device", "ok", f"computes on {choose_device(settings.device).type}")
    except DeviceMissing as error:
        return Finding("device", "wrong", str(error), f"set {PREFIX}DEVICE to auto")


def _encoder(settings: Settings) -> Finding:
    from tagger.encoders.model_sources import DEFAULT_ENCODER

    return _model("encoder", settings.encoder or DEFAULT_ENCODER, f"{PREFIX}ENCODER")


def _zero_shot(settings: Settings) -> Finding:
    from tagger.encoders.model_sources import DEFAULT_ZERO_SHOT, locate
    from tagger.errors import ModelNotFound
    from tagger.label_semantics.zero_shot_scorers import kind_of

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
    from tagger.encoders.model_sources import DEFAULT_BERT, locate
    from tagger.errors import ModelNotFound

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


def _named_models(settings: Settings) -> Iterator[Finding]:
    """Models that nobody needs and that are asked only where they were named."""
    if settings.language_model_url is not None:
        yield Finding(
            "language model",
            "note",
            f"issues' texts are sent to {settings.language_model_url} where `in-context` is used",
            f"unset {PREFIX}LANGUAGE_MODEL_URL to keep them here",
        )
    elif settings.language_model is not None:
        yield _model("language model", settings.language_model, f"{PREFIX}LANGUAGE_MODEL")
    for name in (settings.translation_models or "").split(","):
        if name.strip():
            yield _model("translation", name.strip(), f"{PREFIX}TRANSLATION_MODELS")


def _model(part: str, name: str, variable: str) -> Finding:
    from tagger.encoders.model_sources import locate

    try:
        source = locate(name)
    except TaggerError as error:
        return Finding(part, "wrong", str(error), f"check {variable}")
    return Finding(part, "ok", f"{source.name} from the {source.origin}, {source.digest[:12]}")


def _releases(container: Container) -> Iterator[Finding]:
    """Each repository's active release, checked by its digests."""
    from tagger.releases.release import Release

    try:
        with container.store.read() as work:
            findings = [
                (repository, work.releases.active(repository.id))
                for repository in work.repositories.all()
            ]
        resources = container.resources(tuning=False)
    except (StoreError, TaggerError):
        return  # told by the database or the models already
    for repository, active in findings:
        part, name = "release", repository.full_name
        if active is None:
            advice = f"issue-tagger retrain {name}"
            yield Finding(part, "note", f"{name} has no active release", advice)
            continue
        try:
            Release.open(container.cache.location(active), resources)
        except TaggerError as error:
            yield Finding(part, "wrong", f"{name}: {error}", f"issue-tagger rollback {name}")
        else:
            yield Finding(part, "ok", f"{name}: {active.id} is whole and loads")
