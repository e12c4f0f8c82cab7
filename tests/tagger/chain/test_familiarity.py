"""Issues of another kind than those that were learned from: told apart, and never set upon."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_label_models import WordEncoder

from tagger.chain.chain import Chain
from tagger.chain.familiarity import MIN_ISSUES, UNUSUAL, FamiliarityCheck
from tagger.domain.decision import UNFAMILIAR, Policy
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources
from tagger.releases.decisions import DecisionMaker
from tagger.strategies.knn import NearestNeighbours

BOATS = ("harbour", "anchor", "rudder", "sail", "engine", "compass", "keel", "deck")
FAULTS = ("leaks", "crashes", "freezes", "breaks", "jams")
TIMES = ("morning", "noon", "evening", "night")
STRANGE = IssueText(
    "Quarterly marketing newsletter", "Subscribe our webinar about coupons every morning, the night"
)


@pytest.fixture(scope="module")
def resources() -> Resources:
    return Resources(encoder=WordEncoder, device="cpu")


@pytest.fixture(scope="module")
def boats() -> TrainingSet:
    """A hundred and sixty issues on boats; what freezes or crashes is a bug."""
    issues, targets = [], []
    for boat in BOATS:
        for fault in FAULTS:
            for time in TIMES:
                issues.append(IssueText(f"The {boat} {fault}", f"Every {time} the {boat} {fault}"))
                targets.append([fault in {"crashes", "freezes"}, fault != "crashes"])
    labels = (Label("bug"), Label("repair"))
    numbers = tuple(range(1, len(issues) + 1))
    return TrainingSet(labels, numbers, tuple(issues), np.array(targets))


@pytest.fixture(scope="module")
def chain(resources: Resources, boats: TrainingSet) -> Chain:
    return Chain(resources, members=("zero-shot", "linear", "naive-bayes", "knn")).fit(boats)


def test_next_to_all_issues_of_the_repository_are_familiar(chain, boats) -> None:
    knn, check = chain.member("knn"), chain.learned_.familiarity
    found = knn.neighbours(boats.issues, 4)  # each issue is its own nearest
    familiar = [check.is_familiar([each.similarity for each in row[1:]]) for row in found]
    assert np.mean(familiar) >= 1 - UNUSUAL


def test_what_would_be_set_on_an_issue_of_another_kind_is_suggested(chain, boats) -> None:
    learned = chain.learned_
    sure = replace(learned, evidence=())
    certain = Chain.of(sure, chain.resources, seed=0)
    maker = DecisionMaker(certain, dict.fromkeys(boats.numbers, "a boat"))
    maker._promised = lambda _: np.zeros(2)  # every score would do
    (strange,) = maker.decide([STRANGE], Policy())
    assert {label.decision for label in strange} == {"suggest"}
    assert {label.decided_by for label in strange} == {UNFAMILIAR}
    (usual,) = maker.decide([boats.issues[0]], Policy())
    assert {label.decision for label in usual} == {"apply"}


def test_the_evaluation_counts_nothing_as_set_on_it(chain, boats) -> None:
    assert chain.predict(boats.issues).applied.any()
    assert not chain.predict([STRANGE]).applied.any()
    assert chain.predict([]).applied.shape == (0, 2)


def test_with_few_issues_or_without_neighbours_everything_is_familiar(resources, boats) -> None:
    few = boats.issues[: MIN_ISSUES - 1]
    knn = NearestNeighbours(resources).fit(boats)
    assert FamiliarityCheck.fit(knn, few) == FamiliarityCheck()
    assert FamiliarityCheck.fit(None, boats.issues) == FamiliarityCheck()
    assert FamiliarityCheck().is_familiar([])
    assert FamiliarityCheck(0.9).is_familiar([0.1])  # fewer neighbours than it is measured on


def test_it_is_kept_with_the_release(chain, tmp_path) -> None:
    chain.save(tmp_path)
    restored = Chain(chain.resources).restore(tmp_path)
    assert restored.learned_.familiarity == chain.learned_.familiarity
    assert restored.learned_.familiarity.least is not None
