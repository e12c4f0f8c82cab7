"""Where people see what the API serves: GitHub's web pages, derived from the API's address."""

from __future__ import annotations


def issue_address(api_url: str, repository: str) -> str:
    """The address of a repository's issues, with `{number}` in it.

    https://api.github.com belongs to https://github.com, https://HOST/api/v3 to https://HOST.
    """
    scheme, _, rest = api_url.partition("://")
    host, _, _ = rest.partition("/")
    return f"{scheme}://{host.removeprefix('api.')}/{repository}/issues/{{number}}"
