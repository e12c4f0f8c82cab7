"""Issues that GitHub has no longer are forgotten, and none that it merely did not list."""

from __future__ import annotations

import pytest
from fakes_bot import REPO

from bot.github.models import Issue
from bot.repositories.census import forget_gone, lives_elsewhere

pytestmark = pytest.mark.anyio
HERE = "https://api.test/repos/Acme/Rocket"


@pytest.mark.parametrize(
    ("number", "url", "elsewhere"),
    [
        (5, HERE, False),
        (5, "", False),
        (6, HERE, True),
        (5, "https://api.test/repos/acme/pad", True),
        (5, "https://api.test/repos/other-acme/rocket", True),
    ],
)
def test_an_issue_lives_where_its_address_says(number, url, elsewhere) -> None:
    assert lives_elsewhere(Issue(number=number, repository_url=url), REPO, 5) is elsewhere


async def test_what_is_gone_is_forgotten_and_what_was_only_not_listed_stays(bench) -> None:
    bench.github.add_repository("acme/pad")
    for title in ("stays", "is deleted", "is transferred", "is listed"):
        bench.github.open_issue(REPO, title)
    bench.receive_all()
    bench.github.delete_issue(REPO, 2, by="ada")
    bench.github.transfer_issue(REPO, 3, "acme/pad", by="ada")
    steps = []
    store = bench.installation.store
    with store.read() as work:
        repository = work.repositories.get(REPO)
    client = await bench.context.access.client(REPO)

    def progress(step: str, done: int, total: int) -> None:
        steps.append((done, total))

    assert await forget_gone(store, client, repository, {4}, progress, bench.clock()) == 2
    with store.read() as work:
        assert work.issues.numbers(repository.id) == (1, 4)
    assert steps == [(1, 3), (2, 3), (3, 3)]
