"""Runs the real service in a process of its own, with a release that reads labels off titles."""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from fakes_bot import WordRelease

from bot.container import Container
from bot.jobs.delivery_queue import DeliveryLimits
from bot.process.logs import set_up_logs
from bot.process.settings import load_settings
from bot.service.serving import serve

if TYPE_CHECKING:
    from pathlib import Path

LEASE = timedelta(seconds=2)


def open_release(folder: Path) -> WordRelease:
    release = WordRelease(json.loads((folder / "labels.json").read_text("utf-8")))
    release.before_tagging = lambda _: time.sleep(0.005)  # so that a kill finds work in hand
    return release


def main() -> None:
    settings = load_settings()
    set_up_logs(settings.log_format, settings.secrets(), logging.INFO)
    pace = DeliveryLimits(lease=LEASE, poll=timedelta(seconds=0.1))
    serve(Container(settings, open_release=open_release), pace=pace)


if __name__ == "__main__":
    main()
