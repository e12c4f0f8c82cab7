"""`POST /webhook` from outside: what is answered, and what is stored by then."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from fakes_bot import BOT, REPO, SECRET, signed, signed_body
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from bot.container import Container
from bot.receiving import body as body_module
from bot.receiving.body import FORM
from bot.service.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.simulator.records import Delivery
    from bot.simulator.state import GitHubState


@pytest.fixture
def client(installation: Container) -> Iterator[TestClient]:
    installation.own_login = BOT
    with TestClient(create_app(installation, worker=False)) as client:
        yield client


def post(client: TestClient, delivery: Delivery, secret: str = SECRET):
    body, headers = signed(delivery, secret)
    return client.post("/webhook", content=body, headers=headers)


def stored(installation: Container, guid: str):
    with installation.store.read() as work:
        return work.inbox.find(guid)


def test_a_delivery_is_stored_with_its_issue_before_it_is_answered(
    client: TestClient, installation: Container, github: GitHubState
) -> None:
    opened = github.open_issue(REPO, "It crashes", "at start", by="ada", labels=["bug"])
    assert post(client, opened).status_code == 202
    delivery = stored(installation, opened.guid)
    assert (delivery.state, delivery.event, delivery.action) == ("pending", "issues", "opened")
    assert delivery.payload == opened.payload
    with installation.store.read() as work:
        repository = work.repositories.get(REPO)
        issue = work.issues.get(repository.id, 1)
    assert repository.github_id == github.repository(REPO).id
    assert (issue.title, issue.body, issue.author) == ("It crashes", "at start", "ada")
    assert issue.labels == ("bug",)


def test_a_label_event_enters_history_with_who_did_it(client, installation, github) -> None:
    post(client, github.open_issue(REPO, "It crashes"))
    (labeled,) = github.add_labels(REPO, 1, ["bug"], by="ada")
    removed = github.remove_label(REPO, 1, "bug", by="stale[bot]")
    for delivery in (labeled, removed, labeled):
        assert post(client, delivery).status_code == 202
    with installation.store.read() as work:
        repository = work.repositories.get(REPO)
        history = work.labels.history(repository.id, 1)
        assert work.issues.get(repository.id, 1).labels == ()
    assert [(one.action, one.actor, one.actor_kind) for one in history] == [
        ("added", "ada", "person"),
        ("removed", "stale[bot]", "bot"),
    ]
    assert stored(installation, labeled.guid).state == "ignored"


def test_labels_of_one_second_are_all_kept_in_whatever_order_they_come(
    client, installation, github
) -> None:
    post(client, github.open_issue(REPO, "It crashes"))
    for delivery in reversed(github.add_labels(REPO, 1, ["bug", "docs"], by="ada")):
        post(client, delivery)
    with installation.store.read() as work:
        repository_id = work.repositories.get(REPO).id
        assert work.issues.get(repository_id, 1).labels == ("bug", "docs")
    for delivery in reversed(
        [github.remove_label(REPO, 1, name, by="ada") for name in ("bug", "docs")]
    ):
        post(client, delivery)
    with installation.store.read() as work:
        assert work.issues.get(repository_id, 1).labels == ()


def test_a_repeat_is_accepted_and_changes_nothing(client, installation, github) -> None:
    opened = github.open_issue(REPO, "It crashes")
    assert post(client, opened).status_code == 202
    before = stored(installation, opened.guid)
    github.edit_issue(REPO, 1, by="ada", title="changed")
    assert post(client, opened).status_code == 202
    assert stored(installation, opened.guid) == before
    with installation.store.read() as work:
        assert work.inbox.counts()["pending"] == 1


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=ab", "é"])
def test_a_missing_or_wrong_signature_is_refused_before_parsing(
    client, installation, signature
) -> None:
    headers = dict(signed_body(b"not json"))
    del headers["X-Hub-Signature-256"]
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature.encode()
    answer = client.post("/webhook", content=b"not json", headers=headers)
    assert answer.status_code == 401
    with installation.store.read() as work:
        assert sum(work.inbox.counts().values()) == 0


def test_the_signature_of_another_body_is_refused(client, github) -> None:
    body, headers = signed(github.open_issue(REPO, "It crashes"))
    assert client.post("/webhook", content=body + b" ", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}',
     b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(client, body) -> None:
    assert client.post("/webhook", content=body, headers=signed_body(body)).status_code == 400


def form(delivery: Delivery, content_type: str = FORM) -> tuple[bytes, dict[str, str]]:
    body = urlencode({"payload": json.dumps(delivery.payload)}).encode()
    headers = dict(signed_body(body, delivery.event, delivery.guid))
    return body, {**headers, "Content-Type": content_type}


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", FORM.upper()])
@pytest.mark.parametrize("text", ["50 % + more & less = ümlaut 😀", "x" * 100_000])
def test_a_form_is_accepted_like_json(client, installation, github, content_type, text) -> None:
    opened = github.open_issue(REPO, "It crashes", text)
    body, headers = form(opened, content_type)
    assert client.post("/webhook", content=body, headers=headers).status_code == 202
    assert stored(installation, opened.guid).payload == opened.payload


def test_the_signature_of_a_form_is_of_the_body_as_sent(client, github) -> None:
    body, headers = form(github.open_issue(REPO, "It crashes"))
    of_json = signed(github.open_issue(REPO, "Again"))[1]["X-Hub-Signature-256"]
    wrong = {**headers, "X-Hub-Signature-256": of_json}
    assert client.post("/webhook", content=body, headers=wrong).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"payload", b"payload=", b"payload=[]", b"other={}", b"payload=%ff", b"\xff",
     b"payload={}&payload={}", b"payload={}" + b"&a=b" * 100, b"payload=%7B"],
)  # fmt: skip
def test_a_form_without_one_json_object_is_refused(client, body) -> None:
    headers = {**signed_body(body), "Content-Type": FORM}
    assert client.post("/webhook", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("missing", ["X-GitHub-Event", "X-GitHub-Delivery"])
def test_without_githubs_headers_it_is_no_delivery(client, missing) -> None:
    headers = {k: v for k, v in signed_body(b"{}").items() if k != missing}
    assert client.post("/webhook", content=b"{}", headers=headers).status_code == 400


def test_either_of_two_secrets_signs_while_they_rotate(settings, github, clock, releases) -> None:
    rotating = settings.model_copy(update={"webhook_secret": _secret("old-one, new-one")})
    made = Container(rotating, clock=clock, open_release=releases)
    made.own_login = BOT
    with TestClient(create_app(made, worker=False)) as client:
        opened = github.open_issue(REPO, "It crashes")
        for secret, status in (("old-one", 202), ("new-one", 202), ("other", 401)):
            assert post(client, opened, secret).status_code == status
    made.close()


def _secret(text: str):
    from pydantic import SecretStr

    return SecretStr(text)


@pytest.mark.parametrize("told", [True, False])
def test_a_body_over_the_limit_is_refused_and_not_read_to_its_end(
    client, monkeypatch, told
) -> None:
    monkeypatch.setattr(body_module.read_within, "__defaults__", (1000,))
    read = []

    def chunks() -> Iterator[bytes]:
        for number in range(100):
            read.append(number)
            yield b"x" * 100

    content = b"x" * 10_000 if told else chunks()
    answer = client.post("/webhook", content=content, headers=signed_body(b""))
    assert answer.status_code == 413


def test_exactly_the_limit_is_read() -> None:
    assert body_module.LARGEST == 25 * 1024 * 1024


def test_a_large_body_is_taken(client, installation, github) -> None:
    opened = github.open_issue(REPO, "log", "x" * 1_000_000 + "\0")
    assert post(client, opened).status_code == 202
    with installation.store.read() as work:
        body = work.issues.get(work.repositories.get(REPO).id, 1).body
    assert len(body) == 1_000_001
    assert "\0" not in body


@pytest.mark.parametrize("event", ["star", "pull_request", "issue_comment", "ping", "anything"])
def test_an_event_that_is_not_used_is_kept_and_ignored(client, installation, event) -> None:
    body = json.dumps({"action": "created", "zen": "Keep it simple."}).encode()
    answer = client.post("/webhook", content=body, headers=signed_body(body, event))
    assert answer.status_code == 202
    assert stored(installation, "g-1").state == "ignored"


def test_a_used_event_of_a_strange_shape_is_kept_and_ignored(client, installation) -> None:
    body = b'{"action": "opened", "issue": {"number": -4}}'
    assert client.post("/webhook", content=body, headers=signed_body(body)).status_code == 202
    assert stored(installation, "g-1").state == "ignored"


def test_labels_of_the_repository_are_followed(client, installation, github) -> None:
    post(client, github.open_issue(REPO, "It crashes", labels=["bug"]))
    post(client, github.rename_label(REPO, "bug", "defect", by="ada"))
    with installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert [label.name for label in work.labels.list(repository.id)] == ["defect"]
        assert work.issues.get(repository.id, 1).labels == ("defect",)
    post(client, github.delete_label(REPO, "defect", by="ada"))
    with installation.store.read() as work:
        assert work.labels.list(repository.id) == ()


def test_a_renamed_repository_keeps_what_is_known_of_it(client, installation, github) -> None:
    post(client, github.open_issue(REPO, "It crashes"))
    post(client, github.rename_repository(REPO, "starship", by="ada"))
    with installation.store.read() as work:
        repository = work.repositories.get("acme/starship")
        assert work.repositories.find(REPO) is None
        assert work.issues.numbers(repository.id) == (1,)


def test_a_deleted_issue_is_forgotten(client, installation, github) -> None:
    post(client, github.open_issue(REPO, "It crashes"))
    post(client, github.delete_issue(REPO, 1, by="ada"))
    with installation.store.read() as work:
        assert work.issues.numbers(work.repositories.get(REPO).id) == ()


def test_while_nobody_knows_who_we_are_our_own_label_is_no_persons(
    installation, github, clock
) -> None:
    with TestClient(create_app(installation, worker=False)) as client:
        installation.own_login = None
        post(client, github.open_issue(REPO, "It crashes"))
        with installation.store.begin() as work:
            repository = work.repositories.get(REPO)
            run = work.writes.open_run(repository.id, "webhook", clock())
            work.writes.intend(run.id, 1, ["bug"], clock())
        for caused in github.add_labels(REPO, 1, ["bug", "docs"], by=BOT):
            installation.own_login = None
            post(client, caused)
    with installation.store.read() as work:
        history = work.labels.history(repository.id, 1)
    assert {(one.label, one.actor_kind) for one in history} == {
        ("bug", "bot"), ("docs", "person"),
    }  # fmt: skip


def test_what_storing_needs_of_the_configuration_is_kept_beside_it_and_no_file_is_read(
    client, installation, github, clock
) -> None:
    post(client, github.open_issue(REPO, "It crashes"))
    unreadable = {
        "checked_at": clock().isoformat(),
        "valid": "whoever reads this fails",
        "places": {"repository": {"etag": "e", "text": "[" * 60_000}},
    }
    intake = {"delay_seconds": 45, "fallback_label": "Triage"}
    with installation.store.begin() as work:
        repository_id = work.repositories.get(REPO).id
        work.repositories.set_configuration(repository_id, unreadable, intake)
    opened = github.open_issue(REPO, "It crashes again")
    github.add_label(REPO, "triage")
    github.add_labels(REPO, 2, ["triage"], by=BOT)
    (labeled,) = github.add_labels(REPO, 2, ["bug"], by="ada")
    for delivery in (opened, labeled):
        assert post(client, delivery).status_code == 202
    waits = [stored(installation, one.guid).due_at - clock() for one in (opened, labeled)]
    assert [wait.total_seconds() for wait in waits] == [45, 0]


def test_a_broken_database_is_told_to_github(client, installation, github, monkeypatch) -> None:
    from store.errors import StoreFull

    def full():
        raise StoreFull("no space left")

    monkeypatch.setattr(installation.store, "begin", full)
    opened = github.open_issue(REPO, "It crashes")
    answer = post(client, opened)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    monkeypatch.undo()
    assert post(client, opened).status_code == 202


def test_health_readiness_and_metrics(client, installation, github, releases, clock) -> None:
    assert client.get("/healthz").status_code == 200
    unready = client.get("/readyz")
    assert unready.status_code == 503
    assert "retrain" in unready.json()["releases"]
    releases.promote(installation.store, "r1", ["bug"], clock())
    assert client.get("/readyz").status_code == 503  # its folder is missing
    (installation.settings.releases_folder / "r1").mkdir(parents=True)
    assert client.get("/readyz").json() == {
        "database": "ok", "releases": "ok", "active_releases": 1,
    }  # fmt: skip
    post(client, github.open_issue(REPO, "It crashes"))
    clock.advance(hours=1)
    text = client.get("/metrics").text
    assert 'issue_tagger_deliveries_total{action="opened",event="issues"} 1.0' in text
    assert 'issue_tagger_inbox{state="pending"} 1.0' in text
    assert "issue_tagger_silent_seconds 3600.0" in text
    assert "issue_tagger_silent_alarm 0.0" in text
    assert 'issue_tagger_webhooks_total{status="202"} 1.0' in text


def test_what_metrics_tell_apart_is_not_the_senders_to_choose(client, installation) -> None:
    for number in range(30):
        body = json.dumps({"action": f"made-up-{number}", "zen": "x"}).encode()
        for event in ("ping", f"event-{number}"):
            headers = signed_body(body, event, f"{event}-{number}")
            assert client.post("/webhook", content=body, headers=headers).status_code == 202
    for number in range(600):
        installation.metrics.decided(f"label {number}", "apply")
    text = client.get("/metrics").text
    assert 'deliveries_total{action="other",event="ping"} 30.0' in text
    assert 'deliveries_total{action="",event="other"} 30.0' in text
    assert 'decisions_total{decision="apply",label="other"} 100.0' in text
    assert "made-up" not in text


@pytest.mark.parametrize(
    "name", ["", "acme", "a/b/c", "acme/..", "./rocket", "acme/ro cket", "acme/x?y", "#/#", "a/b#7"]
)
def test_what_cannot_be_a_repository_is_kept_and_ignored(
    client, installation, github, name
) -> None:
    opened = github.open_issue(REPO, "It crashes")
    payload = json.loads(json.dumps(opened.payload))
    payload["repository"]["full_name"] = name
    body = json.dumps(payload).encode()
    headers = signed_body(body, "issues", opened.guid)
    assert client.post("/webhook", content=body, headers=headers).status_code == 202
    assert stored(installation, opened.guid).state == "ignored"
    with installation.store.read() as work:
        assert work.repositories.all() == ()


def test_a_day_without_a_delivery_raises_the_alarm(client, github, clock) -> None:
    def alarm() -> str:
        lines = client.get("/metrics").text.splitlines()
        return next(line for line in lines if line.startswith("issue_tagger_silent_alarm"))

    assert alarm().endswith(" 0.0")
    clock.advance(hours=25)  # nothing ever came
    assert alarm().endswith(" 1.0")
    post(client, github.open_issue(REPO, "It crashes"))
    assert alarm().endswith(" 0.0")
    clock.advance(hours=25)
    assert alarm().endswith(" 1.0")


def test_readiness_says_so_when_the_database_is_gone(client, installation, monkeypatch) -> None:
    from store.errors import StoreUnreachable

    def gone():
        raise StoreUnreachable("gone")

    monkeypatch.setattr(installation.store, "ping", gone)
    monkeypatch.setattr(installation.store, "read", gone)
    assert client.get("/readyz").json() == {"database": "StoreUnreachable"}
    assert client.get("/metrics").status_code == 503
    assert client.get("/healthz").status_code == 200


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
_keys = ["action", "issue", "label", "changes", "repository", "sender", "number", "title", "labels"]


@st.composite
def _mutated(draw: st.DrawFn, payload: dict) -> dict:
    """A real payload with a few values swapped for anything."""
    found = json.loads(json.dumps(payload))
    for _ in range(draw(st.integers(0, 3))):
        place = found
        for _ in range(draw(st.integers(0, 2))):
            inner = [value for value in place.values() if isinstance(value, dict) and value]
            place = draw(st.sampled_from(inner)) if inner else place
        key = draw(st.sampled_from(sorted(place)) | st.sampled_from(_keys))
        place[key] = draw(_json)
    return found


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_payload_whatever_makes_it_stumble(client, github, data) -> None:
    if not github.repository(REPO).issues:
        github.open_issue(REPO, "It crashes")
        github.add_labels(REPO, 1, ["bug"], by="ada")
        github.rename_label(REPO, "docs", "manual", by="ada")
        github.push_file(REPO, "README", "text")
    delivery = data.draw(st.sampled_from(list(github.deliveries)))
    payload = data.draw(_mutated(delivery.payload))
    body = json.dumps(payload).encode()
    guid = data.draw(st.uuids())
    headers = signed_body(body, delivery.event, str(guid))
    assert client.post("/webhook", content=body, headers=headers).status_code in {202, 400}


_REPOSITORY = {"id": 5, "name": "lab", "full_name": "octo/lab", "default_branch": "main"}
_ISSUE = {"id": 1, "number": 1, "title": "t", "labels": []}
_COMMENT = {"id": 2, "body": "hello", "user": {"login": "ada"}}
_INSTALLATION = {"id": 9, "account": {"login": "octo"}}
_FOUND = [{"id": 5, "name": "lab", "full_name": "octo/lab"}]
MINIMAL = {
    "issues": (
        ("opened", "edited", "closed", "reopened", "labeled", "unlabeled", "transferred",
         "deleted", "pinned", "assigned", "a_new_one"),
        {"issue": _ISSUE, "label": {"name": "bug"}, "repository": _REPOSITORY},
    ),
    "issue_comment": (
        ("created", "edited", "deleted"),
        {"issue": _ISSUE, "comment": _COMMENT, "repository": _REPOSITORY},
    ),
    "label": (
        ("created", "edited", "deleted"),
        {"label": {"name": "bug"}, "repository": _REPOSITORY},
    ),
    "installation": (
        ("created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"),
        {"installation": _INSTALLATION, "repositories": _FOUND},
    ),
    "installation_repositories": (
        ("added", "removed"),
        {"installation": _INSTALLATION, "repositories_added": _FOUND,
         "repositories_removed": _FOUND},
    ),
    "repository": (
        ("created", "edited", "renamed", "transferred", "archived", "unarchived", "publicized",
         "privatized", "deleted"),
        {"repository": _REPOSITORY, "changes": {"repository": {"name": {"from": "den"}}}},
    ),
    "push": ((None,), {"ref": "refs/heads/main", "commits": [], "repository": _REPOSITORY}),
    "ping": ((None,), {"zen": "Keep it simple.", "hook_id": 4}),
}  # fmt: skip
"""By event: its actions, and the least that GitHub sends with each."""


@pytest.mark.parametrize("event", MINIMAL)
def test_every_action_of_every_used_event_is_accepted(client, installation, event) -> None:
    actions, content = MINIMAL[event]
    for action in actions:
        payload = {**content, "sender": {"login": "ada"}} | ({"action": action} if action else {})
        body = json.dumps(payload).encode()
        headers = signed_body(body, event, f"{event}-{action}")
        assert client.post("/webhook", content=body, headers=headers).status_code == 202
    with installation.store.read() as work:
        assert sum(work.inbox.counts().values()) == len(actions)


@pytest.mark.parametrize("event", MINIMAL)
def test_githubs_own_examples_are_accepted(client, event) -> None:
    folder = os.environ.get("TEST_WEBHOOK_EXAMPLES")
    if not folder:
        pytest.skip("set TEST_WEBHOOK_EXAMPLES to an unpacked npm @octokit/webhooks-examples")
    entries = json.loads(Path(folder, "api.github.com", "index.json").read_text("utf-8"))
    (examples,) = (entry["examples"] for entry in entries if entry["name"] == event)
    for number, payload in enumerate(examples):
        body = json.dumps(payload).encode()
        headers = signed_body(body, event, f"{event}-{number}")
        assert client.post("/webhook", content=body, headers=headers).status_code == 202
