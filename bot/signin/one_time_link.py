"""A link that opens the pages once, for whoever runs the command on this machine."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.signin.sessions import same

if TYPE_CHECKING:
    from datetime import datetime

VALID = timedelta(minutes=10)


@dataclass
class OneTimeLink:
    """One secret at a time; using it, right or in the end, uses it up."""

    _token: str = field(default="", repr=False)
    _until: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def renew(self, now: datetime) -> str:
        """A new secret, valid once within `VALID`; an earlier one opens nothing any more."""
        with self._lock:
            self._token, self._until = secrets.token_urlsafe(32), now + VALID
            return self._token

    def use(self, token: str, now: datetime) -> bool:
        """Whether it opens; from then on it does not."""
        with self._lock:
            fits = same(token, self._token) and self._until is not None and now < self._until
            if fits:
                self._token, self._until = "", None
            return fits
