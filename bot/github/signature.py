"""Whether a webhook's body comes from GitHub: HMAC-SHA256 over the raw bytes. No I/O.

https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = "sha256="


def sign(body: bytes, secret: str) -> str:
    """The value of `X-Hub-Signature-256` for a body.

    :raises ValueError: an empty secret; anyone could make such a signature.
    """
    if not secret:
        raise ValueError("the webhook secret is empty; set ISSUE_TAGGER_WEBHOOK_SECRET")
    return _PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """True when one of the secrets made the signature.

    Every secret is tried, in constant time each, so the time taken says nothing about which one
    fits. A missing or malformed header is False; an empty secret never fits.
    """
    given = (header or "").encode("utf-8", "replace")
    fits = [hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets if secret]
    return any(fits)
