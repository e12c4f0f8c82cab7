"""Textual entailment: does an issue (premise) imply a statement about it (hypothesis)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.encoders.loading import CHARACTERS_PER_TOKEN, load_tokenizer, position_limit, quiet
from tagger.encoders.model_sources import weights_digest
from tagger.errors import ModelRefused
from tagger.runtimes.devices import usual_runtime
from tagger.runtimes.opening import open_runner
from tagger.runtimes.runner import Network, run_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import Runner, RunnerOpener

    Matrix = NDArray[np.float32]

PREMISE_TOKENS = 32
"""Tokens kept of an issue: title and first sentences say what it is about. With a small NLI model
32 tokens rank labels no worse than 96, at a third of the cost; 16 do rank them worse."""

HYPOTHESIS_TOKENS = 64

LEVEL = 0.05
"""Log odds within which bfloat16 may swap two hypotheses: with a small model it is off by 0.01 in
the mean and by 0.06 at most."""


class Entailment:
    """An NLI cross-encoder that judges all hypotheses of an issue together.

    Source: Yin, Hay, Roth, *Benchmarking Zero-shot Text Classification* (EMNLP 2019,
    https://arxiv.org/abs/1909.00161); Tunstall, von Werra, Wolf, *Natural Language Processing
    with Transformers* (2022), chapter 9, "Working with no labeled data".

    Each premise and each hypothesis is tokenised once, however many pairs they form, and pairs of
    like length share a batch. A premise is cut further where the model has no room for the pair.

    :param runtime: what computes; None: PyTorch in the precision that the device is fastest in.
    :param cache: folder for converted weights; None converts anew each time.
    :param exact_top: judge hypotheses that are level with the best one again in float32, for when
        their order counts; takes a second copy of the weights and, on some issues, a few pairs.
    :param opener: of the network; another computes elsewhere.
    :ivar identity: SHA-256 of the weights.
    :raises ModelRefused: the folder holds no NLI classifier, or it cannot run in this runtime.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "auto",
        premise_tokens: int = PREMISE_TOKENS,
        runtime: Runtime | None = None,
        cache: Path | None = None,
        exact_top: bool = False,
        opener: RunnerOpener = open_runner,
    ) -> None:
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        self._for, self._against = verdict_columns(config.id2label, folder)
        self._n_classes = len(config.id2label)
        self._premise_tokens = premise_tokens
        self._tokenizer = load_tokenizer(folder)
        # two, since how one cuts is its own state, which threads must not change under each other
        self._apart, self._joining = (_copy(self._tokenizer) for _ in range(2))
        self._joining.enable_truncation(position_limit(config), strategy="only_first")
        self._kinds = "token_type_ids" in self._tokenizer.model_input_names
        self.identity = weights_digest(folder)
        network = Network(
            f"{self.identity} nli",
            lambda dtype: NliModel(_load(folder, dtype)),
            config.vocab_size,
            kinds=self._kinds,
        )
        self._runner = opener(network, runtime or usual_runtime(device), device, cache)
        self._exact = opener(network, "torch", device) if exact_top else None

    def odds(self, premises: Sequence[str], hypotheses: Sequence[str]) -> Matrix:
        """Log-odds of entailment against contradiction; neutral is left aside as in the book.

        *Shape:* (n_premises, n_hypotheses)
        """
        pairs = self._pairs(premises, hypotheses)
        odds = self._judged(self._runner, pairs).reshape(len(premises), len(hypotheses))
        if self._exact is not None and odds.size:
            level = odds >= odds.max(axis=1, keepdims=True) - LEVEL
            level &= level.sum(axis=1, keepdims=True) > 1
            chosen = [pairs[row] for row in np.flatnonzero(level)]
            odds[level] = self._judged(self._exact, chosen)
        return odds

    def _judged(self, runner: Runner, pairs: Sequence[Any]) -> Matrix:
        """*Shape:* (n_pairs,)"""
        logits = run_rows(
            runner,
            [pair.ids for pair in pairs],
            self._n_classes,
            filler=self._tokenizer.pad_token_id,
            kinds=[pair.type_ids for pair in pairs] if self._kinds else None,
        )
        odds: Matrix = logits[:, self._for] - logits[:, self._against]
        return odds

    def _pairs(self, premises: Sequence[str], hypotheses: Sequence[str]) -> list[Any]:
        """Every premise with every hypothesis, premise by premise, as the tokenizer joins them."""
        limit = self._premise_tokens * CHARACTERS_PER_TOKEN
        cut = [text[:limit] for text in premises]
        left = self._apart.encode_batch(cut, add_special_tokens=False)
        right = self._apart.encode_batch(list(hypotheses), add_special_tokens=False)
        for tokens, most in ((left, self._premise_tokens), (right, HYPOTHESIS_TOKENS)):
            for text in tokens:
                text.truncate(most)
        return [
            self._joining.post_process(premise, hypothesis)
            for premise in left
            for hypothesis in right
        ]


class NliModel(torch.nn.Module):
    """A sequence classifier with its arguments in the order of `Network`.

    :ivar body: the classifier.
    """

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, kinds: torch.Tensor | None = None
    ) -> torch.Tensor:
        """*Shape:* (n_pairs, n_tokens) each, then (n_pairs, n_classes): logits, float32."""
        tensors = {} if kinds is None else {"token_type_ids": kinds}
        logits: torch.Tensor = self.body(input_ids=ids, attention_mask=mask, **tensors).logits
        return logits.float()


def verdict_columns(id2label: Mapping[int, str], folder: Path) -> tuple[int, int]:
    """Columns of entailment and of contradiction ("not_entailment" in two-way models).

    :raises ModelRefused: the classes have other names, so that the head's meaning is unknown.
    """
    names = {int(column): name.lower() for column, name in id2label.items()}
    against = [column for column, name in names.items() if name.startswith(("contra", "not"))]
    agree = [column for column, name in names.items() if name.startswith("entail")]
    if len(agree) != 1 or len(against) != 1:
        raise ModelRefused(
            f"{folder} has the classes {', '.join(names.values())}; expected an NLI model with "
            "entailment and contradiction among them"
        )
    return agree[0], against[0]


def _copy(tokenizer: Any) -> Any:
    """The tokenizer under one of transformers', which neither cuts nor pads."""
    from tokenizers import Tokenizer

    copied = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    copied.no_truncation()
    copied.no_padding()
    return copied


def _load(folder: Path, dtype: torch.dtype) -> Any:
    """Classifier from a checked folder: safetensors only, no remote code."""
    from transformers import AutoModelForSequenceClassification

    with quiet():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=dtype
        )
    return model.eval()
