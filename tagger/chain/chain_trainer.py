"""Training a chain: fit the members, weigh them in stages, conclude what can be promised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tagger.chain.cascade import Cascade
from tagger.chain.checkpoints import Checkpoints
from tagger.chain.contentless import CONTENTLESS, ContentCheck
from tagger.chain.familiarity import FamiliarityCheck
from tagger.chain.learned_chain import LearnedChain
from tagger.chain.members import available, check_measured, fit_member, reference_texts
from tagger.chain.precision_guarantee import DEFAULT_TARGET, evidence_of
from tagger.chain.prior import FeatureMoments
from tagger.chain.stage import Stage
from tagger.errors import NothingToLearnFrom
from tagger.text.duplicates import duplicate_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.chain.members import Member
    from tagger.chain.precision_guarantee import Evidence
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources


@dataclass(frozen=True)
class ChainTrainer:
    """:ivar members: names of strategies; None takes all that the models at hand allow.

    :ivar checkpoints: keeps finished steps, so that a killed training goes on.
    """

    resources: Resources
    seed: int = 0
    members: tuple[str, ...] | None = None
    checkpoints: Checkpoints = field(default_factory=lambda: Checkpoints(None))

    def train(self, train: TrainingSet) -> LearnedChain:
        """Fit every member, measure it on what it has not seen, weigh, calibrate, set thresholds.

        :raises NothingToLearnFrom: no labels.
        :raises NotMeasured: a member that has no prior.
        """
        if not train.labels:
            raise NothingToLearnFrom("the chain got no labels, expected at least one label")
        fitted = sorted(self._fit_members(train), key=lambda member: member.cost)
        moments = FeatureMoments.shipped()
        stages = [
            Stage.fit([member for member in fitted if member.cost <= cost], train, moments)
            for cost in sorted({member.cost for member in fitted})
        ]
        return self.conclude(train, fitted, stages)

    def conclude(
        self, train: TrainingSet, fitted: Sequence[Member], stages: Sequence[Stage]
    ) -> LearnedChain:
        """What a chain needs beside fitted members and stages.

        :param fitted: a member that is in no stage is asked for neighbours only.
        :param stages: at least one, in order of cost, each with the members of the one before.
        """
        cascade = Cascade.of(fitted, stages, train, DEFAULT_TARGET)
        knn = next((member.strategy for member in fitted if member.name == "knn"), None)
        content = ContentCheck.fit(train, self.resources.encoder() if knn else None)
        return LearnedChain(
            cascade,
            cascade.shares_asked(),
            cascade.served_by(),
            always_labelled=not len(train) or bool(train.targets.any(axis=1).mean() > 0.5),
            content=content,
            evidence=_evidence(cascade, content, train),
            familiarity=FamiliarityCheck.fit(knn, train.issues),
        )

    def _fit_members(self, train: TrainingSet) -> list[Member]:
        names = self.members or available(self.resources, len(train))
        check_measured(names)
        if not len(train):
            names = ("zero-shot",)
        reference = reference_texts(train)
        fitted = []
        for done, name in enumerate(names):
            self.resources.progress(f"fitting {name}", done, len(names))
            fitted.append(
                fit_member(name, train, reference, self.resources, self.seed, self.checkpoints)
            )
        return fitted


def _evidence(cascade: Cascade, content: ContentCheck, train: TrainingSet) -> tuple[Evidence, ...]:
    """Out-of-fold scores of issues, and scores of texts that ask for no label but get by.

    Those are a twentieth of the issues at most: more than anybody files. Issues that have a copy
    in nearly the same words are left out: whoever learned from the copy has seen them.
    """
    scores = cascade.out_of_fold()
    if scores is None:
        return ()
    _, group, size = np.unique(
        duplicate_groups(train.issues), return_inverse=True, return_counts=True
    )
    without_copy = size[group] == 1
    scores, truth = scores[without_copy], train.targets[without_copy]
    got_by = [text for text in CONTENTLESS if not content.says_nothing(text)]
    if got_by := got_by[: len(train) // 20]:
        scores = np.concatenate([scores, cascade.predict(got_by).scores])
        truth = np.concatenate([truth, np.zeros((len(got_by), len(train.names)), bool)])
    return evidence_of(scores, truth)
