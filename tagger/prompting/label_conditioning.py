"""Label conditioning: under its right label an issue's words are likely, under a wrong one not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from tagger.training.masking import mask_tokens
from tagger.training.training_loop import fast_precision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.prompting.cloze_texts import ClozeTexts, MaskedModel
    from tagger.semi_supervised.mixed_training import Rows
    from tagger.training.tokens import TokenReader

LEAST = 1e-6
"""Of the probability that a token is another one: its logarithm stays finite."""


class LabelConditioning:
    """The second of ADAPET's objectives. See `FurtherLoss`.

    The question is answered with a label, some of the issue's tokens are hidden, and the model is
    to guess them where the label is right and not to where it is wrong.

    Source: Tam et al. 2021, "Improving and Simplifying Pattern Exploiting Training", section 3.2,
    https://arxiv.org/abs/2103.11955
    """

    def __init__(
        self,
        texts: ClozeTexts,
        model: MaskedModel,
        reader: TokenReader,
        names: Sequence[str],
        *,
        weight: float,
        seed: int,
    ) -> None:
        """Condition labelled issues on their labels.

        :param names: how each label is said.
        :param weight: beside the labelled loss.
        """
        self.rows = np.arange(texts.labelled_texts.n_issues)
        self._texts, self._model, self._reader = texts, model, reader
        self._names, self._weight = names, weight
        self._rng = np.random.default_rng([seed, 1])

    def __call__(self, rows: Rows, share: float) -> torch.Tensor:  # noqa: ARG002 - see the protocol
        device = self._texts.device
        chosen = [self._answer(row) for row in rows]
        ids, mask = self._reader.collate([tokens for tokens, _ in chosen], device)
        shown, hidden = self._hide(ids)
        with fast_precision(device):
            body = self._texts.classifier.body
            states = body(input_ids=shown, attention_mask=mask).last_hidden_state[hidden]
        guesses = self._model.generator(states.float()).float() @ self._model.vocabulary.T
        likely = torch.log_softmax(guesses + self._model.bias, dim=1)
        right = torch.tensor([is_right for _, is_right in chosen], device=device)
        of_token = right[:, None].expand_as(hidden)[hidden]
        truth = likely.gather(1, ids[hidden][:, None])[:, 0]
        wrong = -torch.log((1 - truth.exp()).clamp(min=LEAST))
        return self._weight * torch.where(of_token, -truth, wrong).mean()

    def _answer(self, row: int) -> tuple[list[int], bool]:
        """An issue's tokens with the question answered, and whether the answer is right."""
        from tagger.prompting.cloze_texts import QUESTION

        targets = self._texts.labelled_texts.targets[row]
        right = bool(targets.all() or (targets.any() and self._rng.random() < 0.5))
        label = int(self._rng.choice(np.flatnonzero(targets == right)))
        sentence = QUESTION.format(self._names[label])
        [tokens] = self._reader.ask([self._texts.labelled_texts.texts[row]], sentence)
        return tokens, right

    def _hide(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokenizer = self._model.tokenizer
        shown, hidden = mask_tokens(
            ids.cpu().numpy(),
            special={*tokenizer.all_special_ids, self._reader.filler},
            mask_id=int(tokenizer.mask_token_id),
            vocabulary=len(self._model.vocabulary),
            rng=self._rng,
        )
        return torch.from_numpy(shown).to(ids.device), torch.from_numpy(hidden).to(ids.device)
