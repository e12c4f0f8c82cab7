"""Whether a webhook's body comes from GitHub: HMAC-SHA256 over the raw bytes. No I/O.

https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = "sha256="
_WELL_FORMED = re.compile(_PREFIX + "[0-9a-f]{64}")


def sign(body: bytes, secret: str) -> str:
    """The value of `X-Hub-Signature-256` for a body.

    :raises ValueError: an empty secret; anyone could make such a signature.
    """
    if not secret:
        raise ValueError("the webhook secret is empty; set ISSUE_TAGGER_WEBHOOK_SECRET")
    return _PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_well_formed(header: str | None) -> bool:
    """Whether a header can be the signature of anything at all."""
    return header is not None and _WELL_FORMED.fullmatch(header) is not None


class Verification:
    """Whether one of the secrets made a signature, of a body that arrives piece by piece.

    :param header: the value of `X-Hub-Signature-256`.
    """

    def __init__(self, header: str | None, secrets: Iterable[str]) -> None:
        self._given = (header or "").encode("utf-8", "replace")
        self._made = [
            hmac.new(secret.encode(), digestmod=hashlib.sha256) for secret in secrets if secret
        ]

    def update(self, piece: bytes) -> None:
        """Take in the next piece of the body."""
        for made in self._made:
            made.update(piece)

    def fits(self) -> bool:
        """The answer, once the body is whole.

        Every secret is tried, in constant time each, so the time taken says nothing about which
        one fits. A missing or malformed header is False; an empty secret never fits.
        """
        fits = [
            hmac.compare_digest((_PREFIX + made.hexdigest()).encode(), self._given)
            for made in self._made
        ]
        return any(fits)


def verify(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """True when one of the secrets made the signature of a whole body."""
    verification = Verification(header, secrets)
    verification.update(body)
    return verification.fits()
