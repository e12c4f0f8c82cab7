"""Tiny strategies that keep the contract, for tests of the evaluation."""

import json
import re
from typing import ClassVar, Self

import numpy as np

from tagger.errors import NothingToLearnFrom
from tagger.statistics.f1_thresholds import choose_thresholds, out_of_fold_scores, plain_thresholds
from tagger.strategies.candidates import Candidate, CandidatePrediction, FittedMember


def words(issue):
    return set(re.findall(r"[a-z]+", issue.full.lower()))


class WordVotes:
    """Scores a label by the words that its issues have more often than others."""

    name: ClassVar[str] = "word-votes"
    needs_examples: ClassVar[bool] = True
    fits: ClassVar[int] = 0

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, train) -> Self:
        type(self).fits += 1
        if not len(train):
            raise NothingToLearnFrom("no labelled issue; label some")
        vocabulary = sorted(set().union(*map(words, train.issues)))
        place = {word: column for column, word in enumerate(vocabulary)}
        seen = np.zeros((len(train), len(vocabulary)))
        for row, issue in enumerate(train.issues):
            seen[row, [place[word] for word in words(issue)]] = 1
        carried = (train.targets.T @ seen + 0.1) / (train.positives[:, None] + 0.2)
        others = ((~train.targets).T @ seen + 0.1) / ((len(train) - train.positives)[:, None] + 0.2)
        self.place_, self.weights_ = place, np.log(carried / others)
        share = (train.positives + 0.5) / (len(train) + 1)
        self.prior_ = np.log(share / (1 - share))
        return self

    def score(self, issues):
        scores = np.zeros((len(issues), len(self.prior_)))
        for row, issue in enumerate(issues):
            columns = [self.place_[word] for word in words(issue) if word in self.place_]
            scores[row] = self.prior_ + self.weights_[:, columns].sum(axis=1)
        return (1 / (1 + np.exp(-np.clip(scores, -30, 30)))).astype(np.float32)

    def save(self, folder):
        (folder / "votes.json").write_text(json.dumps(self.place_))

    def restore(self, folder) -> Self:
        self.place_ = json.loads((folder / "votes.json").read_text())
        return self


class NameInText:
    """Needs no labelled issue: a label belongs where a word that is told of it stands."""

    name: ClassVar[str] = "name-in-text"
    needs_examples: ClassVar[bool] = False
    fits: ClassVar[int] = 0
    SIGNS: ClassVar = {"bug": "crash", "docs": "typo", "speed": "slow", "design": "icon"}

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, train) -> Self:
        type(self).fits += 1
        self.names_ = train.names
        return self

    def score(self, issues):
        signs = [self.SIGNS[name] for name in self.names_]
        return np.array(
            [[0.9 if sign in words(issue) else 0.1 for sign in signs] for issue in issues],
            dtype=np.float32,
        ).reshape(len(issues), len(signs))

    def save(self, folder): ...

    def restore(self, folder) -> Self:
        return self


class Both:
    """A chain in small: the mean of the two above, its own cuts, a promise, lends its members."""

    name: ClassVar[str] = "both"
    needs_examples: ClassVar[bool] = False

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, train) -> Self:
        self.members_ = {"name-in-text": FittedMember(NameInText().fit(train), None, 0.0)}
        self.thresholds_ = plain_thresholds(len(train.labels))
        if len(train):
            out_of_fold = out_of_fold_scores(WordVotes, train, seed=self.seed)
            votes = FittedMember(WordVotes().fit(train), out_of_fold, 0.5)
            self.members_["word-votes"] = votes
            if out_of_fold is not None:
                named = self.members_["name-in-text"].strategy.score(train.issues)
                self.thresholds_ = choose_thresholds(train.targets, (out_of_fold + named) / 2)
        return self

    def score(self, issues):
        return np.mean(
            [member.strategy.score(issues) for member in self.members_.values()],
            axis=0,
            dtype=np.float32,
        )

    def predict(self, issues):
        scores = self.score(issues)
        return CandidatePrediction(scores, self.thresholds_.decide(scores), scores > 0.85)

    def fitted_members(self):
        return self.members_

    def save(self, folder): ...

    def restore(self, folder) -> Self:
        return self


VOTES = Candidate("word-votes", WordVotes)
NAMED = Candidate("name-in-text", NameInText, flat=True)
BOTH = Candidate("both", Both)
