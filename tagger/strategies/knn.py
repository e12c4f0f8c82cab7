"""Nearest neighbours: labels voted for by the labelled issues most like a new one."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tagger.encoders.nearest_neighbours import NearestRows, NeighbourIndex
from tagger.errors import ModelRefused, ReleaseDamaged
from tagger.persistence import load_arrays, load_json, save_arrays, save_json
from tagger.statistics.metrics import Counts
from tagger.statistics.variant_selection import (
    clearly_best,
    learnable,
    require_examples,
    skill,
    smoothed_share,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores
    from tagger.encoders.encoder import Vectors

COUNTS = (3, 5, 8, 12, 20, 32, 50, 80)
"""Numbers of neighbours tried."""

SHARPNESSES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""How fast votes fade with distance, tried in units of 1 / spread of the encoder's similarities."""

USUAL_COUNT = 20
USUAL_SHARPNESS = 1.0
"""The vote that is kept unless another is clearly better on held-out issues."""

CHAPTER_COUNTS = 17
"""Neighbours up to which the chapter's map of k and m is drawn."""

HELD_OUT = 2000
"""Labelled issues on which k and the vote are chosen; more change nothing and cost memory."""


@dataclass(frozen=True, slots=True)
class LabelledNeighbour:
    """A labelled issue like the one asked about.

    :ivar similarity: cosine, in [-1, 1].
    """

    number: int
    similarity: float
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vote:
    """How neighbours are heard.

    :ivar k: how many of them.
    :ivar sharpness: 0 counts each alike; higher hears near ones more.
    :ivar usual: similarity at which a neighbour's weight is 1: the median best in training.
    """

    k: int
    sharpness: float
    usual: float

    def scores(
        self, nearest_rows: NearestRows, targets: NDArray[np.bool_], share: NDArray[np.float32]
    ) -> Scores:
        """Weighted share of neighbours with each label; the repository's own share has one vote.

        That vote decides where nothing is near, and is drowned where a near duplicate is.
        """
        similarities, rows = nearest_rows.similarities[:, : self.k], nearest_rows.rows[:, : self.k]
        closeness = np.where(rows >= 0, similarities - self.usual, 0.0)
        weights = np.where(rows >= 0, np.exp(self.sharpness * closeness), 0.0)
        votes = np.einsum("nk,nkl->nl", weights, targets[rows].astype(np.float32))
        total: Scores = (votes + share) / (weights.sum(axis=1, keepdims=True) + 1.0)
        return total.astype(np.float32)


