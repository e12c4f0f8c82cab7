"""What a command needs open: settings from the environment, logs on stderr, a migrated database."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.bootstrap import Installation

debug = False
"""Whether --debug was given; set once, by the application's callback."""


@contextmanager
def opened(*, level: int = logging.WARNING) -> Iterator[Installation]:
    """The installation that the environment describes, its database brought up to date.

    :param level: the least severe log line to show; --debug shows all.
    :raises SettingsInvalid: a variable is wrong.
    :raises StoreError: the database cannot be used.
    """
    from bot.bootstrap import build
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(settings.log_format, settings.secrets(), logging.DEBUG if debug else level)
    installation = build(settings)
    try:
        installation.store.migrate()
        yield installation
    finally:
        installation.close()
