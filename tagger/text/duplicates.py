"""Exact and near duplicates among issues, found by MinHash, so that none sits on both sides."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText

    Shingles = NDArray[np.uint32]
    """Distinct hashes of three words in a row. *Shape:* (n_shingles,), ascending."""

SIMILARITY = 0.8
"""Jaccard similarity of two issues' shingles from which they are near duplicates."""

_BANDS, _BAND_ROWS = 20, 4
"""A pair of similarity .8 shares one of 20 bands of 4 with probability .9999 (1-(1-.8^4)^20)."""

_WORD = re.compile(r"[^\W\d_]+")
_PRIME = (1 << 61) - 1


def duplicate_groups(
    issues: Sequence[IssueText], similarity: float = SIMILARITY
) -> NDArray[np.int_]:
    """Number each issue with its group of duplicates.

    Two issues are of one group where their words (case, digits and punctuation aside) are the
    same, or where the Jaccard similarity of their shingles reaches `similarity`; and so on from
    neighbour to neighbour. Candidates by MinHash in bands (Broder 1997; Leskovec, Rajaraman and
    Ullman, Mining of Massive Datasets, ch. 3).

    :returns: *Shape:* (n_issues,), each the lowest row of its group.
    """
    shingles = [_shingles(issue.full) for issue in issues]
    parent = list(range(len(issues)))
    for left, right in _candidates(shingles):
        a, b = _root(parent, left), _root(parent, right)
        if a != b and jaccard(shingles[left], shingles[right]) >= similarity:
            parent[max(a, b)] = min(a, b)
    return np.array([_root(parent, row) for row in range(len(issues))], dtype=int)


def jaccard(left: Shingles, right: Shingles) -> float:
    """Common shingles over all shingles of both; two empty sets are the same."""
    common = len(np.intersect1d(left, right, assume_unique=True))
    union = len(left) + len(right) - common
    return common / union if union else 1.0


def _shingles(text: str) -> Shingles:
    words = _WORD.findall(text.lower()) or [text.strip()]
    if len(words) < 3:
        hashes = [crc32(" ".join(words).encode("utf-8", "surrogatepass"))]
    else:
        triples = zip(words, words[1:], words[2:], strict=False)
        hashes = [crc32(" ".join(triple).encode("utf-8", "surrogatepass")) for triple in triples]
    return np.unique(np.array(hashes, dtype=np.uint32))


def _candidates(shingles: Sequence[Shingles]) -> Iterator[tuple[int, int]]:
    """Pairs that share a band: each row with the one before it and with the bucket's first.

    All pairs would be quadratic in a bucket of a thousand equal issues, and groups need no more.
    """
    signatures = _signatures(shingles)
    for band in range(_BANDS):
        part = signatures[:, band * _BAND_ROWS : (band + 1) * _BAND_ROWS]
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for row, values in enumerate(part):
            buckets[values.tobytes()].append(row)
        yield from _chained(buckets.values())


def _chained(buckets: Iterable[list[int]]) -> Iterator[tuple[int, int]]:
    for rows in buckets:
        for before, row in pairwise(rows):
            yield before, row
            if rows[0] != before:
                yield rows[0], row


def _signatures(shingles: Sequence[Shingles]) -> NDArray[np.uint64]:
    """MinHash by universal hashing. *Shape:* (n_issues, bands x rows)"""
    rng = np.random.default_rng(0)  # which hash functions is no part of any experiment
    n_hashes = _BANDS * _BAND_ROWS
    factors = rng.integers(1, 1 << 31, size=(n_hashes, 1), dtype=np.uint64)
    offsets = rng.integers(0, 1 << 60, size=(n_hashes, 1), dtype=np.uint64)
    signatures = np.empty((len(shingles), n_hashes), dtype=np.uint64)
    for row, shingle_set in enumerate(shingles):
        hashed = (factors * shingle_set.astype(np.uint64) + offsets) % np.uint64(_PRIME)
        signatures[row] = hashed.min(axis=1)
    return signatures


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row