class NearestNeighbours:
    """Labels of the nearest labelled issues by mean-pooled encoder vectors, in a FAISS index.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Using embeddings as a lookup table". The chapter gives a label that at least m of
    k neighbours carry, with k and m searched on a validation set; here each labelled issue is
    held out in turn, which needs no validation set, and the vote may weigh by similarity.

    :ivar vote_: the chosen vote.
    :ivar out_of_fold_: scores of the training issues, each held out; not kept in a release.
        *Shape:* (n_issues, n_labels)
    """

    name: ClassVar[str] = "knn"
    needs_examples: ClassVar[bool] = True

    names_: tuple[str, ...]
    numbers_: list[int]
    targets_: NDArray[np.bool_]
    index_: NeighbourIndex
    space_: str
    vote_: Vote
    out_of_fold_: Scores

    def __init__(self, resources: Resources, *, seed: int = 0) -> None:
        self.resources = resources
        self.seed = seed
        self._lock = Lock()

    def fit(self, train: TrainingSet) -> Self:
        """Index the labelled issues and choose the vote; see `Strategy.fit`."""
        require_examples(train)
        encoder = self.resources.encoder()
        vectors = encoder.encode([issue.full for issue in train.issues])
        self.names_, self.numbers_ = train.names, list(train.numbers)
        self.targets_ = np.array(train.targets, dtype=bool)
        self.space_ = space(encoder.identity)
        self.index_ = NeighbourIndex(encoder.width).add(vectors)
        self._choose(vectors)
        everyone = np.arange(len(vectors))
        self.out_of_fold_ = self._vote(others(self.index_, vectors, everyone, self.vote_.k))
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """See `Strategy.score`."""
        return self._vote(self._search(issues, self.vote_.k))

    def neighbours(self, issues: Sequence[IssueText], k: int = 5) -> list[list[LabelledNeighbour]]:
        """The nearest labelled issues of each issue, nearest first."""
        nearest_rows = self._search(issues, k)
        return [
            [
                self._neighbour(row, alike)
                for row, alike in zip(rows, similarity, strict=True)
                if row >= 0
            ]
            for rows, similarity in zip(nearest_rows.rows, nearest_rows.similarities, strict=True)
        ]

    def add(self, number: int, issue: IssueText, labels: Iterable[str]) -> None:
        """Let an issue's labels count from now on; a known issue's are replaced.

        Labels outside the label set learned are left out.
        """
        wanted = set(labels)
        row = np.array([name in wanted for name in self.names_], dtype=bool)
        with self._lock:
            if number in self.numbers_:
                targets = self.targets_.copy()
                targets[self.numbers_.index(number)] = row
                self.targets_ = targets
                return
            vector = self._encode([issue])
            self.numbers_.append(number)
            self.targets_ = np.concatenate([self.targets_, row[None]])
            self.index_.add(vector)

    def knows(self, number: int) -> bool:
        """Whether the issue of this number is in the index."""
        return number in self.numbers_

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        self.index_.save(folder / "index.faiss")
        save_arrays(
            folder / "examples.safetensors",
            {"numbers": np.array(self.numbers_, dtype=np.int64), "targets": self.targets_},
        )
        vote = {"k": self.vote_.k, "sharpness": self.vote_.sharpness, "usual": self.vote_.usual}
        save_json(folder / "knn.json", {"labels": self.names_, "space": self.space_, "vote": vote})

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        state = load_json(folder / "knn.json")
        arrays = load_arrays(folder / "examples.safetensors", "numbers", "targets")
        try:
            self.names_, self.space_ = tuple(state["labels"]), str(state["space"])
            self.vote_ = Vote(**state["vote"])
        except (KeyError, TypeError) as error:
            raise ReleaseDamaged(folder, f"knn.json: {error}") from error
        self.numbers_ = [int(number) for number in arrays["numbers"]]
        self.targets_ = arrays["targets"].astype(bool)
        self.index_ = NeighbourIndex.load(folder / "index.faiss")
        expected = (len(self.index_), len(self.names_))
        if self.targets_.shape != expected or len(self.numbers_) != len(self.index_):
            raise ReleaseDamaged(
                folder, f"targets have shape {self.targets_.shape}, expected {expected}"
            )
        return self

    def _choose(self, vectors: Vectors) -> None:
        """Choose k and the vote by holding out each labelled issue in turn."""
        rows = _rows_to_hold_out(len(vectors), self.seed)
        nearest_rows = others(self.index_, vectors, rows, max(COUNTS))
        truth, share = self.targets_[rows], smoothed_share(self.targets_)
        usual = float(np.median(nearest_rows.similarities[:, 0])) if nearest_rows.rows.size else 1.0
        unit = 1.0 / spread(vectors[rows])
        limit = max(1, len(vectors) - 1)
        counts = sorted({min(k, limit) for k in COUNTS})
        default = Vote(min(USUAL_COUNT, limit), USUAL_SHARPNESS * unit, usual)
        votes = [Vote(k, sharpness * unit, usual) for sharpness in SHARPNESSES for k in counts]
        live = learnable(self.targets_)
        self.vote_ = clearly_best(
            default,
            votes,
            lambda vote: skill(
                truth[:, live], vote.scores(nearest_rows, self.targets_[:, live], share[live])
            ),
            n_held_out=len(rows),
        )

    def _vote(self, nearest_rows: NearestRows) -> Scores:
        share = smoothed_share(self.targets_)
        scores = self.vote_.scores(nearest_rows, self.targets_, share)
        idle = ~learnable(self.targets_)
        scores[:, idle] = share[idle]
        return scores

    def _search(self, issues: Sequence[IssueText], k: int) -> NearestRows:
        return self.index_.search(self._encode(issues), k)

    def _encode(self, issues: Sequence[IssueText]) -> Vectors:
        encoder = self.resources.encoder()
        if space(encoder.identity) != self.space_:
            raise ModelRefused(
                f"the release's vectors come from encoder {self.space_}, the one at hand is "
                f"{space(encoder.identity)}: set the encoder that it was trained with, or retrain"
            )
        return encoder.encode([issue.full for issue in issues])

    def _neighbour(self, row: np.int64, similarity: np.float32) -> LabelledNeighbour:
        labels = (name for name, on in zip(self.names_, self.targets_[row], strict=True) if on)
        return LabelledNeighbour(
            self.numbers_[row], float(np.clip(similarity, -1, 1)), tuple(labels)
        )


