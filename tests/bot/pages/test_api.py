"""`/api/v1` as scripts see it: documented, and the same answers as the pages."""

from __future__ import annotations

import re

import pytest
from fakes_bot import LABELS, REPO
from starlette.testclient import TestClient

from bot.service.app import create_app
from store.records import IssueRecord, LabelRecord

BASE = f"/api/v1/repositories/{REPO}"


@pytest.fixture
def described(installation) -> dict:
    return create_app(installation, worker=False).openapi()


def test_every_endpoint_says_what_it_takes_answers_and_refuses(described) -> None:
    operations = [
        (path, method, operation)
        for path, methods in described["paths"].items()
        if path.startswith("/api/v1")
        for method, operation in methods.items()
    ]
    assert len(operations) >= 15
    for path, method, operation in operations:
        assert operation["description"], path
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema, path
        assert {"401", "403", "404", "409", "503"} <= set(operation["responses"]), path
        assert {"HTTPBearer"} in [set(each) for each in operation["security"]], path
        assert method in {"get", "post"}
    assert not [path for path in described["paths"] if path.startswith(("/r/", "/signin"))]


def test_the_pages_show_nothing_that_the_api_does_not_know(local, installation, clock, releases):
    """Each page of a repository has an endpoint that answers where it does."""
    releases.promote(installation.store, "r1", LABELS, clock())
    with installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        work.labels.upsert(repository.id, [LabelRecord("bug")], now=clock())
        work.issues.upsert(repository.id, [IssueRecord(1, "a bug", "body", (), clock())])
    for page, endpoint in (
        ("", "/today"), ("/why/1", "/issues/1"), ("/releases", "/releases"),
        ("/preview", "/preview"), ("/releases", "/evaluation"),
    ):  # fmt: skip
        assert local.client.get(f"/r/{REPO}{page}").status_code == 200
        answer = local.client.get(BASE + endpoint)
        assert answer.status_code == 200, answer.text
        assert answer.json()["repository"] == REPO


def test_what_would_be_said_of_a_text_and_what_would_be_done(
    local, installation, clock, releases
) -> None:
    releases.promote(installation.store, "r1", LABELS, clock())
    with installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        rows = [IssueRecord(1, "a bug", "", (), clock()), IssueRecord(2, "docs?", "", (), clock())]
        work.issues.upsert(repository.id, rows)
    token = {"X-CSRF-Token": csrf(local)}
    tried = local.client.post(f"{BASE}/try", json={"title": "a bug"}, headers=token).json()
    assert tried["labels"][0]["label"] == "bug"
    assert tried["labels"][0]["votes"] == [{"strategy": "words", "probability": 0.95}]
    looked = local.client.get(f"{BASE}/preview").json()
    assert looked["ready"]
    by_number = {issue["number"]: issue["labels"] for issue in looked["issues"]}
    assert by_number[1][0]["set_up_to"] == 0.99
    assert (by_number[2][0]["set_up_to"], by_number[2][0]["suggested"]) == (None, True)


def test_releases_are_promoted_and_rolled_back(local, installation, clock, releases) -> None:
    for release in ("r1", "r2"):
        releases.promote(installation.store, release, LABELS, clock())
    token = {"X-CSRF-Token": csrf(local)}
    back = local.client.post(f"{BASE}/rollback", headers=token).json()
    assert back["active"] == "r1"
    again = local.client.post(f"{BASE}/releases/r2/promote", headers=token).json()
    assert again["active"] == "r2"
    missing = local.client.post(f"{BASE}/releases/r9/promote", headers=token)
    assert (missing.status_code, "r9" in missing.json()["error"]) == (404, True)
    releases.damaged.add("r1")
    damaged = local.client.post(f"{BASE}/releases/r1/promote", headers=token)
    assert damaged.status_code == 409


def test_what_cannot_be_understood_is_refused(local, installation, clock) -> None:
    token = {"X-CSRF-Token": csrf(local)}
    for order in (
        {}, {"number": 0, "label": "bug", "decision": "approve"},
        {"number": 1, "label": "bug", "decision": "delete"},
        {"number": 1, "label": "x" * 300, "decision": "approve"},
        {"number": 1, "label": "bug", "decision": "approve", "more": 1},
    ):  # fmt: skip
        answer = local.client.post(f"{BASE}/decisions", json=order, headers=token)
        assert answer.status_code == 422, order
    unknown = {"number": 99, "label": "bug", "decision": "approve"}
    assert local.client.post(f"{BASE}/decisions", json=unknown, headers=token).status_code == 404
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=clock())
        work.issues.upsert(repository.id, [IssueRecord(1, "a", "", (), clock())])
    for label, decision in (("nothing", "approve"), ("bug", "undo")):
        order = {"number": 1, "label": label, "decision": decision}
        answer = local.client.post(f"{BASE}/decisions", json=order, headers=token)
        assert answer.status_code == 409, answer.text


def csrf(browser) -> str:
    match = re.search(r'name="csrf" value="([^"]+)"', browser.get("/"))
    assert match is not None
    return match[1]


@pytest.fixture(autouse=True)
def _repository(installation, clock) -> None:
    with installation.store.begin() as work:
        work.repositories.get_or_create(REPO, now=clock())


def test_nobody_is_answered_without_a_token(installation) -> None:
    with TestClient(create_app(installation, worker=False)) as client:
        for path, methods in client.app.openapi()["paths"].items():
            if path.startswith("/api/v1"):
                address = re.sub(r"\{\w+\}", "1", path)
                for method in methods:
                    answer = client.request(method, address, json={})
                    assert answer.status_code in {401, 422}, path
                    assert "error" in answer.json() or "detail" in answer.json()
