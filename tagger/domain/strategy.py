"""The contract that every strategy keeps, and what it may draw on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.encoders.encoder import Encoder
    from tagger.prompting.language_model import LanguageModel
    from tagger.runtimes import Runtime
    from tagger.runtimes.choice import Runtimes
    from tagger.runtimes.runner import RunnerOpener
    from tagger.text.back_translation import BackTranslation
    from tagger.training.optimisation import Schedule

    Scores = NDArray[np.float32]
    """*Shape:* (n_issues, n_labels), each in [0, 1], higher for a label more likely to belong."""


class Progress(Protocol):
    """Told how far a long step has come; the terminal draws a bar, a test listens."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


def silent(step: str, done: int, total: int) -> None:
    """The progress nobody watches."""


@dataclass(frozen=True)
class Resources:
    """What strategies share: models, where to work, whom to tell.

    :ivar encoder: opens the sentence encoder (vectors cached by content, see
    `tagger.encoders.encoder`).
    :ivar encoder_model: folder of the encoder's transformer, for `contrastive` to tune; None: it
        tunes `bert_model`.
    :ivar bert_model: folder of the transformer to fine-tune; None where there is none.
    :ivar zero_shot_model: folder of an NLI cross-encoder; None: the encoder stands in.
    :ivar entail: False: the encoder stands in though there is an NLI model, for an answer at once.
    :ivar device: "auto", "cpu" or "cuda".
    :ivar cache: folder for work that outlives one training (adapted weights, converted models);
        None keeps none.
    :ivar progress: told of long work.
    :ivar runtime: what all transformers are computed with, the encoder's own among them; None:
        PyTorch in the precision that the device is fastest in.
    :ivar runtimes: the others to choose from; None: there is no choice.
    :ivar schedule: how learning rates go on after the warm-up, see
        `tagger.training.optimisation.SCHEDULES`; of strategies that fine-tune.
    :ivar whole_words: adaptation hides words instead of pieces of words.
    :ivar translation: opens the pair of models that says texts otherwise, for strategies that are
        trained; None: none was named.
    :ivar language_model: opens the causal language model that was named; None: none was.
    :ivar open_runner: opens networks that score; None: on this machine.
    """

    encoder: Callable[[], Encoder]
    bert_model: Path | None = None
    zero_shot_model: Path | None = None
    device: str = "auto"
    cache: Path | None = None
    progress: Progress = silent
    encoder_model: Path | None = None
    runtime: Runtime | None = None
    runtimes: Runtimes | None = None
    entail: bool = True
    schedule: Schedule = "linear"
    whole_words: bool = False
    translation: Callable[[], BackTranslation] | None = None
    language_model: Callable[[], LanguageModel] | None = None
    open_runner: RunnerOpener | None = None


@runtime_checkable
class Strategy(Protocol):
    """One way to score every label of a repository for an issue.

    A constructor takes `(resources, *, seed=0)` and only stores them; learned state ends in `_`.
    The same seed and the same training set give the same scores.
    """

    name: ClassVar[str]
    needs_examples: ClassVar[bool]
    """False: `fit` takes a training set without a single labelled issue."""

    def fit(self, train: TrainingSet) -> Self:
        """Learn from `train`; returns self.

        A label without a positive example, or with nothing but positives, is legal: its scores
        are then the same for every issue (its smoothed share), unless its wording is learned from.

        :raises NothingToLearnFrom: no labels, or no labelled issue where `needs_examples`.
        """
        ...

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """Score every label for every issue; order and number of labels as in `fit`."""
        ...

    def save(self, folder: Path) -> None:
        """Write all learned state into `folder` (made by the caller, empty). No pickle."""
        ...

    def restore(self, folder: Path) -> Self:
        """Read what `save` wrote, into this instance; returns self.

        :raises ReleaseDamaged: a file is missing or cannot be read.
        """
        ...
