"""What `in-context` asks of a language model, wherever that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class LanguageModel(Protocol):
    """A causal language model that is only ever asked how likely given answers are.

    :ivar identity: names the weights; the same name gives the same likelihoods.
    :ivar context: tokens that prompt and answer may have together.
    """

    identity: str
    context: int

    def count(self, text: str) -> int:
        """About how many tokens a text has, rather too many than too few."""
        ...

    def log_likelihoods(self, prompt: str, answers: Sequence[str]) -> NDArray[np.float64]:
        """Log-probability of each answer right after the prompt. *Shape:* (n_answers,)

        In nats, a token of the answer on average, so that long answers have no handicap. Nothing
        that the model would write is read.
        """
        ...
