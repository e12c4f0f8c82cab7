"""Today: what was set, suggested and left, decided on with one request each, and taken back."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, LABELS, REPO

from bot.jobs.delivery_queue import DeliveryQueue
from bot.receiving.deliveries import keep, understand

pytestmark = pytest.mark.anyio
TODAY = f"/r/{REPO}"


@pytest.fixture
def worked(installation, github, clock, releases):
    """Files issues and lets the bot deal with them, in mode apply with suggestions."""
    github.repository(REPO).files[".github/issue-tagger.yml"] = (
        "version: 1\nmode: apply\ndelay_seconds: 0\n"
    )
    installation.own_login = BOT
    releases.promote(installation.store, "r1", LABELS, clock())

    def work(*titles: str) -> None:
        import asyncio

        for title in titles:
            github.open_issue(REPO, title, "text", by="ada")

        async def run() -> None:
            context = installation.context()
            for delivery in list(github.deliveries):
                received = understand(delivery.guid, delivery.event, delivery.payload, clock())
                with installation.store.begin() as unit:
                    keep(unit, received, BOT)
            await DeliveryQueue(context).run_until_empty()
            await context.access.aclose()

        asyncio.run(run())

    return work


def decide(browser, number: int, label: str, decision: str) -> str:
    form = browser.form(TODAY, action="/decide", number=str(number), label=label)
    assert ("decision", decision) in form.buttons
    return browser.send(form, decision=decision)


def test_it_says_what_was_set_suggested_and_left(local, worked) -> None:
    worked("a bug here", "docs? maybe", "nothing at all")
    text = local.get(TODAY)
    assert "set 1, suggested 1, left 1" in text
    for part in ("a bug here", "docs? maybe", "nothing at all", "an old one", "95 %", "85 %"):
        assert part in text


def test_a_suggestion_is_approved_on_github_and_taken_back(local, worked, github) -> None:
    worked("docs? maybe")
    decide(local, 1, "docs", "approve")
    assert github.issue(REPO, 1).label_names == ["docs"]
    assert github.issue(REPO, 1).suggestions[0].state == "approved"
    assert "approved by you" in local.get(TODAY)
    assert "<strong>0</strong><span>suggestions without" in local.get(TODAY)
    decide(local, 1, "docs", "undo")
    assert github.issue(REPO, 1).label_names == []
    assert "approved by" not in local.get(TODAY)
    assert "<strong>1</strong><span>suggestion without" in local.get(TODAY)


def test_a_suggestion_is_dismissed_and_counts_as_a_persons_word(
    local, worked, github, installation
) -> None:
    worked("docs? maybe")
    decide(local, 1, "docs", "dismiss")
    assert github.issue(REPO, 1).suggestions[0].state == "dismissed"
    with installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.labels.removed_by_people(repository.id, 1) == {"docs"}
        (row,) = work.issues.training_rows(repository.id)
    assert row.declined == ("docs",)


def test_what_was_set_is_confirmed_or_taken_off(local, worked, github) -> None:
    worked("a bug here", "feature now")
    decide(local, 1, "bug", "approve")
    decide(local, 2, "feature", "dismiss")
    assert github.issue(REPO, 1).label_names == ["bug"]
    assert github.issue(REPO, 2).label_names == []
    decide(local, 2, "feature", "undo")
    assert github.issue(REPO, 2).label_names == ["feature"]


def test_the_script_gets_the_item_alone(local, worked) -> None:
    worked("docs? maybe")
    form = local.form(TODAY, action="/decide", number="1", label="docs")
    answer = local.client.post(
        form.action, data=form.fields | {"decision": "approve"}, headers={"X-Part": "item"}
    )
    assert answer.text.strip().startswith("<article")
    assert "approved by you" in answer.text


def test_files_that_were_imported_are_decided_on_here(local, installation, clock, releases) -> None:
    from store.records import IssueRecord, LabelRecord

    with installation.store.begin() as work:
        repository = work.repositories.get_or_create("files/only", now=clock())
        work.labels.upsert(repository.id, [LabelRecord("bug")], now=clock())
        work.issues.upsert(repository.id, [IssueRecord(7, "It breaks", "", (), clock())])
    order = {"number": 7, "label": "BUG", "decision": "approve"}
    token = csrf(local)
    address = "/api/v1/repositories/files/only/decisions"
    answer = local.client.post(address, json=order, headers={"X-CSRF-Token": token})
    assert answer.json()["place"] == "here", answer.text
    with installation.store.read() as work:
        assert work.issues.get(repository.id, 7).labels == ("bug",)
    local.client.post(address, json=order | {"decision": "undo"}, headers={"X-CSRF-Token": token})
    with installation.store.read() as work:
        assert work.issues.get(repository.id, 7).labels == ()
        assert work.labels.history(repository.id, 7) == ()


def csrf(browser) -> str:
    return browser.form("/", action="/signout").fields["csrf"]


def test_a_failed_webhook_is_tried_again(local, installation, github, clock) -> None:
    delivery = github.open_issue(REPO, "a bug", "text", by="ada")
    received = understand(delivery.guid, delivery.event, delivery.payload, clock())
    from datetime import timedelta

    with installation.store.begin() as work:
        keep(work, received, BOT)
        clock.advance(hours=1)
        claim = work.inbox.claim("w", timedelta(minutes=1), clock())
        work.inbox.fail(claim, "it broke", clock(), None)
    assert "it broke" in local.get(TODAY)
    local.send(local.form(TODAY, action="/retry"))
    with installation.store.read() as work:
        assert work.inbox.find(delivery.guid).state == "pending"
