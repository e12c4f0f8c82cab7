"""Work that somebody asked for and that is too long for a delivery: put down until it is taken up.

One request of a kind waits for a repository: asking again while it waits changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.records import Repository
    from store.unit_of_work import UnitOfWork

RequestKind = Literal["sync", "retrain", "report"]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    :ivar number: the issue on which a person asked, where one did; the answer goes there.
    """

    kind: RequestKind
    at: datetime
    number: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "number": self.number}


def put_down(work: UnitOfWork, full_name: str, request: Request) -> bool:
    """Ask for something; False: it was asked for already and still waits.

    :raises NotStored: the repository is not stored.
    """
    repository = work.repositories.get(full_name)
    if _kept_as(request.kind) in repository.memory:
        return False
    work.repositories.remember(repository.id, _kept_as(request.kind), request.as_json())
    return True


def waiting(repository: Repository) -> Iterator[Request]:
    """What was asked for in a repository and not taken up yet."""
    for kind in get_args(RequestKind):
        kept = repository.memory.get(_kept_as(kind))
        if isinstance(kept, dict):
            yield Request(kind, datetime.fromisoformat(kept["at"]), kept.get("number"))


def take_up(work: UnitOfWork, full_name: str, kind: RequestKind) -> Request | None:
    """Take a request out, to see to it; None: nobody asked.

    :raises NotStored: the repository is not stored.
    """
    repository = work.repositories.get(full_name)
    found = next((one for one in waiting(repository) if one.kind == kind), None)
    if found is not None:
        work.repositories.remember(repository.id, _kept_as(kind), None)
    return found


def _kept_as(kind: RequestKind) -> str:
    return f"asked for {kind}"
