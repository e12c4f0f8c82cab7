"""Schemathesis' hooks: every body it makes up is signed, so that it comes past the signature.

    ISSUE_TAGGER_WEBHOOK_SECRET=benchmark issue-tagger serve --no-worker &
    SCHEMATHESIS_HOOKS=docs/benchmarks/contract_hooks.py WEBHOOK_SECRET=benchmark \
        schemathesis run http://127.0.0.1:8000/openapi.json --max-examples 1000

One in four goes unsigned, or with the header that schemathesis made up.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

import schemathesis
from requests.auth import AuthBase

SECRET = os.environ.get("WEBHOOK_SECRET", "benchmark").encode()


@schemathesis.auth.set_from_requests
class Signing(AuthBase):
    """Signs over the bytes that go out."""

    def __call__(self, request: Any) -> Any:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        digest = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        if int(digest[0], 16) >= 4:
            request.headers["X-Hub-Signature-256"] = f"sha256={digest}"
        return request
