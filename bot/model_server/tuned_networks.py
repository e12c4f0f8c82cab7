"""Tuned members of the releases that serve, found by digest and loaded when one is first asked."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.model_serving.lru import ReleaseLru, bytes_on_disk
from bot.model_serving.served_networks import ServedNetwork
from tagger.errors import TaggerError
from tagger.persistence import load_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bot.container import Container
    from store.records import StoredRelease, TargetKind
    from tagger.runtimes import Runtime

log = logging.getLogger(__name__)

LOOKED_AGAIN = 5.0
"""Seconds between two looks at which releases serve: workers learn of a new one with their next
delivery, and one that asks before the next look computes by itself."""

TARGETS: tuple[TargetKind, ...] = ("issues", "pull_requests", "discussions")


@dataclass(frozen=True)
class _Place:
    """Folders of a release and of a tuned member within."""

    release: Path
    member: Path


class TunedNetworks:
    """The networks of tuned members, as many as fit into `RELEASE_MEMORY_MB`. Thread-safe.

    :param installation: whose active releases are looked through; where its database cannot be
        read there are none.
    :param clock: seconds that only grow.
    """

    def __init__(
        self, installation: Container, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._installation = installation
        self._clock = clock
        self._loaded: ReleaseLru[ServedNetwork] = ReleaseLru(
            installation.settings.release_memory_mb * 2**20
        )
        self._places: dict[str, _Place] = {}
        self._looked = float("-inf")
        self._lock = threading.Lock()

    def find(self, digest: str, runtime: Runtime) -> ServedNetwork | None:
        """The network ready to compute; None: no release that serves has it, or it is damaged."""
        with self._lock:
            network = self._loaded.get((digest, runtime))
            place = self._place_of(digest) if network is None else None
            if place is None:
                return network
            try:
                return self._loaded.load(
                    (digest, runtime),
                    bytes_on_disk(place.member),
                    lambda: self._opened(place, runtime),
                )
            except TaggerError as error:
                log.warning("a tuned member cannot be served", extra={"reason": str(error)})
                self._places.pop(digest)
                return None

    def _opened(self, place: _Place, runtime: Runtime) -> ServedNetwork:
        from tagger.releases.release import check_files, read_manifest
        from tagger.runtimes.opening import open_runner
        from tagger.training.tuned_model import TunedModel

        check_files(place.release, read_manifest(place.release).files)
        resources = self._installation.resources(tuning=False, runtime=runtime)
        network = TunedModel.restore(place.member, resources).network
        runner = open_runner(network, runtime, resources.device, resources.cache)
        return ServedNetwork(runner, network.vocabulary)

    def _place_of(self, digest: str) -> _Place | None:
        if digest not in self._places and self._clock() - self._looked >= LOOKED_AGAIN:
            self._looked = self._clock()
            self._places = dict(self._tuned_members())
        return self._places.get(digest)

    def _tuned_members(self) -> Iterator[tuple[str, _Place]]:
        """Digest and place of each tuned member of the releases that serve."""
        for record in self._active():
            try:
                release = self._installation.archive.fetch(record.location, record.digest)
                for reader in release.rglob("reader.json"):
                    yield str(load_json(reader).get("digest")), _Place(release, reader.parent)
            except (TaggerError, OSError) as error:
                log.warning("a release cannot be served", extra={"reason": str(error)})

    def _active(self) -> list[StoredRelease]:
        try:
            with self._installation.store.read() as work:
                serving = [
                    work.releases.active(repository.id, target)
                    for repository in work.repositories.all()
                    for target in TARGETS
                ]
        except Exception as error:  # every database has errors of its own
            reason = {"reason": str(error)}
            log.warning("no tuned members: the database cannot be read", extra=reason)
            return []
        return [record for record in serving if record is not None]
