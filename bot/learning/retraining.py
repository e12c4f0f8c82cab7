"""Retrain: learn a release, compare it with the one that serves, let the better one serve.

In stages: what is cheap to learn serves first, and each dear member makes a further release.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.advising import duplicates
from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import known_configuration
from bot.learning.gating import admit, comparable, holdout_key_of, part
from bot.learning.training_data import encode_all, training_data
from bot.learning.training_lease import training_lease

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.learning.gating import Parted, Retrained
    from bot.learning.workspace import Workspace
    from store.database import Store
    from store.records import StoredRelease, TargetKind
    from tagger.chain.chain import Chain
    from tagger.domain.strategy import Progress
    from tagger.releases.release import ReleaseOrder
    from tagger.releases.staged_training import StagedTraining, TrainingStage


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """A training as it was asked for.

    :ivar labels: None: all that the repository has.
    :ivar strategies: the chain's members; None: all that the models at hand allow.
    :ivar promote: False leaves the release staged, whatever the gate says.
    :ivar within: how long to go on; None: until all members are trained. Once it is over, what is
        finished makes a release, the rest is kept for the next training. The first stage is never
        cut short.
    :ivar target: what the release labels: it learns from that alone.
    :ivar thorough: tuned members by the recipes for whoever has time, see `THOROUGH`.
    """

    repository: str
    seed: int = 0
    labels: Sequence[str] | None = None
    strategies: Sequence[str] | None = None
    promote: bool = True
    within: timedelta | None = None
    thorough: bool = False
    target: TargetKind = "issues"


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C, with what stays of the training.

    :ivar stages: releases that it made.
    :ivar to_come: names of members that are in none of them.
    :ivar n_finished: steps of theirs that the next training need not do again.
    """

    def __init__(
        self, stages: Sequence[Retrained], to_come: Sequence[str], n_finished: int
    ) -> None:
        self.stages = tuple(stages)
        self.to_come = tuple(to_come)
        self.n_finished = n_finished
        super().__init__()


class _TimeIsUp(Exception):
    """The training has taken as long as it may; raised from its progress, so between two steps."""


def _untold(_: Retrained) -> None:
    """For who waits until the end."""


def retrain(
    workspace: Workspace,
    request: RetrainRequest,
    released: Callable[[Retrained], None] = _untold,
) -> Retrained:
    """Train in stages; gate each release against the active one, promote it unless it is worse.

    :param released: told of each release on the way, while the training goes on.
    :returns: the last release that serves, or the last one where the gate let none through.
    :raises CommandRefused: there are no labels, or not those asked for.
    :raises NothingToLearnFrom: no strategy can learn from what is there.
    :raises LeaseHeld: somebody else trains this repository right now.
    :raises TrainingInterrupted: Ctrl-C; says what is kept.
    """
    store, resources = workspace.store, workspace.resources
    with store.read() as work:
        name = work.repositories.get(request.repository).full_name
    with training_lease(store, name, resources.progress) as watched:
        workspace = replace(workspace, resources=replace(resources, progress=watched))
        return _Course(workspace, request, released).run()


