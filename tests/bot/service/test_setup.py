"""`/setup`: an App by GitHub's manifest flow, once, for who can read the log."""

from __future__ import annotations

import json
import logging
import stat
import time
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from fakes_bot import LABELS, REPO, signed
from starlette.testclient import TestClient

from bot.errors import CommandRefused, SettingsInvalid
from bot.github.manifest import PERMISSIONS, new_app_page, web_address
from bot.github.web_addresses import unreachable_because
from bot.jobs.delivery_queue import DeliveryLimits
from bot.operations.doctor import credentials_file
from bot.process import app_credentials
from bot.process.app_credentials import AppCredentials
from bot.process.settings import PREFIX, Settings, load_settings
from bot.service.app import create_app

HERE = "http://testserver"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"
APP = AppCredentials(7, "tagger", KEY, "s3cret-of-the-app")


class Form(HTMLParser):
    """A page's form: where it goes, and its fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given["action"]
        elif tag == "input" and given.get("type") != "checkbox":  # none is ticked
            self.fields[given["name"]] = given["value"]


@pytest.fixture
def settings(database_url, tmp_path, github) -> Settings:
    """A fresh installation's: no App, no token, no secret."""
    return Settings(data_dir=tmp_path, database_url=database_url, github_api_url=github.url)


@pytest.fixture
def service(installation):
    return create_app(installation, worker=False)


@pytest.fixture
def client(service):
    with TestClient(service, base_url=HERE) as client:
        yield client


def link(service, caplog) -> str:
    """The link that the log shows."""
    with caplog.at_level(logging.WARNING):
        service.state.setup.announce(HERE)
    return caplog.messages[-1].split("open ")[1].removeprefix(HERE)


def begin(client, service, caplog, **changed: str) -> Form:
    """Both steps up to the form that goes to GitHub."""
    first = Form(client.get(link(service, caplog)).text)
    return Form(client.post("/setup", data=first.fields | changed).text)


def manifest_of(form: Form) -> dict:
    return json.loads(form.fields["manifest"])


def test_the_app_asks_for_pull_requests_only_where_that_is_ticked(client, service, caplog) -> None:
    assert 'type="checkbox" name="pull_requests"' in client.get(link(service, caplog)).text
    plain = manifest_of(begin(client, service, caplog))
    assert plain["default_permissions"] == PERMISSIONS
    assert "pull_request" not in plain["default_events"]
    ticked = manifest_of(begin(client, service, caplog, pull_requests="yes"))
    assert ticked["default_permissions"] == {**PERMISSIONS, "pull_requests": "write"}
    assert ticked["default_events"] == [*plain["default_events"], "pull_request"]


def state_of(form: Form) -> str:
    return form.action.partition("state=")[2]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1 is this machine itself"),
        ("http://[::1]:8000", "::1 is this machine itself"),
        ("https://192.168.1.5", "192.168.1.5 is an address of a private network"),
        ("https://tagger.local", "tagger.local is a name that only your own network knows"),
        ("https://tagger", "tagger is a name that only your own network knows"),
        ("https://tagger.example.org", ""),
    ],
)
def test_an_address_that_github_cannot_reach_is_told(address: str, why: str) -> None:
    assert unreachable_because(address, "https://api.github.com") == why
    own = unreachable_because(address, "https://github.acme.test/api/v3")
    assert own == (why if "this machine" in why else "")


def test_the_form_warns_of_the_address_and_its_button_says_what_it_does(
    client, service, caplog
) -> None:
    first = client.get(link(service, caplog)).text
    assert "GitHub cannot reach this address: testserver is a name" in first
    assert "Show what GitHub will be asked</button>" in first
    assert "prefers-color-scheme: dark" in first
    fields = Form(first).fields | {"address": "https://10.1.2.3", "name": "tagger <x>"}
    second = client.post("/setup", data=fields).text
    assert "10.1.2.3 is an address of a private network" in second
    assert "create “tagger &lt;x&gt;”</button>" in second
    reachable = fields | {"address": "https://tagger.example.org"}
    assert "cannot reach" not in client.post("/setup", data=reachable).text


