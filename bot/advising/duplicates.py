"""The likely original of an issue: found among all issues of its repository, open or closed.

What is known of a repository is measured when a release is trained (`measure`): how many
duplicates people named there, and from which probability on nine in ten answers are right. Where
they named too few, nothing is ever said. The index is made of the vectors that are stored by then,
when an issue first needs it, and is kept in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bot.advising.advice import LikelyDuplicate
from bot.configuration.advice import DuplicateAdvice
from bot.receiving.duplicate_links import MAY_SAY
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from store.database import Store
    from store.records import Repository, StoredIssue
    from store.unit_of_work import UnitOfWork
    from tagger.domain.strategy import Resources
    from tagger.duplicates.duplicate_index import Candidate, DuplicateIndex
    from tagger.encoders.encoder import Encoder, Vectors

FEWEST_LINKS = 30
"""Duplicates that people named, below which nothing is measured: 22 answers that are all right are
the least that a precision of .9 can be shown on, and no likeness finds every copy."""

MOST_ISSUES = 20_000
"""The newest of a repository, which are compared: some 50 MB of vectors and words."""

INDEXES = 8
"""Repositories whose index is kept in memory; the one used longest ago goes first."""

AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class DuplicateThreshold:
    """What was measured of a repository's duplicates.

    :ivar n_links: duplicates that people named.
    :ivar probability: from which on an original is named; None: from none.
    :ivar precision, bound, recall: see `MeasuredThreshold`.
    """

    n_links: int
    probability: float | None = None
    precision: float | None = None
    bound: float | None = None
    recall: float | None = None

    @classmethod
    def of(cls, repository: Repository) -> DuplicateThreshold | None:
        """As measured last; None: nothing was trained since this is measured."""
        stored = repository.duplicates
        return cls(**stored) if stored else None

    def to_json(self) -> dict[str, Any]:
        """As stored in `Repository.duplicates`."""
        return asdict(self)


def named_duplicates(
    work: UnitOfWork, repository: Repository, issues: Iterable[StoredIssue]
) -> set[tuple[int, int]]:
    """Pairs of a copy and its original that people named in comments and bodies.

    Whichever they called the copy, the one filed first is the original. A body counts where its
    author belongs to the repository or the issue was closed: strangers may write what they like.
    """
    from tagger.duplicates.links import stated_originals

    pairs = [(link.number, link.original) for link in work.advice.links(repository.id)]
    numbers = set()
    for issue in issues:
        numbers.add(issue.number)
        if issue.state == "closed" or issue.author_association in MAY_SAY:
            stated = stated_originals(issue.body, repository.full_name)
            pairs += [(issue.number, original) for original in stated]
    return {(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1] and set(pair) <= numbers}


def measure(
    store: Store, repository_name: str, resources: Resources, wanted: DuplicateAdvice
) -> DuplicateThreshold:
    """Measure on the duplicates that people named, and keep it with the repository.

    Where they are enough, every issue gets its vector in the store, which `DuplicateFinder` reads.
    """
    with store.read() as work:
        repository = work.repositories.get(repository_name)
        issues = tuple(work.issues.walk(repository.id, limit=MOST_ISSUES))[::-1]
        pairs = named_duplicates(work, repository, issues)
    measured = DuplicateThreshold(len(pairs))
    if len(pairs) >= FEWEST_LINKS and wanted is not DuplicateAdvice.OFF:
        measured = _measured(issues, resources, pairs)
    with store.begin() as work:
        work.repositories.set_duplicates(repository.id, measured.to_json())
    return measured


def _measured(
    issues: Sequence[StoredIssue], resources: Resources, pairs: Collection[tuple[int, int]]
) -> DuplicateThreshold:
    from tagger.duplicates.bundled import WEIGHTS
    from tagger.duplicates.measurement import measured_threshold, replay
    from tagger.duplicates.similarity import IssueWords, template_lines

    texts = [text_of(issue) for issue in issues]
    template = template_lines(text.body for text in texts)
    words = [IssueWords.of(text, template) for text in texts]
    vectors = _encoded(texts, resources)
    answers = replay([issue.number for issue in issues], words, vectors, WEIGHTS)
    threshold = measured_threshold(answers, pairs)
    figures = asdict(threshold) if threshold else {}
    return DuplicateThreshold(len(pairs), **figures)


class DuplicateFinder:
    """Names the likely original of an issue; thread-safe.

    :param open_encoder: opens the encoder that the stored vectors were made with.
    """

    def __init__(self, store: Store, open_encoder: Callable[[], Encoder]) -> None:
        self._store = store
        self._open_encoder = open_encoder
        self._indexes: OrderedDict[int, _LiveIndex] = OrderedDict()
        self._lock = threading.Lock()

    def likely(
        self, repository: Repository, issue: StoredIssue, wanted: DuplicateAdvice
    ) -> LikelyDuplicate | None:
        """The original that an issue most likely repeats; None: none that may be named."""
        threshold = DuplicateThreshold.of(repository)
        if wanted is DuplicateAdvice.OFF or threshold is None or threshold.probability is None:
            return None
        candidate = self._live(repository, self._open_encoder()).likeliest(issue)
        if candidate is None or candidate.probability < threshold.probability:
            return None
        with self._store.read() as work:  # one that was deleted since is not named
            if work.issues.find(repository.id, candidate.number) is None:
                return None
        return LikelyDuplicate(candidate.number, candidate.probability, candidate.similarity)

    def _live(self, repository: Repository, encoder: Encoder) -> _LiveIndex:
        with self._lock:
            live = self._indexes.pop(repository.id, None) or _LiveIndex(encoder)
            self._indexes[repository.id] = live
            while len(self._indexes) > INDEXES:
                self._indexes.popitem(last=False)
        live.fill(self._store, repository)
        return live


@dataclass
class _LiveIndex:
    """A repository's index: filled once, and joined by each issue that it is asked about."""

    encoder: Encoder
    index: DuplicateIndex | None = None
    template: frozenset[str] = frozenset()
    numbers: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(self, store: Store, repository: Repository) -> None:
        """Read the issues and those of their vectors that are stored; none is computed here."""
        from tagger.duplicates.bundled import WEIGHTS
        from tagger.duplicates.duplicate_index import DuplicateIndex
        from tagger.duplicates.similarity import template_lines

        with self.lock:
            if self.index is not None:
                return
            with store.read() as work:
                texts = {
                    issue.number: text_of(issue)
                    for issue in work.issues.walk(repository.id, limit=MOST_ISSUES)
                }
            self.template = template_lines(text.body for text in texts.values())
            index = DuplicateIndex(self.encoder.width, WEIGHTS)
            for some in _in_parts(list(texts.items())):
                self._add(index, dict(some), store)
            self.index = index

    def _add(self, index: DuplicateIndex, texts: dict[int, IssueText], store: Store) -> None:
        import numpy as np

        from tagger.duplicates.similarity import IssueWords
        from tagger.encoders.encoder import content_key

        keys = {number: content_key(text.full) for number, text in texts.items()}
        stored = store.vectors.get(self.encoder.identity, list(keys.values()))
        numbers = [number for number, key in keys.items() if key in stored]
        if numbers:
            words = [IssueWords.of(texts[number], self.template) for number in numbers]
            index.add(numbers, words, np.stack([stored[keys[number]] for number in numbers]))
            self.numbers.update(numbers)

    def likeliest(self, issue: StoredIssue) -> Candidate | None:
        from tagger.duplicates.similarity import IssueWords

        text = text_of(issue)
        vector, words = self.encoder.encode([text.full]), IssueWords.of(text, self.template)
        with self.lock:
            if self.index is None:
                return None
            candidate = self.index.nearest(issue.number, words, vector)
            if issue.number not in self.numbers:
                self.index.add([issue.number], [words], vector)
                self.numbers.add(issue.number)
        return candidate


def text_of(issue: StoredIssue) -> IssueText:
    """As filed: what came later, such as "duplicate of #1", is no part of it."""
    return IssueText.of(issue.filed_title, issue.filed_body)


def _encoded(texts: Sequence[IssueText], resources: Resources) -> Vectors:
    import numpy as np

    parts: list[Vectors] = []
    for some in _in_parts(texts):
        done = sum(map(len, parts))
        resources.progress("comparing issues", done, len(texts))
        parts.append(resources.encoder().encode([text.full for text in some]))
    resources.progress("comparing issues", len(texts), len(texts))
    return np.concatenate(parts)


def _in_parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
