"""Which release serves, as a person chooses: another one that was trained, or the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.model_serving.release_cache import ReleaseCache
    from store.database import Store
    from store.records import StoredRelease, TargetKind

BY_HAND = "by hand"


def promote(
    store: Store,
    cache: ReleaseCache,
    repository: str,
    release_id: str,
    now: datetime,
    reason: str = BY_HAND,
) -> StoredRelease:
    """Let a release serve, once it was seen to be whole.

    :raises NotStored: there is no such repository or release.
    :raises ReleaseDamaged: its files are missing or changed.
    """
    with store.read() as work:
        stored = work.releases.get(work.repositories.get(repository).id, release_id)
    cache.check(stored)
    with store.begin() as work:
        return work.releases.promote(stored.repository_id, release_id, now, reason=reason)


def rollback(
    store: Store,
    repository: str,
    now: datetime,
    reason: str = BY_HAND,
    target: TargetKind = "issues",
) -> StoredRelease:
    """Let the release serve that served before the present one.

    :raises NotStored: there is none.
    """
    with store.begin() as work:
        repository_id = work.repositories.get(repository).id
        return work.releases.rollback(repository_id, now, reason=reason, target=target)
