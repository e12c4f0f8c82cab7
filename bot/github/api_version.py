"""Which version of GitHub's REST API is spoken: the only place that names one.

https://docs.github.com/rest/about-the-rest-api/api-versions
"""

from __future__ import annotations

from typing import Literal, get_args

ApiVersion = Literal["2026-03-10", "2022-11-28"]

API_VERSIONS: tuple[ApiVersion, ...] = get_args(ApiVersion)
"""From the newest on. The older one is for Enterprise Servers that do not know the newer."""

API_VERSION: ApiVersion = API_VERSIONS[0]
VERSION_HEADER = "X-GitHub-Api-Version"
