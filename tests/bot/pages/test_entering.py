"""Who may in, and what an outsider can learn: nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes_bot import BOT, LABELS, REPO
from fakes_pages import HERE, Browser, csrf_of, sign_in
from pydantic import SecretStr
from starlette.testclient import TestClient

from bot.container import Container
from bot.process.settings import Settings
from bot.service.app import create_app
from bot.signin.one_time_link import OneTimeLink
from bot.signin.script_tokens import issue
from bot.signin.sessions import SESSION_COOKIE, Session, SessionSeal
from bot.signin.sign_in_rate import MAX_ADDRESSES, TRIES, SignInRate
from bot.simulator.transport import SimulatorTransport

TODAY = f"/r/{REPO}"


@pytest.fixture
def app_installation(github, clock, releases, database_url, tmp_path):
    """An installation that speaks as an App, with the sign-in set up."""
    app = github.create_app("tagger")
    github.install(app, REPO)
    github.add_repository("acme/secret", private=True)
    settings = Settings(
        data_dir=tmp_path,
        database_url=database_url,
        github_api_url=github.url,
        github_app_id=app.id,
        github_private_key=app.private_key,
        github_client_id=app.client_id,
        github_client_secret=SecretStr(app.client_secret),
        webhook_secret="s" * 20,
    )
    made = Container(
        settings, clock=clock, transport=SimulatorTransport(github), open_release=releases
    )
    made.own_login = "tagger[bot]"
    with made.store.begin() as work:
        for name in (REPO, "acme/secret"):
            stored = work.repositories.get_or_create(
                name, now=clock(), github_id=github.repository(name).id
            )
            assert stored.github_id
    releases.promote(made.store, "r1", LABELS, clock())
    yield made
    made.close()


@pytest.fixture
def outside(app_installation):
    with TestClient(
        create_app(app_installation, worker=False), base_url="https://tagger.test"
    ) as client:
        yield client


def test_without_signing_in_there_is_a_page_that_says_what_this_is(outside) -> None:
    text = Browser(outside).get("/")
    assert "Sign in with GitHub" in text
    assert REPO not in text
    answer = outside.get(TODAY, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        303, "/signin?back=%2Fr%2Facme%2Frocket"
    )  # fmt: skip
    assert outside.get("/api/v1/repositories").status_code == 401


def test_who_may_triage_sees_and_decides_and_administrators_train(outside, github) -> None:
    github.set_role(REPO, "tina", "triage")
    github.set_role(REPO, "adam", "admin")
    assert sign_in(outside, github, "tina", TODAY).url.path == TODAY
    browser = Browser(outside)
    assert ">acme/rocket<" in browser.get("/")
    assert "Train a release" not in browser.get(f"{TODAY}/releases")
    form = browser.form("/", action="/signout")
    assert browser.client.post(
        f"{TODAY}/releases", data=form.fields | {"act": "retrain"}
    ).status_code == 403  # fmt: skip
    outside.cookies.clear()
    sign_in(outside, github, "adam")
    assert "Train a release" in browser.get(f"{TODAY}/releases")
    form = browser.form(f"{TODAY}/releases", action="/releases")
    assert "waits for a worker" in browser.send(form, act="retrain")


@pytest.mark.parametrize("login", ["stranger", "reader"])
def test_what_may_not_be_seen_looks_as_if_it_were_not_there(outside, github, login) -> None:
    github.set_role(REPO, "reader", "read")
    sign_in(outside, github, login)
    browser = Browser(outside)
    assert REPO not in browser.get("/")
    pages = [
        browser.client.get(f"/r/{name}{page}", follow_redirects=False)
        for name in (REPO, "acme/secret", "acme/nowhere", "no body/x", "a/../b")
        for page in ("", "/why/1", "/releases", "/preview", "/teach", "/audit", "/try")
    ]
    texts = {
        (page.status_code, page.text) for page in pages if page.status_code != 404 or page.text
    }
    statuses = {page.status_code for page in pages}
    assert statuses == {404}
    assert len({text for _, text in texts if "There is no such page" in text}) == 1
    for name in (REPO, "acme/secret", "acme/nowhere"):
        answer = outside.get(f"/api/v1/repositories/{name}/today")
        assert (answer.status_code, answer.json()) == (
            404, {"error": "There is no such page, or you may not see it."}
        )  # fmt: skip


def test_a_private_repository_is_asked_of_github_and_never_looked_up(
    outside, github, app_installation, monkeypatch
) -> None:
    """The store is not asked before GitHub has shown it: no answer and no time tells of it."""
    sign_in(outside, github, "stranger")
    looked: list[str] = []
    from store.repositories import Repositories

    find = Repositories.find
    monkeypatch.setattr(
        Repositories,
        "find",
        lambda self, name, **more: looked.append(name) or find(self, name, **more),
    )
    for name in ("acme/secret", "acme/nowhere", REPO):
        assert outside.get(f"/r/{name}").status_code == 404
    assert looked == []
    asked = [seen.path for seen in github.requests if seen.actor == "stranger"]
    assert asked[-3:] == ["/repos/acme/secret", "/repos/acme/nowhere", f"/repos/{REPO}"]


def test_what_github_said_is_kept_for_minutes_and_then_asked_again(outside, github, clock) -> None:
    github.set_role(REPO, "tina", "triage")
    sign_in(outside, github, "tina")
    browser = Browser(outside)
    browser.get(TODAY)
    github.set_role(REPO, "tina", "read")
    browser.get(TODAY)
    clock.advance(minutes=6)
    browser.get(TODAY, status=404)


def test_a_sign_in_that_github_has_ended_leads_back_to_signing_in(outside, github, clock) -> None:
    github.set_role(REPO, "tina", "triage")
    sign_in(outside, github, "tina")
    Browser(outside).get(TODAY)
    github.tokens = {token: actor for token, actor in github.tokens.items() if token[:4] != "ghu_"}
    clock.advance(minutes=6)
    answer = outside.get(TODAY, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"][:8]) == (303, "/signin?")
    assert "Sign in with GitHub" in outside.get("/").text


def test_githubs_answer_counts_only_with_the_state_and_the_verifier(outside, github) -> None:
    github.set_role(REPO, "tina", "triage")
    github.browser_login = "tina"
    first = outside.get("/signin/github", follow_redirects=False)
    query = parse_qs(urlsplit(first.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["https://tagger.test/signin/callback"]
    for state in ("", "another"):
        assert outside.get(f"/signin/callback?code=abc&state={state}").status_code == 403
    state = query["state"][0]
    assert outside.get(f"/signin/callback?code=unknown1&state={state}").status_code == 403
    # another browser, which did not begin it, has no use for the answer
    outside.cookies.clear()
    assert outside.get(f"/signin/callback?code=abc&state={state}").status_code == 403


def test_who_says_no_on_github_is_not_let_in(outside, github) -> None:
    answer = sign_in(outside, github, "")
    assert answer.status_code == 403
    assert "did not let you in" in answer.text


def test_a_form_without_the_sessions_token_is_refused(outside, github) -> None:
    github.set_role(REPO, "tina", "triage")
    sign_in(outside, github, "tina")
    order = {"number": "1", "label": "bug", "decision": "approve", "origin": "today"}
    for data in (order, order | {"csrf": "guessed"}):
        assert outside.post(f"{TODAY}/decide", data=data).status_code == 403
    token = csrf_of(outside.get("/").text)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = outside.post(f"{TODAY}/decide", data=order | {"csrf": token}, headers=elsewhere)
    assert answer.status_code == 403
    address = f"/api/v1/repositories/{REPO}/decisions"
    assert outside.post(address, json=order | {"number": 1}).status_code == 403


def test_cookies_are_kept_from_scripts_and_other_sites(outside, github) -> None:
    github.set_role(REPO, "tina", "triage")
    github.browser_login = "tina"
    answer = outside.get("/signin/github", follow_redirects=False)
    for flag in ("HttpOnly", "SameSite=lax", "Secure"):
        assert flag in answer.headers["set-cookie"]
    assert "tina" not in str(answer.headers)


def test_a_cookie_that_was_changed_is_too_old_or_another_installations_opens_nothing(clock) -> None:
    seal, other = SessionSeal("a key"), SessionSeal("another key")
    cookie = seal.seal(Session("github", "tina", "token"), clock())
    assert "tina" not in cookie
    assert seal.open(cookie, clock()).login == "tina"
    assert SessionSeal("a key").open(cookie, clock()) is not None
    assert other.open(cookie, clock()) is None
    assert seal.open(cookie[:-2] + "AA", clock()) is None
    assert seal.open(cookie, clock() + timedelta(hours=9)) is None
    assert seal.open("x" * 10_000, clock()) is None
    assert seal.open("ünicode", clock()) is None


def test_a_sign_in_of_before_opens_nothing_on_ones_own_machine(installation, clock) -> None:
    with TestClient(
        create_app(installation, worker=False, link=OneTimeLink()), base_url=HERE
    ) as client:
        forged = SessionSeal("").seal(Session("local"), clock())
        client.cookies.set(SESSION_COOKIE, forged)
        assert client.get(TODAY, follow_redirects=False).status_code == 303


def test_the_link_opens_once_and_within_ten_minutes(clock) -> None:
    link = OneTimeLink()
    assert not link.use("", clock())
    token = link.renew(clock())
    assert not link.use(f"{token}x", clock())
    assert link.use(token, clock())
    assert not link.use(token, clock())
    late = link.renew(clock())
    clock.advance(minutes=11)
    assert not link.use(late, clock())


def test_ones_own_machine_is_reached_under_its_own_name_only(local) -> None:
    answer = local.client.get("/", headers={"Host": "evil.test"})
    assert answer.status_code == 421
    assert REPO not in answer.text


def test_signing_in_is_tried_a_few_times_a_minute(outside, clock) -> None:
    statuses = [
        outside.get("/signin/github", follow_redirects=False).status_code for _ in range(TRIES + 2)
    ]
    assert statuses == [303] * TRIES + [429, 429]
    clock.advance(minutes=2)
    assert outside.get("/signin/github", follow_redirects=False).status_code == 303


def test_addresses_that_tried_are_forgotten_in_turn(clock) -> None:
    rate = SignInRate(tries=1)
    for number in range(MAX_ADDRESSES + 10):
        assert rate.wait(f"10.0.0.{number}", clock()) == 0
    assert len(rate._by_address) == MAX_ADDRESSES
    assert rate.wait(f"10.0.0.{MAX_ADDRESSES + 9}", clock()) > 0


@pytest.mark.parametrize(
    "back", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/a\r\nx"]
)
def test_nobody_is_led_elsewhere_after_signing_in(outside, github, back) -> None:
    from urllib.parse import quote

    github.set_role(REPO, "tina", "triage")
    assert sign_in(outside, github, "tina", quote(back)).url.path == "/"


def test_every_answer_forbids_what_is_not_ours(outside, github) -> None:
    github.set_role(REPO, "tina", "triage")
    sign_in(outside, github, "tina")
    for path in ("/", TODAY, "/r/acme/nowhere", "/static/pages.css"):
        headers = outside.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert outside.get(TODAY).headers["cache-control"] == "no-store"
    text = outside.get(TODAY).text
    assert not re.search(r"""(src|href)="https?:(?!//github)""", text)
    assert " style=" not in text
    assert not re.search(r"\son\w+=", text)


