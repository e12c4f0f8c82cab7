"""Training a body on a repository's unlabelled texts, whatever the objective asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.encoders.loading import position_limit
from tagger.errors import TaggerError
from tagger.training.budget import layer_weights
from tagger.training.optimisation import parameter_groups, rate_for
from tagger.training.tokens import TokenReader, endless_batches
from tagger.training.training_body import attention_in_steps
from tagger.training.training_loop import descend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from tagger.domain.issue import IssueText
    from tagger.training.budget import StepBudget

    Example = tuple[list[int], ...]
    """Token ids of the texts that belong together; batches are made by the last one's length."""


class CannotAdapt(TaggerError):
    """No masks in the tokenizer, no pairs in the corpus: another objective may still do."""


class BodyAdaptation(ABC):
    """A body and its tokenizer, trained in place.

    :cvar rate: of a body of usual width.
    :ivar saved: what is written once the body is adapted; None: the body.
    """

    rate: float
    decay = 0.01
    body: Any
    tokenizer: Any
    saved: Any = None

    def adapt(
        self,
        texts: Sequence[IssueText],
        budget: StepBudget,
        *,
        seed: int,
        report: Callable[[int, int], None] = lambda _, __: None,
    ) -> list[float]:
        """Train the body in place.

        :param report: told how many steps are done, and of how many.
        :returns: each step's loss, in nats.
        :raises ValueError: no texts.
        :raises CannotAdapt: too few texts that the objective can use.
        """
        limit = min(budget.max_tokens, position_limit(self.body.config))
        reader = TokenReader(self.tokenizer, limit)
        examples = self._examples(reader, texts)
        tokens = sum(
            float(np.mean([len(ids) for ids in part])) for part in zip(*examples, strict=True)
        )
        rng = np.random.default_rng(seed)
        batches = endless_batches(
            [len(example[-1]) for example in examples], budget.batch_size, rng
        )
        steps = budget.steps(len(examples), tokens, self._weights())
        self.body.train()

        def loss_at(step: int) -> torch.Tensor:
            report(step, steps)
            return self._loss(reader, [examples[row] for row in next(batches)], rng)

        with attention_in_steps(self.body):
            return self._descend(loss_at, steps)

    @abstractmethod
    def _examples(self, reader: TokenReader, texts: Sequence[IssueText]) -> list[Example]:
        """What is learned from."""

    @abstractmethod
    def _loss(
        self, reader: TokenReader, batch: Sequence[Example], rng: np.random.Generator
    ) -> torch.Tensor:
        """Mean loss of a batch, in nats."""

    def _weights(self) -> float:
        """Weights that a token meets."""
        return layer_weights(self.body)

    def _descend(self, loss_at: Callable[[int], torch.Tensor], steps: int) -> list[float]:
        return descend(self._body_groups(), steps, loss_at)

    def _body_groups(self) -> list[dict[str, Any]]:
        """The body's parameters with their rates, as an optimizer takes them."""
        rate = rate_for(self.rate, int(self.body.config.hidden_size))
        return parameter_groups(self.body.parameters(), rate=rate, decay=self.decay)
