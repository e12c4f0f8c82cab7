"""From a fitted chain to decisions that can be explained: cut, votes, precedents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tagger.chain.precision_guarantee import MissingExamples, examples_needed
from tagger.domain.decision import SAYS_NOTHING, UNFAMILIAR, LabelDecision, Neighbour
from tagger.strategies.knn import NearestNeighbours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tagger.chain.chain import Chain
    from tagger.chain.learned_chain import LearnedChain
    from tagger.domain.decision import Policy, Verdict
    from tagger.domain.issue import IssueText
    from tagger.strategies.knn import LabelledNeighbour

ASKED = 30
"""Neighbours looked up for an issue, of which a label shows a few."""

FOR = 3
AGAINST = 1


class DecisionMaker:
    """Decides with a chain.

    :param titles: of the labelled issues, by number.
    """

    def __init__(self, chain: Chain, titles: Mapping[int, str]) -> None:
        self.chain = chain
        self._titles = dict(titles)

    @property
    def _learned(self) -> LearnedChain:
        return self.chain.learned_

    def decide(
        self, issues: Sequence[IssueText], policy: Policy
    ) -> tuple[tuple[LabelDecision, ...], ...]:
        """Every label of every issue, by falling score."""
        if not issues:
            return ()
        opinion = self._learned.cascade.predict(issues)
        nearest = self._nearest(issues)
        promised = self._promised(policy)
        decided = []
        for row, issue in enumerate(issues):
            if self._learned.content.says_nothing(issue):
                decided.append(
                    self._silence(opinion.scores[row], opinion.thresholds[row], promised)
                )
                continue
            verdicts = self._verdicts(
                opinion.scores[row], opinion.thresholds[row], promised, policy
            )
            held_back = self._held_back(verdicts, nearest[row])
            neighbours = self._shown_neighbours(nearest[row])
            labels = [
                LabelDecision(
                    name,
                    float(opinion.scores[row, i]),
                    *verdicts[name],
                    UNFAMILIAR if name in held_back else str(opinion.decided_by[row, i]),
                    {member: float(vote[i]) for member, vote in opinion.votes[row].items()},
                    tuple(_precedents(name, neighbours)),
                    {part: float(value[i]) for part, value in opinion.parts[row].items()},
                )
                for i, name in enumerate(self._learned.labels)
            ]
            decided.append(tuple(sorted(labels, key=_by_falling_score)))
        return tuple(decided)

    def learn(self, number: int, issue: IssueText, labels: Sequence[str]) -> None:
        """Add or correct a labelled issue among the neighbours."""
        if self._knn is not None:
            self._knn.add(number, issue, labels)
            self._titles[number] = issue.title

    def knows(self, number: int) -> bool:
        """Whether this issue is among the neighbours."""
        return self._knn is not None and self._knn.knows(number)

    def table(self, positives: NDArray[np.int_], target: float) -> Iterator[dict[str, Any]]:
        """For each label what it rests on and what can be promised, as `LabelRow`'s fields."""
        served = self._learned.served_by
        for i, name in enumerate(self._learned.labels):
            evidence = self._learned.evidence[i] if self._learned.evidence else None
            promise = evidence.promise(target) if evidence else None
            missing = None if promise else self._missing_range(i, int(positives[i]), target)
            yield {
                "name": name,
                "examples": int(positives[i]),
                "served_by": served[i],
                "cut": promise and round(promise.cut, 6),
                "precision": promise and round(promise.precision, 6),
                "bound": promise and round(promise.bound, 6),
                "coverage": promise and round(promise.coverage, 6),
                "missing": None if promise else self._missing(i, int(positives[i]), target),
                "missing_at_least": missing and missing.at_least,
                "missing_at_most": missing and missing.at_most,
            }

    def issues_labelled(self, target: float) -> float | None:
        """Share of the training issues that get a label under the promise; None: not measured."""
        scores = self._learned.cascade.out_of_fold()
        if scores is None or not len(scores):
            return None
        applied = scores.astype(np.float32) >= self._learned.promised_thresholds(target)
        return round(float(applied.any(axis=1).mean()), 6)

    def notes(self) -> Iterator[str]:
        """What people should know about this chain."""
        if note := getattr(self.chain.member("zero-shot"), "note", ""):
            yield note
        if spared := [name for name, share in self._learned.asked.items() if share < 1]:
            share = self._learned.asked[spared[0]]
            yield (
                f"{' and '.join(spared)} {'is' if len(spared) == 1 else 'are'} asked about "
                f"{share:.0%} of issues; the others are decided without"
            )
        if not self._learned.evidence:
            yield (
                "too few labelled issues to measure anything on them: labels are suggested on what "
                "other repositories showed, and none is applied"
            )

    def _missing(self, label: int, positives: int, target: float) -> int:
        if self._learned.evidence:
            return self._learned.evidence[label].missing(target)
        return max(1, 2 * examples_needed(1.0, target) - positives)

    def _missing_range(self, label: int, positives: int, target: float) -> MissingExamples:
        if self._learned.evidence:
            return self._learned.evidence[label].missing_range(target, positives)
        return MissingExamples(self._missing(label, positives, target))

    def _promised(self, policy: Policy) -> NDArray[np.float64]:
        thresholds = {
            target: self._learned.promised_thresholds(target)
            for target in {policy.target(name) for name in self._learned.labels}
        }
        return np.array(
            [thresholds[policy.target(name)][i] for i, name in enumerate(self._learned.labels)]
        )

    def _silence(
        self,
        scores: NDArray[np.float32],
        thresholds: NDArray[np.float64],
        promised: NDArray[np.float64],
    ) -> tuple[LabelDecision, ...]:
        """Every label of an issue that says nothing: neither votes nor precedents speak of it."""
        labels = (
            LabelDecision(name, float(score), _shown(cut, promise), "abstain", SAYS_NOTHING)
            for name, score, cut, promise in zip(
                self._learned.labels, scores, thresholds, promised, strict=True
            )
        )
        return tuple(sorted(labels, key=_by_falling_score))

    def _verdicts(
        self,
        scores: NDArray[np.float32],
        thresholds: NDArray[np.float64],
        promised: NDArray[np.float64],
        policy: Policy,
    ) -> dict[str, tuple[float, Verdict]]:
        """Cut and verdict of each label, exclusive groups settled."""
        verdicts: dict[str, tuple[float, Verdict]] = {}
        for name, score, cut, promise in zip(
            self._learned.labels, scores, thresholds, promised, strict=True
        ):
            shown = _shown(cut, promise)
            verdict: Verdict = (
                "apply" if score >= promise else "suggest" if score >= cut else "abstain"
            )
            verdicts[name] = (shown, verdict)
        for group in policy.exclusive:
            _settle(group, verdicts, dict(zip(self._learned.labels, scores, strict=True)))
        return verdicts

    def _held_back(
        self, verdicts: dict[str, tuple[float, Verdict]], nearest: Sequence[LabelledNeighbour]
    ) -> set[str]:
        """Labels that are suggested instead of set, because the issue is of another kind."""
        similarities = [neighbour.similarity for neighbour in nearest]
        if self._learned.familiarity.is_familiar(similarities):
            return set()
        held_back = {name for name, (_, verdict) in verdicts.items() if verdict == "apply"}
        for name in held_back:
            verdicts[name] = (verdicts[name][0], "suggest")
        return held_back

    def _nearest(self, issues: Sequence[IssueText]) -> list[list[LabelledNeighbour]]:
        return self._knn.neighbours(issues, ASKED) if self._knn else [[] for _ in issues]

    def _shown_neighbours(self, nearest: Sequence[LabelledNeighbour]) -> list[Neighbour]:
        """Those that are near by more than chance."""
        return [
            Neighbour(
                neighbour.number,
                self._titles[neighbour.number],
                neighbour.labels,
                neighbour.similarity,
            )
            for neighbour in nearest
            if neighbour.number in self._titles  # else it was erased since it was learned
            and not self._learned.content.by_chance(neighbour.similarity)
        ]

    @property
    def _knn(self) -> NearestNeighbours | None:
        return cast("NearestNeighbours | None", self.chain.member(NearestNeighbours.name))


def _by_falling_score(decision: LabelDecision) -> tuple[float, str]:
    return -decision.score, decision.name


def _shown(cut: float, promise: float) -> float:
    """The cut that decisions show: the promised one where there is one."""
    return min(float(promise if np.isfinite(promise) else cut), 1.0)


def _settle(
    group: Sequence[str],
    verdicts: dict[str, tuple[float, Verdict]],
    scores: Mapping[str, np.float32],
) -> None:
    """Of an exclusive group only the most probable label that is not silent may speak."""
    loud = [name for name in group if name in verdicts and verdicts[name][1] != "abstain"]
    for name in sorted(loud, key=lambda name: (-scores[name], name))[1:]:
        verdicts[name] = (verdicts[name][0], "abstain")


def _precedents(label: str, neighbours: Sequence[Neighbour]) -> Iterator[Neighbour]:
    """The nearest issues that carry the label, then the nearest that does not."""
    yield from [neighbour for neighbour in neighbours if label in neighbour.labels][:FOR]
    yield from [neighbour for neighbour in neighbours if label not in neighbour.labels][:AGAINST]
