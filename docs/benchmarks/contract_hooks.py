"""Schemathesis' hooks: bodies that it makes up are signed, so that they come past the signature.

    ISSUE_TAGGER_WEBHOOK_SECRET=benchmark issue-tagger serve --no-worker &
    SCHEMATHESIS_HOOKS=docs/benchmarks/contract_hooks.py WEBHOOK_SECRET=benchmark \
        schemathesis run http://127.0.0.1:8000/openapi.json --exclude-path /readyz

One in four keeps the signature that schemathesis made up; so does every request in which the
header is missing or malformed on purpose. `/readyz` is left out, because it rightly answers 503
where no release serves.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from typing import Any

import schemathesis
from requests.auth import AuthBase

SECRET = os.environ.get("WEBHOOK_SECRET", "benchmark").encode()


class Signing(AuthBase):
    """Signs over the bytes that go out."""

    def __call__(self, request: Any) -> Any:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        digest = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Hub-Signature-256", "")
        if re.fullmatch("sha256=[0-9a-f]{64}", str(given)) and int(digest[0], 16) >= 4:
            request.headers["X-Hub-Signature-256"] = f"sha256={digest}"
        return request


schemathesis.auth.set_from_requests(Signing())
