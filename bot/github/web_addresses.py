"""Where people see what the API serves: GitHub's web pages, derived from the API's address."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def issue_address(api_url: str, repository: str) -> str:
    """The address of a repository's issues, with `{number}` in it.

    https://api.github.com belongs to https://github.com, https://HOST/api/v3 to https://HOST.
    """
    scheme, _, rest = api_url.partition("://")
    host, _, _ = rest.partition("/")
    return f"{scheme}://{host.removeprefix('api.')}/{repository}/issues/{{number}}"


_HOME = (".local", ".internal", ".lan", ".home", ".test", ".localhost", ".home.arpa")
"""Ends of names that only a network of one's own resolves."""


def unreachable_because(address: str, api_url: str) -> str:
    """Why GitHub cannot send webhooks to this address; "" where nothing speaks against it.

    A GitHub Enterprise Server may stand in the same network: to it only this machine is closed.

    >>> unreachable_because("http://127.0.0.1:8000", "https://ghe.test/api/v3")
    '127.0.0.1 is this machine itself'
    >>> unreachable_because("https://10.0.0.7", "https://api.github.com")
    '10.0.0.7 is an address of a private network'
    >>> unreachable_because("https://tagger.example.org", "https://api.github.com")
    ''
    """
    host = (urlsplit(address).hostname or "").rstrip(".")
    number = _number(host)
    if host == "localhost" or host.endswith(".localhost") or (number and number.is_loopback):
        return f"{host} is this machine itself"
    if urlsplit(api_url).path.rstrip("/").endswith("/api/v3"):
        return ""
    if number is not None:
        return "" if number.is_global else f"{host} is an address of a private network"
    if "." not in host or host.endswith(_HOME):
        return f"{host} is a name that only your own network knows"
    return ""


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
