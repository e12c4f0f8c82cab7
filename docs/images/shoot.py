"""The screenshots of README and docs, taken anew: the demonstration, its pages and a report.

    python docs/images/shoot.py [pages] [report]

Needs Chromium and its driver, and selenium (extra `dev`). The pages take a minute, the report a
quarter of an hour, since it is of an evaluation of every member.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.demo.material import from_sample
from bot.demo.play import Audience, play

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
PATIENCE = 180.0
"""Seconds that a page may take until it is ready."""

SLICES = "0,8,16,32,64,128,all"
MEMBERS = "naive-bayes,zero-shot,linear,knn,chain"


@dataclass(frozen=True)
class Shot:
    """One picture.

    :ivar name: its file, without ending.
    :ivar size: width and height of the window, in CSS pixels.
    :ivar dark: as a browser shows it that asks for dark colours.
    """

    name: str
    size: tuple[int, int]
    dark: bool = False


PAGES = (
    ("", "To decide", Shot("pages-today", (1280, 1000))),
    ("", "To decide", Shot("pages-today-phone", (390, 1500))),
    ("/teach", "Which labels belong on it?", Shot("pages-teach-dark", (1280, 1100), dark=True)),
)
REPORT = (
    Shot("report-desktop", (1400, 1560)),
    Shot("report-dark", (1400, 1560), dark=True),
    Shot("report-tablet", (768, 1500)),
    Shot("report-phone", (390, 1700)),
    Shot("report-phone-dark", (390, 1700), dark=True),
)


def main() -> None:
    """Play, evaluate, open, and write the pictures beside this file."""
    wanted = sys.argv[1:] or ["pages", "report"]
    material = from_sample(_quiet)
    with tempfile.TemporaryDirectory(prefix="issue-tagger-shoot-") as work:
        folder = Path(work)
        heard = Audience(*(4 * [lambda *_: None]))
        play(material, folder, heard)
        repository = material.repository
        with browser() as driver:
            if "pages" in wanted:
                with opened(folder, repository) as (link, site):
                    driver.get(link)
                    for path, ready, shot in PAGES:
                        take(driver, f"{site}/r/{repository}{path}", shot, ready)
            if "report" in wanted:
                report = evaluated(folder, repository)
                for shot in REPORT:
                    take(driver, report.as_uri(), shot, "What to switch on")


def evaluated(folder: Path, repository: str) -> Path:
    """The page of a new evaluation."""
    command(
        folder,
        *("evaluate", repository, "--strategies", MEMBERS, "--slices", SLICES),
        *("--seeds", "3", "--out", str(folder / "reports")),
    )
    return next((folder / "reports").rglob("*.html"))


def take(driver: Any, address: str, shot: Shot, ready: str) -> None:
    """Open a page at a size, wait for a text on it, and keep what shows."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if shot.dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    width, height = shot.size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(address)
    deadline = time.monotonic() + PATIENCE
    while ready not in driver.page_source:
        if time.monotonic() > deadline:
            raise SystemExit(f"{address} did not say {ready!r} within {PATIENCE:.0f} s")
        time.sleep(0.2)
    driver.save_screenshot(str(HERE / f"{shot.name}.png"))
    print(f"{shot.name}.png: {address}")


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def opened(folder: Path, repository: str) -> Iterator[tuple[str, str]]:
    """`issue-tagger open`: the link that opens its pages once, and where they are."""
    arguments = _arguments("open", repository, "--no-browser")
    with subprocess.Popen(  # noqa: S603 - our own program
        arguments, env=_environment(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdout is None:
                raise SystemExit("the pages were not opened, expected a link")
            link = process.stdout.readline().strip()
            yield link, "/".join(link.split("/", 3)[:3])
        finally:
            process.terminate()


def command(folder: Path, *arguments: str) -> None:
    """Run `issue-tagger`.

    :raises CalledProcessError: it failed.
    """
    subprocess.run(  # noqa: S603 - our own program
        _arguments(*arguments), env=_environment(folder), check=True, stdout=subprocess.DEVNULL
    )


def _arguments(*arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", "bot.cli", *arguments)


def _environment(folder: Path) -> dict[str, str]:
    database = f"sqlite:///{folder / 'issue-tagger.sqlite3'}"
    own = {"ISSUE_TAGGER_DATA_DIR": str(folder), "ISSUE_TAGGER_DATABASE_URL": database}
    return {**os.environ, **own}


def _quiet(step: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


if __name__ == "__main__":
    main()
