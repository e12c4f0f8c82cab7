"""Webhook deliveries: as they arrive, in a worker's hands, as kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

DeliveryState = Literal["pending", "running", "done", "failed", "ignored"]


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A webhook delivery as it arrives.

    :ivar guid: `X-GitHub-Delivery`.
    :ivar due_at: not worked on before; None: at once.
    :ivar ignored: kept for the record only, never handed to a worker.
    :ivar aside: does not queue behind the issue's other deliveries, which may wait for long.
    """

    guid: str
    event: str
    payload: dict[str, Any] = field(repr=False)
    received_at: datetime
    action: str | None = None
    repository: str | None = None
    issue_number: int | None = None
    due_at: datetime | None = None
    ignored: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery in a worker's hands until `lease_until`; `attempts` counts this one."""

    id: int
    guid: str
    event: str
    action: str | None
    repository: str | None
    issue_number: int | None
    payload: dict[str, Any] = field(repr=False)
    attempts: int
    received_at: datetime
    worker: str
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery and how far its work has come; the payload is None once purged."""

    id: int
    guid: str
    event: str
    action: str | None
    repository: str | None
    issue_number: int | None
    payload: dict[str, Any] | None = field(repr=False)
    state: DeliveryState
    attempts: int
    error: str | None
    received_at: datetime
    due_at: datetime
    lease_until: datetime | None
    claimed_by: str | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A delivery that is not tried again by itself.

    :ivar error: why its last attempt failed.
    :ivar has_payload: it can be tried again; False: what it told was dropped since.
    """

    guid: str
    event: str
    action: str | None
    repository: str | None
    issue_number: int | None
    attempts: int
    error: str | None
    received_at: datetime
    finished_at: datetime | None
    has_payload: bool
