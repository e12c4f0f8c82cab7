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


def written_anew(location: str) -> str:
    """Where a release goes from which something was erased: who has the old one open keeps it."""
    place, slash, name = location.rpartition("/")
    release, _, count = name.partition(".")
    return f"{place}{slash}{release}.{int(count or 1) + 1}"


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

    def remove(self, location: str) -> bool:
        """Remove a release, or all of a repository's, here and there; False: it was not there.

        :raises ReleaseDamaged: the location cannot be written; what is here is gone.
        """
        here = self.folder / location
        there_was = here.exists()
        shutil.rmtree(here, ignore_errors=True)
        if self.url is None:
            return there_was
        try:
            if not self._files.exists(self._there(location)):
                return there_was
            self._files.rm(self._there(location), recursive=True)
        except Exception as error:  # every file system has errors of its own
            raise ReleaseDamaged(
                here, f"it cannot be removed from {self.url}: {error}; remove it there"
            ) from error
        return True

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
        for earlier in self._earlier(location):
            shutil.rmtree(earlier, ignore_errors=True)
        log.info("release fetched", extra={"release": location})

    def _earlier(self, location: str) -> list[Path]:
        """Copies here of the release as it was before something was erased from it."""
        here = self.folder / location
        release = here.name.partition(".")[0]
        names = {release, *(f"{release}.{n}" for n in range(2, 100))} - {here.name}
        return [here.with_name(name) for name in names if here.with_name(name).is_dir()]

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
