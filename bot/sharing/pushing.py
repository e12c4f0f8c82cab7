"""Push: a release as a model repository, without texts of issues, with a card written from it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.sharing.model_card import model_card

if TYPE_CHECKING:
    from bot.model_serving.release_archive import ReleaseArchive
    from bot.sharing.hub import ModelHub, SentCommit
    from store.database import Store
    from store.records import StoredRelease


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A push as it was asked for.

    :ivar model: OWNER/MODEL at the hub.
    :ivar release: its id; None: the one that serves.
    :ivar public: False makes a repository that only its owner sees.
    :ivar with_texts: titles of issues, and whole issues where a member shows them, go along.
    :ivar license: as the hub names it, for the card.
    """

    repository: str
    model: str
    release: str | None = None
    public: bool = False
    with_texts: bool = False
    license: str = "other"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push left at the hub.

    :ivar digest: over the files there, by which `pull` can be held to them.
    """

    release: str
    digest: str
    sent: SentCommit


def push(store: Store, archive: ReleaseArchive, hub: ModelHub, request: PushRequest) -> Pushed:
    """Send a release.

    :raises CommandRefused: no release serves.
    :raises NotStored: there is no such repository or release.
    :raises HoldsTexts: it is made of texts, and they may not go along.
    :raises ReleaseDamaged: its files are missing or changed.
    :raises HubRefused: the hub took nothing.
    """
    from tagger.releases.release import MANIFEST, check_files, read_manifest
    from tagger.releases.sharing import without_texts

    stored = _release(store, request)
    folder = archive.fetch(stored.location, stored.digest)
    manifest = read_manifest(folder)
    check_files(folder, manifest.files)
    # beside the release, so that most files are links and not copies
    with tempfile.TemporaryDirectory(prefix=".push-", dir=folder.parent) as aside:
        if not request.with_texts:
            manifest = without_texts(folder, Path(aside) / stored.id)
            folder = Path(aside) / stored.id
        card = model_card(manifest, request)
        sent = hub.send(
            request.model, folder, (*manifest.files, MANIFEST), card, public=request.public
        )
    return Pushed(stored.id, manifest.digest, sent)


def _release(store: Store, request: PushRequest) -> StoredRelease:
    with store.read() as work:
        repository = work.repositories.get(request.repository)
        if request.release is not None:
            return work.releases.get(repository.id, request.release)
        active = work.releases.active(repository.id)
    if active is None:
        raise CommandRefused(
            f"{request.repository} has no active release to push; "
            f"issue-tagger retrain {request.repository} makes one"
        )
    return active
