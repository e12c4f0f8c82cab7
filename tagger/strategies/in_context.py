"""In-context: a causal language model sees a few labelled issues and is asked about another."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from tagger.errors import ModelNotFound, ModelRefused, ReleaseDamaged
from tagger.label_semantics.prompts import readable
from tagger.persistence import load_arrays, load_json, save_arrays, save_json
from tagger.prompting.prompt import CONTENT_FREE, Demonstration, prompt_for
from tagger.statistics.variant_selection import learnable, require_examples, smoothed_share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores
    from tagger.prompting.language_model import LanguageModel

DEMONSTRATIONS = 16
"""Labelled issues that a prompt may show, the nearest ones; the budget mostly allows fewer."""

SPARE = 8
"""Tokens that are left free for where texts meet."""

TEXTS, ARRAYS = "in-context.json", "in-context.safetensors"
"""Files of a release; `tagger.releases.erasing` takes issues out of both."""

MAX_ISSUES = 4000
"""Labelled issues that demonstrations are taken from, the first ones."""


class InContext:
    """Few-shot prompts to a causal language model; nothing is trained.

    The nearest labelled issues (by the encoder's vectors) are shown within the model's context.
    Each label's score comes from the likelihood of its wording after the prompt, beside that after
    the same prompt with a text that says nothing: contextual calibration. The scores of an issue
    sum to the labels that an issue usually carries.

    The model only ever says how likely the labels' wordings are: no answer is generated, read or
    carried out, and an issue's text stands between delimiters that it cannot close.

    Sources: Brown et al. 2020, "Language Models are Few-Shot Learners",
    https://arxiv.org/abs/2005.14165; Zhao et al. 2021, "Calibrate Before Use",
    https://arxiv.org/abs/2102.09690; Liu et al. 2022, https://arxiv.org/abs/2101.06804

    :ivar identity_: of the language model that it was made with.
    """

    name: ClassVar[str] = "in-context"
    needs_examples: ClassVar[bool] = True
    judges_each_label: ClassVar[bool] = True
    """A chain asks it last: it reads an issue as often as there are answers."""

    wordings_: tuple[str, ...]
    numbers_: tuple[int, ...]
    texts_: tuple[str, ...]
    targets_: NDArray[np.bool_]
    vectors_: NDArray[np.float32]
    identity_: str

    def __init__(self, resources: Resources, *, seed: int = 0) -> None:
        self.resources = resources
        self.seed = seed

    def fit(self, train: TrainingSet) -> Self:
        """Keep the labelled issues that may be shown; see `Strategy.fit`.

        :raises NothingToLearnFrom: no labels, or no labelled issue.
        :raises ModelNotFound: no language model was named.
        """
        require_examples(train)
        if len(train) > MAX_ISSUES:
            train = train.subset(range(MAX_ISSUES))
        self.wordings_ = tuple(readable(label.name) for label in train.labels)
        self.numbers_ = train.numbers
        self.texts_ = tuple(issue.full for issue in train.issues)
        self.targets_ = np.array(train.targets, dtype=bool)
        self.vectors_ = self.resources.encoder().encode(self.texts_)
        self.identity_ = self._model.identity
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """See `Strategy.score`.

        :raises ModelRefused: the model at hand is not the one that it was made with.
        """
        if self._model.identity != self.identity_:
            raise ModelRefused(
                f"the release was made with the language model {self.identity_[:40]}, the one at "
                f"hand is {self._model.identity[:40]}; set ISSUE_TAGGER_LANGUAGE_MODEL back, or "
                "retrain"
            )
        scores = np.tile(smoothed_share(self.targets_), (len(issues), 1))
        columns = np.flatnonzero(learnable(self.targets_))
        if not len(columns):
            return scores
        for row, issue in enumerate(issues):
            self.resources.progress(self.name, row, len(issues))
            scores[row, columns] = self._of_issue(issue, columns)
        self.resources.progress(self.name, len(issues), len(issues))
        return scores

    def _of_issue(self, issue: IssueText, columns: NDArray[np.int_]) -> NDArray[np.float32]:
        """Probabilities of the labels that are asked about. *Shape:* (n_asked,)"""
        wordings = [self.wordings_[label] for label in columns]
        shown = self._nearest(issue, columns)
        answer = self._likelihoods(issue.full, wordings, shown)
        to_nothing = np.mean(
            [self._likelihoods(text, wordings, shown) for text in CONTENT_FREE], axis=0
        )
        shares = smoothed_share(self.targets_)[columns]
        weights = shares * np.exp(answer - to_nothing - (answer - to_nothing).max())
        likely = shares.sum() * weights / weights.sum()
        return np.asarray(np.minimum(1.0, likely), dtype=np.float32)

    def _likelihoods(
        self, text: str, wordings: Sequence[str], shown: Sequence[Demonstration]
    ) -> NDArray[np.float64]:
        model = self._model
        answers = [f" {wording}" for wording in wordings]
        budget = model.context - max(map(model.count, answers)) - SPARE
        prompt = prompt_for(text, wordings, shown, budget=budget, count=model.count)
        return model.log_likelihoods(prompt, answers)

    def _nearest(self, issue: IssueText, columns: NDArray[np.int_]) -> list[Demonstration]:
        """The nearest labelled issues, each with one of its labels."""
        [vector] = self.resources.encoder().encode([issue.full])
        order = np.argsort(-(self.vectors_ @ vector), kind="stable")
        labelled = self.targets_[:, columns]
        rows = [int(row) for row in order if labelled[row].any()][:DEMONSTRATIONS]
        return [
            Demonstration(self.texts_[row], self.wordings_[columns[labelled[row].argmax()]])
            for row in rows
        ]

    @cached_property
    def _model(self) -> LanguageModel:
        """Opened when first asked, so that a release that is only held costs no memory."""
        if self.resources.language_model is None:
            raise ModelNotFound(
                "in-context needs a causal language model and none was named; set "
                "ISSUE_TAGGER_LANGUAGE_MODEL to a folder or to a name on the hub, or "
                "ISSUE_TAGGER_LANGUAGE_MODEL_URL to an OpenAI-compatible server"
            )
        return self.resources.language_model()

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        record = {"wordings": self.wordings_, "texts": self.texts_, "model": self.identity_}
        save_json(folder / TEXTS, record)
        arrays: dict[str, NDArray[Any]] = {
            "numbers": np.array(self.numbers_, dtype=np.int64),
            "targets": self.targets_.astype(np.uint8),
            "vectors": self.vectors_,
        }
        save_arrays(folder / ARRAYS, arrays)

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        record = load_json(folder / TEXTS)
        arrays = load_arrays(folder / ARRAYS, "numbers", "targets", "vectors")
        try:
            self.wordings_, self.texts_ = tuple(record["wordings"]), tuple(record["texts"])
            self.identity_ = str(record["model"])
        except (KeyError, TypeError) as error:
            raise ReleaseDamaged(folder, f"{TEXTS}: {error!r}") from error
        self.targets_, self.vectors_ = arrays["targets"].astype(bool), arrays["vectors"]
        self.numbers_ = tuple(int(number) for number in arrays["numbers"])
        return self
