"""A release written anew with some of its files changed: the others are links to the same bytes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from tagger.persistence import file_digest, save_json
from tagger.releases.release import MANIFEST, read_manifest, to_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tagger.releases.release import Manifest

    Change = Callable[[Path], None]
    """Writes a file anew; it may not be changed in place, being shared with the old release."""


def rewritten(folder: Path, target: Path, changes: Mapping[str, Change], **fields: Any) -> Manifest:
    """Write the release to `target` with these files changed, by path within it, and digests anew.

    :param fields: of the manifest, where they change as well.
    :raises ReleaseDamaged: it cannot be read.
    """
    manifest = read_manifest(folder)
    aside = target.with_name(f".{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(folder, aside, copy_function=_link)
    files = dict(manifest.files)
    for name, write in changes.items():
        (aside / name).unlink()
        write(aside / name)
        files[name] = file_digest(aside / name)
    unchanged = {name: getattr(manifest, name) for name in type(manifest).__dataclass_fields__}
    manifest = type(manifest)(**{**unchanged, "files": files, **fields})
    (aside / MANIFEST).unlink()
    save_json(aside / MANIFEST, manifest.as_json())
    for name in (*changes, MANIFEST):
        to_disk(aside / name)
    aside.rename(target)
    to_disk(target.parent)
    return manifest


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)