def _rows_to_hold_out(n_issues: int, seed: int) -> NDArray[np.int_]:
    rows = np.arange(n_issues)
    if n_issues <= HELD_OUT:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, HELD_OUT, replace=False))


def space(identity: str) -> str:
    """The part of an encoder's identity that names its space, without the precision."""
    return identity.partition(":")[0]


def spread(vectors: Vectors) -> float:
    """Standard deviation of the similarities of these vectors, at least 0.01."""
    some = vectors[:: max(1, len(vectors) // 500)]
    pairs = (some @ some.T)[np.triu_indices(len(some), 1)]
    return max(0.01, float(pairs.std())) if len(pairs) > 1 else 0.1


def others(index: NeighbourIndex, vectors: Vectors, rows: NDArray[np.int_], k: int) -> NearestRows:
    """The `k` nearest of rows that are themselves in the index, themselves left out."""
    nearest_rows = index.search(vectors[rows], k + 1)
    is_self = nearest_rows.rows == rows[:, None]
    is_self[~is_self.any(axis=1), -1] = True  # crowded out by duplicates: drop the farthest instead
    shape = (len(rows), nearest_rows.rows.shape[1] - 1)
    return NearestRows(
        nearest_rows.similarities[~is_self].reshape(shape),
        nearest_rows.rows[~is_self].reshape(shape),
    )


def chapter_map(resources: Resources, train: TrainingSet, *, seed: int = 0) -> NDArray[np.float32]:
    """The chapter's map: micro F1 of "at least m of k", each labelled issue held out in turn.

    :returns: as `vote_map`; empty for one issue.
    """
    encoder = resources.encoder()
    vectors = encoder.encode([issue.full for issue in train.issues])
    index = NeighbourIndex(encoder.width).add(vectors)
    rows = _rows_to_hold_out(len(vectors), seed)
    targets = np.array(train.targets, dtype=bool)
    return vote_map(others(index, vectors, rows, CHAPTER_COUNTS), targets, targets[rows])


def vote_map(
    nearest_rows: NearestRows, targets: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Micro F1 of "a label that at least m of the k nearest carry", for each k and m.

    :returns: row k - 1 and column m - 1; NaN where m > k. *Shape:* (n_k, n_k)
    """
    n_k = min(CHAPTER_COUNTS, nearest_rows.rows.shape[1])
    micro = np.full((n_k, n_k), np.nan, dtype=np.float32)
    carrying = np.zeros(truth.shape, dtype=int)
    for k in range(n_k):
        carrying += targets[nearest_rows.rows[:, k]]
        for m in range(k + 1):
            micro[k, m] = Counts.of(truth, carrying > m).micro_f1
    return micro
