"""How well a body serves a repository's labels, told without tuning it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from tagger.encoders.loading import load, position_limit
from tagger.statistics.stratification import stratified_folds
from tagger.training.classifier import TextClassifier
from tagger.training.early_stopping import best_f1
from tagger.training.features import WholeBody, vectors_of
from tagger.training.initial_head import logistic_head
from tagger.training.tokens import TokenReader
from tagger.training.training_loop import fast_precision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FOLDS = 4


def probe(
    folder: Path,
    texts: Sequence[str],
    targets: NDArray[np.bool_],
    *,
    max_tokens: int,
    device: torch.device,
    seed: int,
) -> float:
    """Out-of-fold micro F1 of logistic heads on the body's vectors as they are.

    Source: Alain and Bengio 2016, "Understanding intermediate layers using linear classifier
    probes", https://arxiv.org/abs/1610.01644

    :param folder: a transformer as `AutoModel` reads it.
    :param targets: *Shape:* (n_texts, n_labels)
    :returns: in [0, 1]; 0 where the texts are too few to hold any out.
    """
    folds = stratified_folds(targets, min(FOLDS, len(texts)), seed)
    if len(folds) < 2:
        return 0.0
    vectors = _vectors(folder, texts, max_tokens, device)
    logits = np.zeros(targets.shape, dtype=np.float32)
    for held_out in folds:
        taught = np.setdiff1d(np.arange(len(texts)), held_out)
        weights, bias = logistic_head(vectors[taught], targets[taught])
        logits[held_out] = vectors[held_out] @ weights.T + bias
    return best_f1(logits, targets)


def _vectors(
    folder: Path, texts: Sequence[str], max_tokens: int, device: torch.device
) -> NDArray[np.float32]:
    tokenizer, body = load(folder, torch.float32, device)
    reader = TokenReader(tokenizer, min(max_tokens, position_limit(body.config)))
    classifier = TextClassifier(body, 1).to(device)
    tokens = reader.read(texts)
    with fast_precision(device):
        return vectors_of(classifier, WholeBody(classifier, reader, tokens), tokens)