def test_an_app_is_made_kept_privately_and_used_at_once(
    installation, github, releases, clock, caplog
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    caplog.set_level(logging.WARNING, "httpx")  # as `bot.process.logs` has it
    caplog.set_level(logging.WARNING, "httpx2")
    releases.promote(installation.store, "r1", LABELS, clock())
    limits = DeliveryLimits(lease=timedelta(hours=1), poll=timedelta(seconds=0.05))
    service = create_app(installation, pace=limits)
    with TestClient(service, base_url=HERE) as client:
        github.push_file(REPO, ".github/issue-tagger.yml", "mode: apply\ndelay_seconds: 0\n")
        form = begin(client, service, caplog, organisation="acme")
        assert form.action.startswith(f"{github.url}/organizations/acme/settings/apps/new?state=")
        manifest = json.loads(form.fields["manifest"])
        assert manifest["default_permissions"] == PERMISSIONS
        assert manifest["hook_attributes"]["url"] == f"{HERE}/webhook"
        code = github.submit_manifest(manifest)
        back = client.get("/setup/callback", params={"code": code, "state": state_of(form)})
        assert back.status_code == 200
        assert f"{github.url}/apps/issue-tagger/installations/new" in back.text
        (app,) = github.apps.values()
        github.install(app, REPO)
        opened = github.open_issue(REPO, "a bug")
        body, headers = signed(opened, app.webhook_secret)
        assert client.post("/webhook", content=body, headers=headers).status_code == 202
        # an intake that came before the first reading of the file took the usual delay;
        # a lease is longer than the step
        clock.advance(minutes=3)
        deadline = time.monotonic() + 60
        while github.issue(REPO, 1).label_names != ["bug"] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert github.issue(REPO, 1).label_names == ["bug"]
        again = client.get(link_of(caplog))
        assert (again.status_code, "already" in again.text) == (409, True)
    file = installation.settings.app_credentials_file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.glob("github-app*")] == [file.name]
    assert app_credentials.read(file).webhook_secret == app.webhook_secret
    assert installation.own_login == "issue-tagger[bot]"
    for shown in (back.text, again.text, caplog.text):
        assert app.webhook_secret not in shown
        assert "PRIVATE KEY" not in shown
        assert code not in shown


def link_of(caplog) -> str:
    (line,) = [one for one in caplog.messages if "to make one, open" in one]
    return line.split("open ")[1].removeprefix(HERE)


def test_strangers_see_nothing(client, service, caplog, github) -> None:
    token = link(service, caplog).partition("token=")[2]
    for wrong in ("", "?token=", f"?token={token[:-1]}", "?token=%C3%A9"):
        answer = client.get(f"/setup{wrong}")
        assert answer.status_code == 403
        assert "<form" not in answer.text
    assert client.post("/setup", data={"token": "guess", "address": HERE}).status_code == 403
    code = github.submit_manifest(json.loads(begin(client, service, caplog).fields["manifest"]))
    foreign = client.get("/setup/callback", params={"code": code, "state": "guess"})
    assert foreign.status_code == 403
    assert code in github.manifest_codes  # it was not even tried


def test_pages_run_no_script_and_leak_no_address(client, service, caplog) -> None:
    answer = client.get(link(service, caplog))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_typed_in_stays_text(client, service, caplog) -> None:
    name = '"><script>alert(1)</script>'
    token = link(service, caplog).partition("token=")[2]
    given = {"token": token, "address": f"{HERE}/tagger/", "name": name, "organisation": ""}
    answer = client.post("/setup", data=given)
    assert "<script" not in answer.text
    form = Form(answer.text)
    manifest = json.loads(form.fields["manifest"])
    assert (manifest["name"], manifest["redirect_url"]) == (name, f"{HERE}/tagger/setup/callback")


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "javascript:alert(1)"},
        {"address": "https://me:pw@host"},
        {"address": "https://host:port"},
        {"address": "https://host/?x"},
        {"organisation": "a/../b"},
    ],
)
def test_what_cannot_be_is_refused(client, service, caplog, changed) -> None:
    token = link(service, caplog).partition("token=")[2]
    given = {"token": token, "address": HERE, "name": "tagger", "organisation": ""}
    assert client.post("/setup", data=given | changed).status_code == 400
    assert client.post("/setup", data=given | {"name": "x" * 20_000}).status_code == 413


