"""Which texts say nothing, and how alike two texts are by chance; both measured at training.

A classifier answers whatever it is asked: for a text without a word it knows, with the labels that
are frequent anyway. Such texts are told apart here and abstained on (the reject option; Chow 1970).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tagger.domain.issue import IssueText
from tagger.label_semantics.prompts import background, verbalizers
from tagger.text.cleaning.words import telling_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagger.domain.issue import TrainingSet
    from tagger.encoders.encoder import Encoder, Vectors

MIN_SHARE = 0.1
"""Of a text's informative words, that must have been learned, unless `MIN_WORDS` of them were: an
issue in another language names at least what it is about."""

MIN_WORDS = 2

MAX_SILENCED = 0.02
"""Share of the issues learned from of which the rule may say that they say nothing. Where it is
more, too few texts were learned for a word's absence to mean anything."""

MIN_TEXTS = 50

COMMON_LINE = 0.02
"""Share of bodies with one line word for word from which the line is the template's."""

COMMON_LINE_LEAST = 5

COMPARED = 400
"""Labelled issues between which chance is measured."""

CHANCE_QUANTILE = 0.95
"""Of the similarities between issues that share no label."""

CONTENTLESS_QUANTILE = 0.99
"""Of the similarities between contentless texts and issues."""

CONTENTLESS = tuple(
    IssueText(title)
    for title in (
        *("", "?", "...", "42", "+1", "@maintainer", "👍👍👍", "https://example.com/a", "Hello"),
        *("Test", "Just a test, please ignore", "[Bug]: ", "Any update on this?", "Thank you!"),
        *("asdf", "hjkl fghj dfgh", "zzxxccvv", "qpwoei rutyal skdjfh", "bla bla bla", "Me too"),
        "Duis aute irure dolor in reprehenderit in voluptate velit esse cillum",
        "Es regnet seit gestern, und morgen gehen wir ins Kino",
        "Mañana iremos a la playa con los niños",
        "Le chat dort sur le canapé pendant que nous mangeons",
        "Domani andiamo al mare con la nonna",
        "Завтра мы поедем к бабушке в деревню",
        "明日は家族で海へ行きます",
        "今天天气很好我们去公园",
        "غدا سنذهب الى البحر مع الاطفال",
    )
)
"""Texts that ask for no label: nothing, next to nothing, gibberish, and small talk in languages
that a repository may not have learned."""


@dataclass(frozen=True)
class ContentCheck:
    """What a release holds against texts that say nothing.

    :ivar words: informative words that were learned; None: too few texts to go by them.
    :ivar boilerplate: lines that the repository's templates wrote.
    :ivar chance: similarity up to which two issues are alike by chance; None: not measured.
    """

    words: frozenset[str] | None = None
    boilerplate: frozenset[str] = frozenset()
    chance: float | None = None

    @classmethod
    def fit(cls, train: TrainingSet, encoder: Encoder | None = None) -> Self:
        """Measure on the texts of a training set.

        :param encoder: that neighbours are found with; None: there are none.
        """
        texts = train.corpus
        boilerplate = _common_lines(texts)
        read = [telling_words(text.title, text.body, boilerplate) for text in texts]
        learned_words = frozenset(
            word
            for verbalizer in (
                *background(),
                *(each for label in train.labels for each in verbalizers(label)),
            )
            for word in telling_words(verbalizer, "")
        )
        return cls(
            _learned(read, learned_words),
            boilerplate,
            None if encoder is None else _chance(train, encoder),
        )

    def says_nothing(self, issue: IssueText) -> bool:
        """Whether an issue has no informative word, or next to none that was learned."""
        read = telling_words(issue.title, issue.body, self.boilerplate)
        if not read or self.words is None:
            return not read
        return _next_to_none([word for word in read if word in self.words], read)

    def by_chance(self, similarity: float) -> bool:
        """Whether an issue so alike is no precedent."""
        return self.chance is not None and similarity < self.chance

    def as_json(self) -> dict[str, Any]:
        words = None if self.words is None else sorted(self.words)
        return {"words": words, "boilerplate": sorted(self.boilerplate), "chance": self.chance}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """:raises KeyError, TypeError: not what `as_json` gives."""
        words = None if stored["words"] is None else frozenset(stored["words"])
        return cls(words, frozenset(stored["boilerplate"]), stored["chance"])


def _common_lines(texts: Sequence[IssueText]) -> frozenset[str]:
    counted = Counter(
        line for text in texts for line in {line.strip() for line in text.body.split("\n")}
    )
    least = max(COMMON_LINE_LEAST, ceil(COMMON_LINE * len(texts)))
    return frozenset(line for line, times in counted.items() if line and times >= least)


def _learned(read: Sequence[Sequence[str]], learned_words: frozenset[str]) -> frozenset[str] | None:
    """Words in enough texts, and those of the labels' wordings.

    Each text is judged by the others: where too many would be silenced, there are no such words.
    """
    if len(read) < MIN_TEXTS:
        return None
    counted = Counter(word for words in read for word in set(words))
    least = max(2, len(read) // 1000)
    silenced = 0
    for words in filter(None, read):
        by_others = [word for word in words if counted[word] > least or word in learned_words]
        silenced += _next_to_none(by_others, words)
    if silenced > MAX_SILENCED * len(read):
        return None
    return learned_words | {word for word, times in counted.items() if times >= least}


def _next_to_none(learned: Sequence[str], read: Sequence[str]) -> bool:
    return len(learned) < MIN_SHARE * len(read) and len(set(learned)) < MIN_WORDS


def _chance(train: TrainingSet, encoder: Encoder) -> float | None:
    if len(train) < 2:
        return None
    rows = np.random.default_rng(0).permutation(len(train))[:COMPARED]
    vectors = encoder.encode([train.issues[row].full for row in rows])
    alike = [float(np.quantile(_contentless(encoder) @ vectors.T, CONTENTLESS_QUANTILE))]
    shared = train.targets[rows].astype(np.float32)
    unrelated = np.triu((shared @ shared.T) == 0, 1)
    if unrelated.any():
        alike.append(float(np.quantile((vectors @ vectors.T)[unrelated], CHANCE_QUANTILE)))
    return round(max(alike), 6)


def _contentless(encoder: Encoder) -> Vectors:
    return encoder.encode([text.full for text in CONTENTLESS])
