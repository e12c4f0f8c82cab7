"""What an operator asks for: all of a repository, or of one issue, erased for good."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.erasure.issue_erasing import Erased, sweep
from bot.erasure.repository_erasing import erase_repository
from bot.receiving.deleted_issues import forget
from store.errors import NotStored, StoreUnavailable
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from bot.container import Container
    from store.database import Store
    from tagger.domain.strategy import Progress

log = logging.getLogger(__name__)


def forget_issue(
    container: Container, full_name: str, number: int, progress: Progress = silent
) -> Erased:
    """Erase an issue from every table, release and report; it does not come back.

    :raises NotStored: the repository, or anything of the issue.
    :raises LeaseHeld: a training is under way, which may have read it; the issue's own rows are
        gone, and a worker does the rest once it can.
    """
    store, now = container.store, container.clock()
    with store.begin() as work:
        repository = work.repositories.get(full_name)
        of_numbers = work.tombstones.of_numbers(repository.id, [number])
        erased = forget(work, repository.id, number, now)
        if not (erased.stored or erased.payloads or of_numbers):
            raise NotStored("issue", f"#{number}", f"nothing is kept of it in {full_name}")
    swept = sweep(container, repository, progress)
    _rewrite(store)
    return replace(swept, payloads=swept.payloads + erased.payloads)


def forget_repository(container: Container, full_name: str, progress: Progress = silent) -> Erased:
    """Erase all of a repository.

    :raises NotStored: there is no such repository.
    :raises LeaseHeld: a training is under way.
    """
    erased = erase_repository(container, full_name, progress)
    _rewrite(container.store)
    return erased


def _rewrite(store: Store) -> None:
    """Write the database's file anew, or say that it is still to be done."""
    try:
        store.compact(rewrite=True)
    except StoreUnavailable as error:
        log.warning(
            "it is erased, but the database's file could not be written anew: what was deleted "
            "before this version may still be in it; give the command again",
            extra={"reason": str(error)},
        )