def test_a_code_that_github_refuses_changes_nothing(
    client, service, caplog, github, installation
) -> None:
    form = begin(client, service, caplog)
    for code, status in (("0" * 40, 502), ("../../user", 400), ("", 400)):
        params = {"code": code, "state": state_of(form)}
        assert client.get("/setup/callback", params=params).status_code == status
    assert not installation.settings.app_credentials_file.exists()
    code = github.submit_manifest(json.loads(form.fields["manifest"]))
    params = {"code": code, "state": state_of(form)}
    assert client.get("/setup/callback", params=params).status_code == 200
    assert client.get("/setup/callback", params=params).status_code == 409


def test_a_secret_of_the_environment_wins_and_the_page_says_so(
    installation, github, caplog
) -> None:
    from pydantic import SecretStr

    installation.settings = installation.settings.model_copy(
        update={"webhook_secret": SecretStr("of the environment")}
    )
    service = create_app(installation, worker=False)
    with TestClient(service, base_url=HERE) as client:
        form = begin(client, service, caplog)
        code = github.submit_manifest(json.loads(form.fields["manifest"]))
        back = client.get("/setup/callback", params={"code": code, "state": state_of(form)})
    assert "ISSUE_TAGGER_WEBHOOK_SECRET is set" in back.text
    assert installation.settings.webhook_secrets == ("of the environment",)


def test_where_there_is_a_token_no_app_is_made(installation, caplog) -> None:
    from pydantic import SecretStr

    installation.settings = installation.settings.model_copy(
        update={"github_token": SecretStr("ghp_0123456789abcdef")}
    )
    service = create_app(installation, worker=False)
    service.state.setup.announce(HERE)
    assert not [one for one in caplog.messages if "/setup" in one]
    client = TestClient(service, base_url=HERE)
    answer = client.get("/setup")
    assert (answer.status_code, "GITHUB_TOKEN" in answer.text) == (409, True)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A data folder in which an App was set up."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setenv(f"{PREFIX}DATA_DIR", str(tmp_path))
    app_credentials.keep(APP, tmp_path / "github-app.json")
    return tmp_path / "github-app.json"


def test_the_next_start_finds_the_app(kept) -> None:
    settings = load_settings()
    assert (settings.github_app_id, settings.webhook_secrets) == (7, ("s3cret-of-the-app",))
    assert settings.private_key() == KEY
    assert {KEY, "s3cret-of-the-app"} <= set(settings.secrets())


def test_the_environment_stands_before_the_file(kept, monkeypatch) -> None:
    monkeypatch.setenv(f"{PREFIX}WEBHOOK_SECRET", "rotated")
    assert load_settings().webhook_secrets == ("rotated",)
    monkeypatch.setenv(f"{PREFIX}GITHUB_TOKEN", "ghp_0123456789abcdef")
    assert load_settings().github_app_id is None


def test_an_app_is_never_replaced(kept) -> None:
    with pytest.raises(CommandRefused, match="holds an App already"):
        app_credentials.keep(APP, kept)
    assert app_credentials.is_private(kept)
    assert list(kept.parent.iterdir()) == [kept]


def test_doctor_tells_of_a_key_that_others_may_read(kept) -> None:
    settings = load_settings()
    assert list(credentials_file(settings)) == []
    kept.chmod(0o644)
    (finding,) = credentials_file(settings)
    assert (finding.verdict, finding.advice) == ("wrong", f"chmod 600 {kept}")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"app_id": "x"}'])
def test_a_damaged_file_is_named(kept, text) -> None:
    kept.write_text(text, "utf-8")
    with pytest.raises(SettingsInvalid, match=r"github-app\.json"):
        load_settings()


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://ghe.test:8443/api/v3", "https://ghe.test:8443"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
    ],
)
def test_the_page_belongs_to_the_github_of_the_api(api, web) -> None:
    assert web_address(api) == web
    assert new_app_page(api, "", "s+1") == f"{web}/settings/apps/new?state=s%2B1"
