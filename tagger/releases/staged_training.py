"""Training in stages: a release of the cheap members at once, further ones as dear members join.

Every stage has the members of those before it. What they learned is kept as checkpoints, so that a
stage only fits what it adds, and a training that was ended goes on from its last finished step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tagger.chain.chain import Chain
from tagger.chain.members import CHEAP, available, check_measured
from tagger.releases.release import finished_steps, write_release
from tagger.runtimes.choice import settle
from tagger.strategies import THOROUGH

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Progress, Resources
    from tagger.releases.release import Manifest, ReleaseOrder

ENTAILMENT = "entailment"
"""What zero-shot adds last, where there is an NLI model: it judges each wording of each label."""


@dataclass(frozen=True)
class TrainingStage:
    """One release on the way.

    :ivar members: names of strategies.
    :ivar joining: what it has beside the stage before; `ENTAILMENT` may be among it.
    :ivar entail: whether zero-shot asks the NLI model.
    """

    members: tuple[str, ...]
    joining: tuple[str, ...]
    entail: bool = True


def plan_stages(
    members: Sequence[str], resources: Resources, n_issues: int
) -> tuple[TrainingStage, ...]:
    """Cheap members together, then each dear one by itself, entailment last.

    :param n_issues: without a labelled one there is nothing but zero-shot.
    """
    names = tuple(members) if n_issues else ("zero-shot",)
    entails = "zero-shot" in names and resources.zero_shot_model is not None
    cheap = tuple(name for name in names if name in CHEAP)
    joining = [*([cheap] if cheap else []), *((name,) for name in names if name not in CHEAP)]
    stages: list[TrainingStage] = []
    for names_joining in joining:
        before = stages[-1].members if stages else ()
        together = tuple(name for name in names if name in {*before, *names_joining})
        stages.append(TrainingStage(together, names_joining, entail=not entails))
    if entails:
        stages.append(TrainingStage(names, (ENTAILMENT,)))
    return tuple(stages)


def abilities_of(strategies: Iterable[str], roles: Container[str]) -> frozenset[str]:
    """What a release can draw on, by its manifest's strategies and the roles of its models."""
    names = frozenset(strategies)
    return names | {ENTAILMENT} if "zero-shot" in names and "zero-shot" in roles else names


class StagedTraining:
    """The stages of one training, each of which may be made a release.

    :ivar stages: at least one, each with the members of the one before.
    :ivar resources: in the runtime that was settled on, once for all stages.

    :raises UnknownStrategy: there is no such strategy.
    :raises NotMeasured: a member that has no prior.
    """

    def __init__(
        self,
        order: ReleaseOrder,
        train: TrainingSet,
        resources: Resources,
        strategies: Sequence[str] | None = None,
        *,
        thorough: bool = False,
    ) -> None:
        """:param strategies: the chain's members; None takes all that the models at hand allow.

        :param thorough: each by its recipe for whoever has time, where it has one.
        """
        members = tuple(strategies or available(resources, len(train)))
        if thorough:
            members = tuple(dict.fromkeys(THOROUGH.get(name, name) for name in members))
        check_measured(members)
        self._train = train
        self.resources, self._runtime = settle(resources, train)
        self._seed = order.seed
        self.stages = plan_stages(members, self.resources, len(train))
        self._checkpoints = finished_steps(order, train, self.resources)
        self._checkpoints.forget_others()

    @property
    def n_finished(self) -> int:
        """Steps that need not be done again."""
        return self._checkpoints.n_finished

    def fit(self, stage: TrainingStage, progress: Progress) -> Chain:
        """Fit what the stage adds, and weigh all its members.

        :raises NothingToLearnFrom: no labels.
        """
        resources = replace(self.resources, progress=progress, entail=stage.entail)
        chain = Chain(
            resources,
            seed=self._seed,
            members=stage.members,
            checkpoints=self._checkpoints,
        )
        return chain.fit(self._train)

    def write(self, order: ReleaseOrder, chain: Chain) -> Manifest:
        """Make a fitted stage a release."""
        return write_release(order, chain, self._train, runtime=self._runtime)

    def abilities(self, stage: TrainingStage) -> frozenset[str]:
        """What a release of the stage can draw on; see `abilities_of`."""
        entails = "zero-shot" in stage.members and self.resources.zero_shot_model is not None
        return frozenset([*stage.members, *([ENTAILMENT] if entails and stage.entail else [])])

    def forget(self) -> None:
        """The training is over: drop its finished steps."""
        self._checkpoints.forget()
