"""Webhooks made odd: payloads with anything in any place, bytes nearly JSON, wrong headers.

Seeded, so that whatever is found can be had again.
"""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

from bot.github.signature import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.simulator.records import Delivery

TEXTS = (
    "", " ", "\0", "x\0y", "\ud800", "\u202e", "null", "a/b", "../..", "a" * 300, "😀" * 50, "é",
    "<script>alert(1)</script>", "' OR 1=1 --", "%s%n", "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-03-01", "opened", "labeled",
    "deleted", "transferred", "edited",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**40, 0.5, -0.0, 1e300,
    [], {}, [None], [[]], {"": ""}, {"id": None}, {"login": 7}, *TEXTS,
)  # fmt: skip
KEYS = (
    "action", "issue", "label", "labels", "changes", "repository", "sender", "number", "title",
    "body", "user", "id", "full_name", "installation", "created_at", "updated_at", "pull_request",
    "state", "from", "name", "comment", "commits", "ref", "owner", "login", "type",
)  # fmt: skip
EVENTS = ("issues", "label", "push", "repository", "issue_comment", "installation", "ping", "star")


class Mutator:
    """Makes requests out of real deliveries; the same seed makes the same ones."""

    def __init__(self, deliveries: Sequence[Delivery], secret: str, seed: int) -> None:
        self._deliveries = list(deliveries)
        self._secret = secret
        self._chance = random.Random(seed)
        self._number = 0

    def request(self) -> tuple[bytes, dict[str, str]]:
        """A body and its headers; nine in ten signed as they should be."""
        chance, delivery = self._chance, self._chance.choice(self._deliveries)
        self._number += 1
        payload = copy.deepcopy(delivery.payload)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
            chance.choice(CHANGES)(chance, payload)
        body = json.dumps(payload, ensure_ascii=chance.random() < 0.9).encode(
            "utf-8", "surrogatepass"
        )
        if chance.random() < 0.2:
            body = self._broken(body)
        event = delivery.event if chance.random() < 0.9 else chance.choice(EVENTS)
        headers = {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": f"{self._number:x}-{chance.getrandbits(64):x}",
            "x-hub-signature-256": sign(body, self._secret),
        }
        if chance.random() < 0.1:
            self._spoil(headers)
        return body, headers

    def _broken(self, body: bytes) -> bytes:
        chance, at = self._chance, self._chance.randrange(len(body))
        kind = chance.randrange(6)
        if kind == 0:
            return body[:at]
        if kind == 1:
            return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
        if kind == 2:
            return body[:at] + chance.randbytes(chance.randrange(1, 9)) + body[at:]
        if kind == 3:
            return (
                body[:at] + chance.choice((b"[" * 5000, b'{"a":' * 5000, b"9" * 6000)) + body[at:]
            )
        if kind == 4:
            return (
                b"\xef\xbb\xbf" + body
                if chance.random() < 0.5
                else body.decode("utf-8", "replace").encode("utf-16")
            )
        return body.replace(b'"number": ', b'"number": 1, "number": ', 1)

    def _spoil(self, headers: dict[str, str]) -> None:
        chance, name = self._chance, self._chance.choice(sorted(headers))
        if chance.random() < 0.3:
            del headers[name]
        else:
            headers[name] = chance.choice(("", "é", "x" * 5000, "a b", "sha256=", "sha1=00", "-1"))


def _place(chance: random.Random, payload: dict[str, Any]) -> tuple[Any, Any]:
    """A container somewhere within, and a key or position of it."""
    place: Any = payload
    for _ in range(chance.randrange(4)):
        inner = [one for one in _values(place) if isinstance(one, dict | list) and one]
        if not inner:
            break
        place = chance.choice(inner)
    key = chance.choice(sorted(place)) if isinstance(place, dict) and place else 0
    return place, chance.randrange(len(place)) if isinstance(place, list) and place else key


def _values(place: Any) -> list[Any]:
    return list(place.values()) if isinstance(place, dict) else list(place)


def _replace(chance: random.Random, payload: dict[str, Any]) -> None:
    place, key = _place(chance, payload)
    if place:
        place[key] = copy.deepcopy(chance.choice(VALUES))


def _remove(chance: random.Random, payload: dict[str, Any]) -> None:
    place, key = _place(chance, payload)
    if place:
        del place[key]


def _add(chance: random.Random, payload: dict[str, Any]) -> None:
    place, _ = _place(chance, payload)
    value = copy.deepcopy(chance.choice(VALUES))
    if isinstance(place, dict):
        place[chance.choice((*KEYS, *TEXTS))] = value
    else:
        place.append(value)


def _transplant(chance: random.Random, payload: dict[str, Any]) -> None:
    """Put a part of the payload where another one belongs."""
    (place, key), (other, other_key) = _place(chance, payload), _place(chance, payload)
    if place and other:
        place[key] = copy.deepcopy(other[other_key])


def _nest(chance: random.Random, payload: dict[str, Any]) -> None:
    place, key = _place(chance, payload)
    if place:
        for _ in range(chance.choice((1, 3, 200))):
            place[key] = [place[key]] if chance.random() < 0.5 else {"a": place[key]}


CHANGES: tuple[Callable[[random.Random, dict[str, Any]], None], ...] = (
    _replace, _replace, _replace, _remove, _add, _transplant, _nest,
)  # fmt: skip
