"""What maintainers are told beside the labels, on the page Why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fakes_bot import REPO

from bot.advising.advice import Advice, LabelOwners, LikelyDuplicate
from store.records import IssueRecord

if TYPE_CHECKING:
    from fakes_pages import Browser

    from bot.container import Container

ADVICE = Advice(LikelyDuplicate(1, 0.9, 0.87), (LabelOwners("bug", ("@acme/team",)),))


def kept(installation: Container, advice: Advice) -> None:
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=installation.clock())
        rows = [
            IssueRecord(number, title, "", (), installation.clock())
            for number, title in ((1, "An <old> one"), (2, "A copy"))
        ]
        work.issues.upsert(repository.id, rows)
        work.advice.put(repository.id, 2, advice.as_json(), installation.clock())


def test_the_page_and_the_api_tell_it(installation: Container, local: Browser) -> None:
    kept(installation, ADVICE)
    page = local.get(f"/r/{REPO}/why/2")
    assert "Possibly a duplicate of" in page
    assert "An &lt;old&gt; one" in page
    assert "is for @acme/team" in page
    advice = json.loads(local.get(f"/api/v1/repositories/{REPO}/issues/2"))["advice"]
    assert advice["duplicate"] == {"number": 1, "title": "An <old> one", "similarity": 0.87}


def test_an_original_that_is_gone_is_not_named(installation: Container, local: Browser) -> None:
    kept(installation, ADVICE)
    with installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        work.erasing.issue(repository.id, 1, None, installation.clock())
    assert "Possibly" not in local.get(f"/r/{REPO}/why/2")