def test_a_token_opens_one_repository_with_its_role_until_it_ends(
    outside, app_installation, github, clock
) -> None:
    store = app_installation.store
    token, _ = issue(store, REPO, "ci", "triage", clock(), timedelta(days=1))
    headers = {"Authorization": f"Bearer {token}"}
    listed = outside.get("/api/v1/repositories", headers=headers).json()["repositories"]
    assert [each["name"] for each in listed] == [REPO]
    assert outside.get(f"/api/v1/repositories/{REPO}/today", headers=headers).status_code == 200
    secret = outside.get("/api/v1/repositories/acme/secret/today", headers=headers)
    assert secret.status_code == 404
    promoted = outside.post(f"/api/v1/repositories/{REPO}/rollback", headers=headers)
    assert promoted.status_code == 403
    with store.read() as work:
        assert token not in str(work.tokens.list(work.repositories.get(REPO).id))
    clock.advance(days=2)
    assert outside.get("/api/v1/repositories", headers=headers).status_code == 401
    for bad in ("itag_" + "a" * 43, "", "x" * 5000):
        answer = outside.get("/api/v1/repositories", headers={"Authorization": f"Bearer {bad}"})
        assert answer.status_code == 401


def test_what_a_person_decides_is_done_in_their_name(outside, github) -> None:
    github.set_role(REPO, "tina", "triage")
    delivery = github.open_issue(REPO, "a bug", "text", by="ada")
    from bot.receiving.deliveries import keep, understand

    sign_in(outside, github, "tina")
    store = outside.app.state.setup._container.store
    with store.begin() as work:
        keep(work, understand("g", "issues", delivery.payload, github.clock()), BOT)
    token = csrf_of(outside.get("/").text)
    order = {"number": 1, "label": "bug", "decision": "approve"}
    address = f"/api/v1/repositories/{REPO}/decisions"
    answer = outside.post(address, json=order, headers={"X-CSRF-Token": token})
    assert answer.json()["place"] == "github", answer.text
    event = github.issue(REPO, 1).events[-1]
    assert (event.event, event.actor.login) == ("labeled", "tina")
