"""What a command needs open: settings from the environment, logs on stderr, a migrated database."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.container import Container
    from bot.process.settings import Settings

debug = False
"""Whether --debug was given; set once, by the application's callback."""


@contextmanager
def opened(*, level: int = logging.WARNING) -> Iterator[Container]:
    """The installation that the environment describes, its database brought up to date.

    :param level: the least severe log line to show; --debug shows all.
    :raises SettingsInvalid: a variable is wrong.
    :raises StoreError: the database cannot be used.
    """
    from bot.container import build
    from bot.process.settings import load_settings

    settings = load_settings()
    set_up(settings, level)
    container = build(settings)
    try:
        container.store.migrate()
        yield container
    finally:
        container.close()


def set_up(settings: Settings, level: int = logging.WARNING) -> None:
    """Send log lines to stderr; libraries from WARNING on, with --debug all of them."""
    from bot.process.logs import set_up_logs

    set_up_logs(settings.log_format, settings.secrets(), logging.DEBUG if debug else level)
    for chatty in ("alembic", "faiss"):
        logging.getLogger(chatty).setLevel(logging.DEBUG if debug else logging.WARNING)
