"""Twins of texts: words that tell little are replaced by other such words of the repository."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np

from tagger.text.bag_of_words import BagOfWords
from tagger.text.term_counts import WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SHARE = 0.25
"""Share of the words that are replaced, on average."""

HEAD = 2_000
"""Characters of a text that are varied; what follows is kept as it is."""


class WordReplacement:
    """TF-IDF based word replacement: keywords stay, the others may change.

    A word is replaced the more readily the lower its TF-IDF in the text, by words that themselves
    say little. nlpaug's `TfIdfAug` keeps one vocabulary for the whole process and reads it from
    files, so that two repositories would share it; hence this one.

    Source: Xie et al. 2020, "Unsupervised Data Augmentation for Consistency Training", section 2.2
    and appendix A.2, https://arxiv.org/abs/1904.12848
    """

    def __init__(self, corpus: Sequence[str], share: float = SHARE) -> None:
        """:param corpus: texts whose words are counted."""
        bag = BagOfWords().fit([text[:HEAD] for text in corpus])
        self._share = share
        self._words = bag.words_
        self._idf = dict(zip(bag.words_, bag.idf_.tolist(), strict=True))
        self._chances = _chances(bag, corpus)

    def twins(self, texts: Sequence[str], *, seed: int) -> list[str]:
        """A twin of each text; a text and a seed always give the same one."""
        return [self._twin(text, _generator(text, seed)) for text in texts]

    def _twin(self, text: str, rng: np.random.Generator) -> str:
        head = text[:HEAD]
        places = [match for match in re.finditer(WORD, head) if match.group().lower() in self._idf]
        if not places:
            return text
        words = [match.group().lower() for match in places]
        weight = np.array([words.count(word) / len(words) * self._idf[word] for word in words])
        dull = weight.max() - weight
        chances = np.minimum(1.0, self._share * dull / max(float(dull.mean()), 1e-9))
        replaced = np.flatnonzero(rng.random(len(places)) < chances)
        others = rng.choice(len(self._words), size=len(replaced), p=self._chances)
        for place, other in reversed(list(zip(replaced, others, strict=True))):
            start, end = places[place].span()
            head = head[:start] + self._words[other] + head[end:]
        return head + text[HEAD:]


def _chances(bag: BagOfWords, corpus: Sequence[str]) -> NDArray[np.float64]:
    """How readily each word is put in: the more, the less it tells. *Shape:* (n_words,)"""
    if not bag.words_:
        return np.zeros(0)
    counts = np.asarray(bag.count([text[:HEAD] for text in corpus]).sum(axis=0)).ravel()
    score = counts * bag.idf_ / max(len(corpus), 1)
    dull = score.max() - score + 1e-9
    frequent = dull * counts
    chances: NDArray[np.float64] = frequent / frequent.sum()
    return chances


def _generator(text: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
