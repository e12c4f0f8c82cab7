"""What the endpoints say of themselves in `/openapi.json`."""

from __future__ import annotations

from typing import Any

from bot.receiving.body import FORM

Description = dict[str, Any]
"""Keyword arguments of `APIRouter.add_api_route`."""


def _answer(description: str, *fields: str) -> Description:
    """A JSON object of texts."""
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in fields},
        "required": list(fields[:1]),
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _header(name: str, pattern: str) -> Description:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "header", "required": True, "schema": schema}


WEBHOOK: Description = {
    "summary": "Take in a webhook delivery of GitHub",
    "responses": {
        202: _answer("Stored, or known already", "status", "note"),
        400: _answer("No JSON object, or no delivery", "error"),
        401: _answer("The signature is missing or wrong", "error"),
        408: _answer("The body did not arrive within ten seconds", "error"),
        413: _answer("The body is over 25 MB", "error"),
        503: _answer("It could not be stored; redeliver it later", "error"),
    },
    "openapi_extra": {
        "parameters": [
            _header("X-GitHub-Event", "^[A-Za-z0-9_.:-]{1,200}$"),
            _header("X-GitHub-Delivery", "^[A-Za-z0-9_.:-]{1,200}$"),
            _header("X-Hub-Signature-256", "^sha256=[0-9a-f]{64}$"),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                FORM: {
                    "schema": {
                        "type": "object",
                        "properties": {"payload": {"type": "string"}},
                        "required": ["payload"],
                    }
                },
            },
        },
    },
}
HEALTHZ: Description = {
    "summary": "Whether the process is up",
    "responses": {
        200: _answer("It is, its worker too", "status"),
        503: _answer("Its worker has ended", "status"),
    },
}
READYZ: Description = {
    "summary": "Whether database and releases are there",
    "responses": {
        200: {
            "description": "They are",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        503: {
            "description": "One of them is not, and which",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
    },
}
METRICS: Description = {
    "summary": "Metrics for Prometheus",
    "responses": {503: _answer("The database does not answer", "database")},
}
