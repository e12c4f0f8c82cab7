"""Pull: a release from a hub, held to its digests, staged here for a person to let serve."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from store.records import ReleaseRecord

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bot.model_serving.release_archive import ReleaseArchive
    from bot.sharing.hub import ModelHub
    from store.database import Store
    from store.records import Repository
    from tagger.releases.release import Manifest

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull as it was asked for.

    :ivar repository: whose issues it is to label here.
    :ivar model: OWNER/MODEL at the hub.
    :ivar revision: a branch, tag or commit; None: what is newest.
    :ivar digest: that the release must have, as `push` said; None: whatever it has.
    """

    repository: str
    model: str
    revision: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """A release that lies here now.

    :ivar trained_on: the repository whose issues it learned from.
    :ivar fresh: False: it was here already.
    """

    release: str
    commit: str
    trained_on: str
    fresh: bool


def pull(
    store: Store, archive: ReleaseArchive, hub: ModelHub, request: PullRequest, now: datetime
) -> Pulled:
    """Fetch a release, check every digest, and stage it.

    What was fetched before it was interrupted is not fetched again. Nothing is loaded of it, and
    it serves only when a person promotes it.

    :raises CommandRefused: it is no release, or another one than the digest says.
    :raises ReleaseDamaged: a file is not what its manifest says; it is fetched anew the next time.
    :raises HubRefused: the hub gave nothing.
    """
    with store.begin() as work:
        repository = work.repositories.get_or_create(request.repository, now=now)
    commit = hub.commit_of(request.model, request.revision)
    home = archive.folder / repository.full_name
    fetched = home / f".pulled-{commit[:12]}"
    fetched.mkdir(parents=True, exist_ok=True)
    manifest = _fetch(hub, request, commit, fetched)
    release = f"{manifest.id}-{commit[:7]}"
    pulled = Pulled(release, commit, manifest.repository, fresh=True)
    with store.read() as work:
        if any(there.id == release for there in work.releases.list(repository.id)):
            shutil.rmtree(fetched)
            return Pulled(release, commit, manifest.repository, fresh=False)
    shutil.rmtree(home / release, ignore_errors=True)  # of a pull that ended before it was stored
    settled = _settle(store, repository, fetched, home / release, manifest)
    location = f"{repository.full_name}/{release}"
    archive.keep(location)
    record = ReleaseRecord(release, now, location, settled.digest, settled.as_json())
    with store.begin() as work:
        work.releases.add(repository.id, record, state="staged")
    shutil.rmtree(fetched)
    return pulled


def _fetch(hub: ModelHub, request: PullRequest, commit: str, folder: Path) -> Manifest:
    """The release's files, each of them what its manifest says."""
    from tagger.errors import ReleaseDamaged
    from tagger.releases.release import MANIFEST, check_files, read_manifest

    hub.fetch(request.model, commit, (MANIFEST,), folder)
    manifest = read_manifest(folder)
    _check(manifest, request)
    hub.fetch(request.model, commit, manifest.files, folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the library's notes on what it fetched
    try:
        check_files(folder, manifest.files)
    except ReleaseDamaged:
        shutil.rmtree(folder)
        raise
    return manifest


def _check(manifest: Manifest, request: PullRequest) -> None:
    """:raises CommandRefused: nothing of it is fetched then."""
    if request.digest is not None and manifest.digest != request.digest:
        raise CommandRefused(
            f"{request.model} holds a release of digest {manifest.digest}, expected "
            f"{request.digest}; --revision names the commit that `push` printed"
        )
    if not _ID.fullmatch(manifest.id):
        raise CommandRefused(f"{request.model}: got the release id {manifest.id!r}")
    for name in manifest.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.parts[:1] == (".cache",):
            raise CommandRefused(
                f"{request.model}: its manifest names a file outside of the release: {name!r}"
            )


def _settle(
    store: Store, repository: Repository, fetched: Path, target: Path, manifest: Manifest
) -> Manifest:
    """The release as this repository can have it: with its titles, or as another one's."""
    from tagger.releases.sharing import of_another_repository, with_titles

    if manifest.repository.lower() != repository.full_name.lower():
        return of_another_repository(fetched, target, repository.full_name)
    with store.read() as work:
        titles = {issue.number: issue.title for issue in work.issues.walk(repository.id)}
    return with_titles(fetched, target, titles)
