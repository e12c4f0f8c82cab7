"""The GitHub App that the set-up page made: its secrets in one file that only we may read."""

from __future__ import annotations

import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from bot.errors import CommandRefused, SettingsInvalid

if TYPE_CHECKING:
    from pathlib import Path

MODE = 0o600


@dataclass(frozen=True)
class AppCredentials:
    """What GitHub hands over once, when an App is made.

    :ivar slug: the App's name in addresses; its bot acts as `SLUG[bot]`.
    :ivar private_key: PEM.
    :ivar client_id, client_secret: for people who sign in; "" in files of before.
    """

    app_id: int
    slug: str
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


def keep(credentials: AppCredentials, file: Path) -> None:
    """Write the file, whole or not at all, readable by its owner alone.

    :raises CommandRefused: there is one already, or it cannot be written.
    """
    beside = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(beside, json.dumps(asdict(credentials), indent=1))
        _put(beside, file)
    except FileExistsError:
        raise CommandRefused(
            f"{file} holds an App already; remove the file to set up another"
        ) from None
    except OSError as error:
        raise CommandRefused(f"{file} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            beside.unlink()


def read(file: Path) -> AppCredentials | None:
    """What the file holds; None where there is none.

    :raises SettingsInvalid: it cannot be read or holds something else.
    """
    try:
        loads = json.loads(file.read_text("utf-8"))
        return AppCredentials(
            int(loads["app_id"]),
            str(loads["slug"]),
            str(loads["private_key"]),
            str(loads["webhook_secret"]),
            str(loads.get("client_id", "")),
            str(loads.get("client_secret", "")),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsInvalid(
            [
                f"{file} holds no App's credentials ({type(error).__name__}); restore it, "
                "or remove it and set the App up again"
            ]
        ) from None


def is_private(file: Path) -> bool:
    """Whether nobody but its owner may read the file."""
    return not stat.S_IMODE(file.stat().st_mode) & 0o077


def _put(beside: Path, file: Path) -> None:
    """Give the file its name; unlike a rename, a link replaces no App that is there already."""
    try:
        os.link(beside, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if file.exists():
            raise FileExistsError from None
        beside.replace(file)


def _write(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
