"""The pages in a real browser, with the real service and people who sign in through GitHub.

Needs Debian's `chromium` and `chromium-driver`, and selenium; axe-core as well where
TEST_AXE_CORE names its file (npm's package axe-core, axe.min.js).
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from fakes_bot import LABELS, REPO, FakeReleases
from fakes_cli import WORDS
from mutated_texts import mutated
from pydantic import SecretStr
from test_teach import ThreeWords, kind_of

from bot.container import Container
from bot.process.settings import Settings
from bot.receiving.deliveries import keep, understand
from bot.service.app import create_app
from bot.simulator.server import serving
from bot.simulator.state import GitHubState
from store.records import IssueRecord, LabelRecord, PredictedLabel, PredictionRecord
from tagger.domain.strategy import Resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.database import Store

pytestmark = [pytest.mark.slow, pytest.mark.browser]
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
NEW = "acme/new"


@dataclass
class Stage:
    """The service at work, and GitHub beside it."""

    address: str
    installation: Container
    github: GitHubState


class Page:
    """A browser's window."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        self.address = address

    def get(self, path: str) -> None:
        self.driver.get(self.address + path)

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def text(self) -> str:
        """What the page shows; asked of the document, which may be another one by now."""
        script = "return document.body ? document.body.innerText : ''"
        return str(self.driver.execute_script(script))

    def wait(self, text: str, seconds: float = 20.0) -> str:
        """The page's text, once this is in it."""
        deadline = time.monotonic() + seconds
        while text not in (shown := self.text()):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        return shown

    def complaints(self) -> list[str]:
        """What the browser's console says of the security policy, and errors of scripts."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["source"] in {"security", "javascript"} or "Policy" in entry["message"]
        ]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_url(request) -> str:
    if request.param == "sqlite":
        return request.getfixturevalue("database_url")
    request.getfixturevalue("postgres_store")  # which is emptied afterwards
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def stage(any_url, tmp_path, monkeypatch) -> Iterator[Stage]:
    monkeypatch.setattr(
        Container, "resources", lambda self, *_, **more: Resources(encoder=ThreeWords)
    )
    github = GitHubState()
    for name in (REPO, NEW):
        github.add_repository(name)
    for label in LABELS:
        github.add_label(REPO, label)
    for kind in WORDS:
        github.add_label(NEW, kind)
    app = github.create_app("tagger")
    github.install(app, REPO, NEW)
    for name in (REPO, NEW):
        github.set_role(name, "adam", "admin")
    github.browser_login = "adam"
    with serving(github) as url:
        settings = Settings(
            data_dir=tmp_path,
            database_url=any_url,
            github_api_url=url,
            github_app_id=app.id,
            github_private_key=app.private_key,
            github_client_id=app.client_id,
            github_client_secret=SecretStr(app.client_secret),
            webhook_secret="s" * 20,
        )
        releases = FakeReleases()
        installation = Container(settings, open_release=releases)
        installation.store.migrate()
        _fill(installation, github, releases)
        with ServedPages(installation) as address:
            yield Stage(address, installation, github)
        installation.close()


def _fill(installation: Container, github: GitHubState, releases: FakeReleases) -> None:
    now = installation.clock()
    with installation.store.begin() as work:
        ids = {
            name: work.repositories.get_or_create(
                name, now=now, github_id=github.repository(name).id
            ).id
            for name in (REPO, NEW)
        }
        for name, labels in ((REPO, LABELS), (NEW, tuple(WORDS))):
            records = [LabelRecord(label) for label in labels]
            work.labels.upsert(ids[name], records, now=now)
    for release in ("r1", "r2"):
        releases.promote(installation.store, release, LABELS, now)
    for number in range(1, 41):
        words = WORDS[kind_of(number)]
        github.open_issue(NEW, f"{words[number % len(words)]} in part {number}", "So.", by="ada")
    for title in ("a bug here", "docs? maybe", "nothing"):
        github.open_issue(REPO, title, "text", by="ada")
    with installation.store.begin() as work:
        for delivery in list(github.deliveries):
            if delivery.event == "issues":
                guid = str(delivery.id)
                keep(work, understand(guid, delivery.event, delivery.payload, now), "tagger[bot]")
        for number, label, action in ((1, "bug", "none"), (2, "docs", "none")):
            near = ({"number": 3, "title": "near", "labels": [label], "similarity": 0.5},)
            labels = (
                PredictedLabel(
                    label, 0.85, 0.8, "suggest", "linear", {"linear": 0.9}, near, None, action
                ),
            )
            work.predictions.record(
                PredictionRecord(ids[REPO], number, "r2", now, "suggest", labels)
            )


class ServedPages:
    """The real service on a free port while the block runs."""

    def __init__(self, installation: Container) -> None:
        config = uvicorn.Config(
            create_app(installation, worker=False),
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def browser(stage) -> Iterator[Page]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium with its driver: apt-get install chromium chromium-driver")
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = CHROMIUM
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--window-size=1280,1000", "--disable-background-networking"),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield Page(driver, stage.address)
    finally:
        driver.quit()


def sign_in(browser: Page) -> None:
    browser.get("/")
    browser.find("a.button").click()
    browser.wait("Repositories")


def test_sign_in_decide_undo_promote_and_roll_back(stage, browser) -> None:
    sign_in(browser)
    browser.get(f"/r/{REPO}")
    browser.press("j", "a")
    browser.wait("approved by adam")
    decided = {n: i.label_names for n, i in stage.github.repository(REPO).issues.items()}
    assert sorted(decided.values()) == [[], [], ["docs"]] or decided[1] == ["bug"]
    browser.press("u")
    browser.wait("undone")
    assert not any(issue.labels for issue in stage.github.repository(REPO).issues.values())
    browser.press("d", "j", "a")
    browser.wait("dismissed by adam")
    browser.wait("approved by adam")
    events = [e for i in stage.github.repository(REPO).issues.values() for e in i.events]
    assert {e.actor.login for e in events if e.event == "labeled"} == {"adam"}
    browser.get(f"/r/{REPO}/releases")
    for act, serving_now in (("rollback", "r1"), ("promote", "r2")):
        browser.find(f"button[value={act}]").click()
        deadline = time.monotonic() + 20
        while active_release(stage) != serving_now:
            assert time.monotonic() < deadline, act
            time.sleep(0.05)
        browser.get(f"/r/{REPO}/releases")
    assert browser.complaints() == []


def active_release(stage: Stage) -> str:
    with stage.installation.store.read() as work:
        return work.releases.active(work.repositories.get(REPO).id).id


def test_twenty_four_issues_are_taught_from_zero_by_key(stage, browser) -> None:
    sign_in(browser)
    browser.get(f"/r/{NEW}/teach")
    for answered in range(24):
        browser.wait("Save and next", 60)
        number = int(browser.find("form.lesson input[name=number]").get_attribute("value"))
        choices = browser.driver.find_elements("css selector", ".choice input")
        names = [choice.get_attribute("value") for choice in choices]
        browser.press(str(names.index(kind_of(number)) + 1))
        browser.press("\ue007")  # Enter
        browser.wait(f"{answered + 1} issue")
    browser.wait("Put it to use")
    with stage.installation.store.read() as work:
        repository = work.repositories.get(NEW)
        rows = [row for row in work.issues.training_rows(repository.id) if row.labels]
    assert len(rows) == 24
    assert all(row.labels == (kind_of(row.number),) for row in rows)
    assert browser.complaints() == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_no_barrier_of_serious_weight(stage, browser, width, scheme) -> None:
    axe = Path(os.environ.get("TEST_AXE_CORE", "nowhere"))
    if not axe.is_file():
        pytest.skip("no axe-core: TEST_AXE_CORE names its axe.min.js")
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get("/")
    assert barriers(browser, axe) == []
    sign_in(browser)
    base = f"/r/{REPO}"
    for path in ("/", base, f"{base}/why/2", f"{base}/try", f"{base}/releases", f"/r/{NEW}/teach",
                 f"{base}/preview", "/r/no/such"):  # fmt: skip
        browser.get(path)
        for _ in range(30):
            if "looks again by itself" not in browser.text():
                break
            time.sleep(0.5)
        assert barriers(browser, axe) == [], path
        wide = browser.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, (path, wide)


def barriers(browser: Page, axe: Path) -> list[str]:
    browser.driver.execute_script(axe.read_text("utf-8"))
    found = browser.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run({resultTypes: ['violations']}).then(r => done(r.violations))"
    )
    return [
        f"{one['id']}: {[node['html'][:160] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def test_what_people_write_makes_the_browser_complain_of_nothing(stage, browser) -> None:
    sign_in(browser)
    store: Store = stage.installation.store
    now = stage.installation.clock()
    with store.begin() as work:
        repository = work.repositories.get(REPO)
        rows = [
            IssueRecord(100 + seed, *mutated(seed), (), now, author="<i>") for seed in range(12)
        ]
        work.issues.upsert(repository.id, rows)
    for seed in range(12):
        browser.get(f"/r/{REPO}/why/{100 + seed}")
        browser.wait("What happened")
        assert "evil" not in browser.driver.current_url
        assert browser.driver.find_elements("css selector", "#evil, iframe, img") == []
    assert browser.complaints() == []
