"""SQLite's files: made for their owner alone, and rid of what was deleted."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

FILE_MODE, FOLDER_MODE = 0o600, 0o700
OUTSIDE = "store_outside_of_transactions"
"""An option of connections on which no transaction is begun: neither is possible within one."""


def make_private(file: Path) -> None:
    """Make the database's file, empty, and the folders to it, where they are missing.

    SQLite gives `-wal` and `-shm` the mode of the file itself. What is there keeps its mode: an
    operator may share it with a group.

    :raises OSError: they cannot be made.
    """
    make_folder(file.parent)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner alone.

    :raises OSError: it cannot be made.
    """
    missing = [folder, *folder.parents]
    while missing and missing[-1].exists():
        missing.pop()
    for place in reversed(missing):
        place.mkdir(mode=FOLDER_MODE, exist_ok=True)


def compact(engine: Engine, *, rewrite: bool) -> bool:
    """Empty the write-ahead log into the file, so that neither holds what was deleted.

    :param rewrite: write the file anew as well (`VACUUM`): what was deleted before deletions were
        overwritten goes too. Nobody else writes meanwhile.
    :returns: False where somebody else read or wrote for too long; the next time will do.
    """
    with engine.execution_options(**{OUTSIDE: True}).connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = OFF")
        if rewrite:
            connection.exec_driver_sql("VACUUM")
        return not connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
