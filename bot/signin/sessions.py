"""Sessions: who signed in, sealed into a cookie; the server keeps nothing of it.

A cookie is encrypted and signed (Fernet: AES-128-CBC, HMAC-SHA256), because it holds the token
with which GitHub lets us act for the person. The key comes of the App's private key, so that every
process of an installation reads the others' cookies; without an App it lives as long as a process.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from cryptography.fernet import Fernet, InvalidToken

if TYPE_CHECKING:
    from datetime import datetime

SESSION_COOKIE = "issue_tagger_session"
LASTS = 8 * 3600
"""Seconds: as long as GitHub's tokens for people do."""
LONGEST_COOKIE = 4000
"""Characters; browsers take no longer ones, so whatever is longer is not ours."""
_PURPOSE = b"issue-tagger sessions 1"

SessionKind = Literal["local", "github", "asking"]


@dataclass(frozen=True)
class Session:
    """One sign-in.

    :ivar kind: `local` by a one-time link, `github`, or `asking` while GitHub is being asked.
    :ivar login: on GitHub; "" where GitHub has nothing to do with it.
    :ivar token: GitHub's for the person; while asking the PKCE verifier.
    :ivar csrf: what every form of the session holds; while asking the state handed to GitHub.
    :ivar back: where to go once it is through.
    """

    kind: SessionKind
    login: str = ""
    token: str = field(default="", repr=False)
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    back: str = "/"


class SessionSeal:
    """Seals sessions into text and opens them again.

    :param secret: any secret text that is hard to guess; "" makes up one.
    """

    def __init__(self, secret: str = "") -> None:
        material = secret.encode() or secrets.token_bytes(32)
        key = hmac.new(material, _PURPOSE, hashlib.sha256).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, session: Session, now: datetime) -> str:
        """The session as a cookie's value."""
        text = json.dumps(asdict(session), separators=(",", ":"))
        return self._fernet.encrypt_at_time(text.encode(), int(now.timestamp())).decode()

    def open(self, cookie: str, now: datetime, lasts: int = LASTS) -> Session | None:
        """The session; None where the value is not ours, was changed, or is too old."""
        if not cookie or len(cookie) > LONGEST_COOKIE or not cookie.isascii():
            return None
        try:
            text = self._fernet.decrypt_at_time(cookie, lasts, int(now.timestamp()))
            return Session(**json.loads(text))
        except (InvalidToken, ValueError, TypeError):
            return None


def same(value: str, expected: str) -> bool:
    """Whether two secrets are the same, told in constant time; nothing equals an empty one."""
    if not expected:
        return False
    return hmac.compare_digest(value.encode("utf-8", "replace"), expected.encode())
