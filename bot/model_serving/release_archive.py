"""Where releases are kept for all machines: any fsspec location, with a folder here as its cache.

Without a location the folder is all there is. A release's manifest is written last, so that what
was uploaded in half is no release; what is fetched is checked against the database's digest, file
by file, before it gets its final name.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bot.errors import SettingsInvalid
from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"


class ReleaseArchive:
    """Thread-safe; any number of processes may share the folder, and any number the location.

    :param folder: where releases lie on this machine.
    :param url: where they lie for all machines, such as `s3://bucket/releases`; None: nowhere else.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.url = url

    def keep(self, location: str) -> None:
        """Upload a release that was trained here.

        :raises ReleaseDamaged: the location cannot be written; what was trained stays here.
        """
        if self.url is None:
            return
        here, there = self.folder / location, self._there(location)
        names = [path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()]
        try:
            for name in sorted(names, key=lambda name: (name == MANIFEST, name)):
                target = f"{there}/{name}"
                self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._files.put_file(str(here / name), target)
        except Exception as error:  # every file system has errors of its own
            raise ReleaseDamaged(
                here, f"it cannot be kept at {self.url}: {error}; check ISSUE_TAGGER_RELEASES_URL"
            ) from error

    def fetch(self, location: str, digest: str) -> Path:
        """The release's folder on this machine, fetched where it is not there.

        :raises ReleaseDamaged: it is not at its location either, or not what was promoted.
        """
        here = self.folder / location
        if self.url is not None and not (here / MANIFEST).is_file():
            self._download(location, digest)
        return here

    def fetch_again(self, location: str, digest: str) -> Path:
        """The same in place of a copy that is damaged; the copy is put aside.

        :raises ReleaseDamaged: as `fetch`; or there is no other copy.
        """
        here = self.folder / location
        if self.url is None:
            raise ReleaseDamaged(here, "there is no other copy of it")
        if here.exists():
            here.rename(here.with_name(f".{here.name}.damaged-{uuid.uuid4().hex[:6]}"))
        self._download(location, digest)
        return here

    def _download(self, location: str, digest: str) -> None:
        here = self.folder / location
        aside = here.with_name(f".{here.name}.{uuid.uuid4().hex[:8]}.partial")
        aside.mkdir(parents=True)
        try:
            self._copy(location, digest, aside)
            aside.rename(here)
        except OSError as error:
            if not (here / MANIFEST).is_file():  # else another process was faster
                raise ReleaseDamaged(here, f"it cannot be fetched: {error}") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        log.info("release fetched", extra={"release": location})

    def _copy(self, location: str, digest: str, aside: Path) -> None:
        from tagger.releases.release import check_files, read_manifest

        there = self._there(location)
        self._get(f"{there}/{MANIFEST}", aside / MANIFEST)
        manifest = read_manifest(aside)
        if manifest.digest != digest:
            raise ReleaseDamaged(
                aside, f"{self.url} holds another release of that name than was promoted"
            )
        for name in manifest.files:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ReleaseDamaged(aside, f"its manifest names a file outside of it: {name}")
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            self._get(f"{there}/{name}", aside / name)
        check_files(aside, manifest.files)

    def _get(self, source: str, target: Path) -> None:
        try:
            self._files.get_file(source, str(target))
        except Exception as error:  # every file system has errors of its own
            raise ReleaseDamaged(
                target.parent,
                f"{target.name} cannot be fetched from {self.url}: "
                f"{type(error).__name__}: {error}; check ISSUE_TAGGER_RELEASES_URL",
            ) from error

    def _there(self, location: str) -> str:
        return f"{self._root}/{location}"

    @property
    def _files(self) -> Any:
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1]

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        import fsspec

        try:
            files, root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise SettingsInvalid(
                [
                    f"ISSUE_TAGGER_RELEASES_URL: {error}; expected a folder, file://…, or a "
                    "location whose fsspec package is installed (pip install 'issue-tagger[s3]')"
                ]
            ) from None
        return files, str(root).rstrip("/")
