"""The pages on one's own machine, opened by the link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes_bot import BOT
from fakes_pages import HERE, Browser
from starlette.testclient import TestClient

from bot.service.app import create_app
from bot.signin.one_time_link import OneTimeLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.container import Container


@pytest.fixture
def link() -> OneTimeLink:
    return OneTimeLink()


@pytest.fixture
def local(installation: Container, link: OneTimeLink) -> Iterator[Browser]:
    """The pages on one's own machine, opened by the link."""
    installation.own_login = BOT
    with TestClient(create_app(installation, worker=False, link=link), base_url=HERE) as client:
        token = link.renew(installation.clock())
        assert client.get(f"/signin/once?token={token}").status_code == 200
        yield Browser(client)