@dataclass
class _Course:
    """One training from its beginning to its end.

    :ivar began: by the clock that only grows.
    :ivar stages: the releases made so far.
    :ivar joining: for each stage that is in no release yet, the members that it adds.
    """

    workspace: Workspace
    request: RetrainRequest
    released: Callable[[Retrained], None]
    began: float = field(default_factory=time.monotonic)
    stages: list[Retrained] = field(default_factory=list)
    joining: list[tuple[str, ...]] = field(default_factory=list)
    events_until: int = field(init=False)
    parted: Parted = field(init=False)

    def run(self) -> Retrained:
        from tagger.releases.staged_training import StagedTraining

        workspace, request = self.workspace, self.request
        store, resources = workspace.store, workspace.resources
        with store.read() as work:
            self.events_until = work.labels.newest_event()
        data = training_data(
            store,
            request.repository,
            request.labels,
            resources.progress,
            now=workspace.now,
            target=request.target,
        )
        self.parted = part(data, holdout_key_of(store, request.repository, keep=True))
        training = StagedTraining(
            self._order(),
            self.parted.learned,
            resources,
            request.strategies,
            thorough=request.thorough,
        )
        self.joining = [stage.joining for stage in training.stages]
        try:
            encode_all(self.parted.learned, replace(training.resources, progress=self._progress))
            self._go_through(training)
            self._measure_duplicates()
        except KeyboardInterrupt:
            raise TrainingInterrupted(self.stages, self._to_come(), training.n_finished) from None
        if not self.joining:
            training.forget()
        return self._outcome()

    def _measure_duplicates(self) -> None:
        """From which likeness on duplicates may be named, on all that people named until now.

        Where time is up, what was measured last stays in force.
        """
        workspace = self.workspace
        if self._time_is_up():
            return
        wanted = configured(workspace.store, self.request.repository).advice.duplicates
        duplicates.measure(workspace.store, self.request.repository, workspace.resources, wanted)

    def _go_through(self, training: StagedTraining) -> None:
        """Fit stage after stage; what was fitted and not yet released is, where time runs out."""
        pending: Callable[[], None] | None = None
        n_stages = len(training.stages)
        for n, stage in enumerate(training.stages, 1):
            is_last = n == n_stages
            if self._serves_already(stage, training) and not is_last:
                self.joining = self.joining[len(self.joining) - (n_stages - n) :]
            if not (is_last or self._is_bounded or self._is_wanted(stage, training)):
                continue
            step = f"release {n} of {n_stages}: {', '.join(stage.joining)}"
            if n_stages > 1:
                self._progress(step, 0, 1)
            try:
                chain = training.fit(stage, self._bounded if n > 1 else self._progress)
            except _TimeIsUp:
                break
            pending = partial(self._release, training, stage, chain, left=n_stages - n)
            if is_last or self._is_wanted(stage, training):
                pending()
                pending = None
            if n_stages > 1:
                self._progress(step, 1, 1)
            if not is_last and self._time_is_up():
                break
        if pending is not None:
            pending()

    def _release(
        self, training: StagedTraining, stage: TrainingStage, chain: Chain, *, left: int
    ) -> None:
        manifest = training.write(self._order(), chain)
        self.joining = self.joining[len(self.joining) - left :] if left else []
        done = admit(
            self.workspace,
            manifest,
            self.parted,
            promote=self.request.promote and not (left and self._is_less(stage, training)),
            events_until=self.events_until,
            target=self.request.target,
        )
        done = replace(done, seconds=time.monotonic() - self.began, to_come=self._to_come())
        self.stages.append(done)
        if left and not self._time_is_up():
            self.released(done)

    def _is_wanted(self, stage: TrainingStage, training: StagedTraining) -> bool:
        """Whether a release on the way would serve sooner what none that serves can do.

        One that can do more is not replaced by less for as long as the training takes, and one
        that can do the same of the same issues not by itself.
        """
        active = self._active()
        if active is None or not self.request.promote:
            return self.request.promote
        able = _abilities(active)
        return able <= training.abilities(stage) and not self._serves_already(stage, training)

    def _serves_already(self, stage: TrainingStage, training: StagedTraining) -> bool:
        """Whether a release of the very same members and issues serves."""
        active = self._active()
        return (
            active is not None
            and _abilities(active) == training.abilities(stage)
            and active.manifest.get("fingerprint") == self.parted.learned.fingerprint
        )

    def _is_less(self, stage: TrainingStage, training: StagedTraining) -> bool:
        """Whether it can do less than what serves, and no issue shows whether that matters."""
        active = self._active()
        if active is None or len(comparable(active, self.parted.held_out)):
            return False
        return not _abilities(active) <= training.abilities(stage)

    def _active(self) -> StoredRelease | None:
        with self.workspace.store.read() as work:
            repository = work.repositories.get(self.request.repository)
            return work.releases.active(repository.id, self.request.target)

    def _order(self) -> ReleaseOrder:
        elapsed = timedelta(seconds=int(time.monotonic() - self.began) if self.stages else 0)
        later = replace(self.workspace, now=self.workspace.now + elapsed)
        return release_order(later, self.request.repository, self.request.seed)

    def _to_come(self) -> tuple[str, ...]:
        return tuple(name for names in self.joining for name in names)

    def _outcome(self) -> Retrained:
        serving = [done for done in self.stages if done.promoted]
        outcome = [*self.stages, *serving][-1]
        return replace(outcome, stages=tuple(self.stages), to_come=self._to_come())

    @property
    def _is_bounded(self) -> bool:
        return self.request.within is not None

    def _time_is_up(self) -> bool:
        within = self.request.within
        return within is not None and time.monotonic() - self.began >= within.total_seconds()

    @property
    def _progress(self) -> Progress:
        return self.workspace.resources.progress

    def _bounded(self, step: str, done: int, total: int) -> None:
        """The progress, which ends a training that may take no longer.

        :raises _TimeIsUp: so that what is finished until now is kept.
        """
        if self._time_is_up():
            raise _TimeIsUp
        self._progress(step, done, total)


def _abilities(release: StoredRelease) -> frozenset[str]:
    from tagger.releases.staged_training import abilities_of

    manifest = release.manifest
    return abilities_of(manifest.get("strategies", ()), manifest.get("models", {}))


def release_order(workspace: Workspace, repository: str, seed: int) -> ReleaseOrder:
    """The release that is about to be made: where, when, and for which precision."""
    from tagger.releases.release import ReleaseOrder

    return ReleaseOrder(
        repository,
        workspace.archive.folder,
        moment_of_release(workspace.store, repository, workspace.now),
        target_precision(workspace.store, repository),
        seed,
    )


def moment_of_release(store: Store, repository: str, now: datetime) -> datetime:
    """Now, or a second after the latest release: one is named by the second it was made in."""
    with store.read() as work:
        releases = work.releases.list(work.repositories.get(repository).id)
    return max([now, *(release.created_at + timedelta(seconds=1) for release in releases)])


def target_precision(store: Store, repository: str) -> float:
    """The precision that the repository's configuration, as last read, asks for."""
    return configured(store, repository).precision


def configured(store: Store, repository: str) -> RepositoryConfiguration:
    """The repository's configuration, as last read."""
    with store.read() as work:
        configuration = known_configuration(work.repositories.get(repository))
    return configuration or RepositoryConfiguration.absent()
