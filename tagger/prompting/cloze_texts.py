"""A masked language model about to be tuned: where the labels' words are before the first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import logit

from tagger.encoders.loading import load_tokenizer, quiet
from tagger.label_semantics.cloze import whole_words
from tagger.semi_supervised.mixed_training import MixedTexts
from tagger.training.classifier import ClozeClassifier, generator_of
from tagger.training.features import vectors_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import Label
    from tagger.semi_supervised.weighted_texts import WeightedTexts
    from tagger.training.fine_tuning import FineTuningRecipe
    from tagger.training.tokens import TokenReader

QUESTION = "This issue is about {}."
"""The pattern that follows title and body; `{}` is the gap, or a label's words."""

SEPARATION = 1.0
"""Standard deviations that an issue with a label is taken to lie above one without."""

LEAST_SPREAD = 1e-3
"""Of a label's likelihoods, beside their size: the spread of two texts is none."""

SHARES = (0.02, 0.9)
"""Within which a label's share of few issues is believed."""


@dataclass(frozen=True)
class MaskedModel:
    """A masked language model in pieces.

    :ivar generator: from the state at the gap to what the vocabulary is compared with.
    :ivar vocabulary: what each token is compared as. *Shape:* (n_tokens, width)
    :ivar bias: of each token. *Shape:* (n_tokens,)
    """

    tokenizer: Any
    body: Any
    generator: torch.nn.Module
    vocabulary: torch.Tensor
    bias: torch.Tensor

    @classmethod
    def open(cls, folder: Path, device: torch.device) -> MaskedModel:
        """From a checked folder: safetensors, no remote code.

        :raises ValueError: the architecture's head is in several pieces.
        """
        from transformers import AutoModelForMaskedLM

        with quiet():
            model: Any = AutoModelForMaskedLM.from_pretrained(
                folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
            )
        model = model.to(device)
        decoder = model.get_output_embeddings()
        vocabulary = decoder.weight.detach().clone()
        bias = torch.zeros(len(vocabulary), device=device)
        if decoder.bias is not None:
            bias = decoder.bias.detach().clone()
        return cls(load_tokenizer(folder), model.base_model, generator_of(model), vocabulary, bias)

    def classifier(self, n_labels: int) -> ClozeClassifier:
        """The same weights under one output a label."""
        mask_id = int(self.tokenizer.mask_token_id)
        return ClozeClassifier(self.body, self.generator, n_labels, mask_id)

    def rows(self, wordings: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """The mean row of each label's words. *Shape:* (n_labels, width)

        A label of whose wordings the vocabulary has no whole word is said in pieces.
        """
        means = [self.vocabulary[list(self._words(each))].mean(dim=0) for each in wordings]
        return np.stack([mean.cpu().numpy() for mean in means])

    def _words(self, wordings: Sequence[str]) -> Sequence[int]:
        if words := whole_words(self.tokenizer, wordings):
            return words
        pieces = self.tokenizer(" ".join(wordings), add_special_tokens=False)["input_ids"]
        return pieces or [int(self.tokenizer.mask_token_id)]


class ClozeTexts(MixedTexts):
    """Texts with a question each, under a classifier that begins as the labels' own words.

    What the model says of a label is measured against what it says of any text, so that frequent
    words have no start; the label's share stands in for that.
    """

    def __init__(
        self,
        classifier: ClozeClassifier,
        reader: TokenReader,
        labelled_texts: WeightedTexts,
        others: Sequence[str],
        recipe: FineTuningRecipe,
        rows: NDArray[np.float32],
        shares: NDArray[np.float32],
    ) -> None:
        """See `MixedTexts`.

        :param rows: of each label's words. *Shape:* (n_labels, width)
        :param shares: how often each label is given. *Shape:* (n_labels,)
        """
        super().__init__(classifier, reader, labelled_texts, others, recipe)
        self._rows = rows
        self._shares = np.clip(shares, *SHARES)

    def begin_anew(self) -> None:
        self.as_it_came()
        raw = vectors_of(self.classifier, self.features, self.tokens) @ self._rows.T
        mean = raw.mean(axis=0)
        spread = raw.std(axis=0) + LEAST_SPREAD * (1 + np.abs(mean))
        weights = SEPARATION * self._rows / spread[:, None]
        bias = logit(self._shares) - SEPARATION * mean / spread - SEPARATION**2 / 2
        self.classifier.set_head(weights.astype(np.float32), bias.astype(np.float32))


def wordings_of(labels: Sequence[Label]) -> list[tuple[str, ...]]:
    """Every way to say each label, best first."""
    from tagger.label_semantics.prompts import verbalizers

    return [verbalizers(label) for label in labels]
