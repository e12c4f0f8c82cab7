"""The chain and its members beside rivals, on the same splits, in one run.

    python docs/benchmarks/rivals.py ISSUES.jsonl.gz LABELS.json NAME,NAME,… --out reports/rivals

Rivals: logistic regression on [TF-IDF, MiniLM] with balanced classes, at 0.5 or else the top
label; the crude blend (the same with the encoder's similarity to the bare label name, whose weight
fades as 1 / (1 + positives / 4), each label given as often as its smoothed share); zero-shot as
the chapter does it, where ISSUE_TAGGER_ZERO_SHOT_MODEL names an NLI model; and SetFit, where it is
installed (`pip install setfit`). A killed run goes on with `--resume`. With `--stored` ISSUES is a
repository of the database: then the splits are those of `issue-tagger evaluate` on it.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.learning.training_data import training_data
from bot.process.progress import ShownProgress
from bot.process.settings import load_settings
from tagger.evaluation.cells import FolderCells
from tagger.evaluation.figures import figures
from tagger.evaluation.report.extras import Extras
from tagger.evaluation.report.writing import write_report
from tagger.evaluation.runner import Execution, evaluate
from tagger.evaluation.slices import SplitPlan
from tagger.label_semantics.entailment import Entailment
from tagger.strategies.candidates import Candidate, CandidatePrediction, candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

    from numpy.typing import NDArray

    from bot.container import Container
    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Progress, Resources, Scores, Strategy
    from tagger.evaluation.figures import Figures
    from tagger.statistics.metrics import Decisions


SLICES = "8,16,32,64,128,all"


class LogisticRival:
    """Logistic regression on [TF-IDF, MiniLM vector], one a label, classes balanced."""

    name, needs_examples = "LR tfidf+MiniLM", True

    def __init__(self, resources: Resources, seed: int = 0) -> None:
        self.resources, self.seed = resources, seed

    def fit(self, train: TrainingSet) -> Self:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.train = train
        self.words = TfidfVectorizer(
            sublinear_tf=True, ngram_range=(1, 2), min_df=2 if len(train) > 50 else 1
        )
        self.words.fit([issue.full for issue in train.issues])
        self.heads = [self._head(self._columns(train.issues), column) for column in train.targets.T]
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        columns = self._columns(issues)
        said = np.column_stack([head(columns) for head in self.heads])
        return np.asarray(said, dtype=np.float32)

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        scores = self.score(issues)
        return CandidatePrediction(scores, with_top_label(scores, scores > 0.5))

    def _columns(self, issues: Sequence[IssueText]) -> Any:
        from scipy.sparse import hstack

        texts = [issue.full for issue in issues]
        return hstack([self.words.transform(texts), self.resources.encoder().encode(texts)]).tocsr()

    def _head(self, columns: Any, truth: NDArray[np.bool_]) -> Callable[[Any], NDArray[Any]]:
        from sklearn.linear_model import LogisticRegression

        if truth.all() or not truth.any():
            return lambda given: np.full(given.shape[0], (truth.sum() + 0.5) / (len(truth) + 1))
        head = LogisticRegression(
            solver="liblinear", class_weight="balanced", random_state=self.seed
        )
        head.fit(columns, truth)
        return lambda given: np.asarray(head.predict_proba(given)[:, 1])


class CrudeBlend(LogisticRival):
    """The rival above, blended with the similarity to the bare label name."""

    name = "crude blend"

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        scores = self.score(issues)
        odds = np.log(np.clip(scores, 1e-4, 1 - 1e-4) / np.clip(1 - scores, 1e-4, 1))
        encoder = self.resources.encoder()
        names = encoder.encode([label.name for label in self.train.labels])
        alike = encoder.encode([issue.full for issue in issues]) @ names.T
        positives = self.train.positives
        weight = 1 / (1 + positives / 4)
        blended = (1 - weight) * _z(odds) + weight * _z(alike)
        share = (positives + 0.5) / (len(self.train) + 1)
        given = np.maximum(1, np.round(share * len(issues))).astype(int)
        rank = (-blended).argsort(axis=0).argsort(axis=0)
        return CandidatePrediction(scores, rank < given)


class SetFitRival:
    """SetFit with the same body (Tunstall et al. 2022), as its README trains it: one epoch.

    That is four steps for eight issues and a thousand for 128; `steps` are the most it may take.
    """

    name, needs_examples = "SetFit MiniLM", True

    def __init__(self, resources: Resources, seed: int = 0, steps: int = 600) -> None:
        self.resources, self.seed, self.steps = resources, seed, steps

    def fit(self, train: TrainingSet) -> Self:
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        texts = [issue.full for issue in train.issues]
        self.learned = np.flatnonzero((train.positives > 0) & (train.positives < len(train)))
        self.share = (train.positives + 0.5) / (len(train) + 1)
        self.model = SetFitModel.from_pretrained(
            str(self.resources.bert_model), multi_target_strategy="one-vs-rest"
        )
        rows = Dataset.from_dict(
            {"text": texts, "label": train.targets[:, self.learned].astype(int).tolist()}
        )
        pairs = len(texts) * (len(texts) - 1)  # as many alike as unlike, the rarer kind repeated
        arguments = TrainingArguments(
            batch_size=16,
            num_epochs=1,
            max_steps=self.steps if pairs > 16 * self.steps else -1,
            seed=self.seed,
            report_to="none",
        )
        Trainer(model=self.model, args=arguments, train_dataset=rows).train()
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        found: Scores = np.tile(self.share, (len(issues), 1)).astype(np.float32)
        said = self.model.predict_proba([issue.full for issue in issues], as_numpy=True)
        found[:, self.learned] = said
        return found

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        scores = self.score(issues)
        return CandidatePrediction(scores, with_top_label(scores, scores > 0.5))


class BookZeroShot:
    """Zero-shot as in the chapter: "This example is {name}.", the label that is entailed most.

    Its pipeline's numbers by this product's own way to compute them; the premise is cut after 128
    tokens. No usual shares, no descriptions, no corpus to compare with.
    """

    name, needs_examples = "zero-shot (book)", False

    def __init__(self, resources: Resources, seed: int = 0) -> None:  # noqa: ARG002 - nothing in it is random
        self.resources = resources

    def fit(self, train: TrainingSet) -> Self:
        self.said = [f"This example is {label.name}." for label in train.labels]
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        folder = self.resources.zero_shot_model
        assert folder is not None  # noqa: S101 - see `_rivals`
        odds = _nli(folder).odds([one.full for one in issues], self.said)
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float32)

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        scores = self.score(issues)
        return CandidatePrediction(
            scores, with_top_label(scores, np.zeros(scores.shape, dtype=bool))
        )


@cache
def _nli(folder: Path) -> Entailment:
    return Entailment(folder, premise_tokens=128)


def with_top_label(scores: Scores, decided: Decisions) -> Decisions:
    """An issue above no cut gets its best-scored label."""
    without = np.flatnonzero(~decided.any(axis=1))
    decided[without, scores[without].argmax(axis=1)] = True
    return decided


def _z(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray((values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9))


if TYPE_CHECKING:
    Rival = LogisticRival | SetFitRival | BookZeroShot


def main() -> None:
    given = _arguments()
    with ShownProgress() as progress:
        installation = build(load_settings())
        resources = installation.resources(progress)
        data = _data(given, installation, progress)
        rivals = [
            Candidate(
                rival.name,
                partial(_made, rival, resources),
                flat=not rival.needs_examples,
                tuning=rival is SetFitRival,
            )
            for rival in _rivals(resources, given)
        ]
        who = (*candidates(given.strategies.split(","), resources), *rivals)
        slices = tuple(given.slices.split(","))
        plan = SplitPlan("stratified", slices, given.test_size, given.pool, frozenset())
        found = evaluate(
            data,
            who,
            plan,
            range(given.seeds),
            FolderCells(Path(given.out) / "cells"),
            Execution(resume=given.resume, progress=progress),
        )
    write_report(found, Extras(repository=Path(given.issues).stem), Path(given.out))
    print(table(figures(found), slices))


def _data(given: argparse.Namespace, installation: Container, progress: Progress) -> TrainingSet:
    if not given.stored:
        return labelled_files(f"{given.issues}:{given.labels}:{given.names}").load()
    names = tuple(given.names.split(","))
    return training_data(installation.store, given.issues, names, progress, now=datetime.now(UTC))


def _made(rival: type[Rival], resources: Resources, seed: int) -> Strategy:
    return rival(resources, seed)  # type: ignore[return-value] # nobody saves it


def _rivals(resources: Resources, given: argparse.Namespace) -> list[type[Rival]]:
    there: list[type[Rival]] = [LogisticRival, CrudeBlend]
    if resources.zero_shot_model is not None:
        there.append(BookZeroShot)
    if given.setfit:
        there.append(SetFitRival)
    return there


def table(found: Figures, slices: Sequence[str]) -> str:
    """Micro/macro F1, mean of seeds, as Markdown."""
    lines = ["| method | " + " | ".join(slices) + " |", "|---" * (len(slices) + 1) + "|"]
    by_key = {(one.strategy, one.slice): one for one in found.summary}
    for name in dict.fromkeys(one.strategy for one in found.summary):
        cells = [by_key.get((name, piece)) for piece in slices]
        shown = [
            f"{one.micro_f1.value:.3f}/{one.macro_f1.value:.3f}" if one else "" for one in cells
        ]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("issues")
    parser.add_argument("labels")
    parser.add_argument("names")
    parser.add_argument("--stored", action="store_true", help="ISSUES is OWNER/NAME, LABELS is -")
    parser.add_argument("--strategies", default="chain,naive-bayes,zero-shot,linear,knn")
    parser.add_argument("--slices", default=SLICES, help="training issues, A,B,…")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pool", type=int, default=1000)
    parser.add_argument("--test-size", type=int, default=1000)
    parser.add_argument("--setfit", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--out", default="reports/rivals")
    return parser.parse_args()


if __name__ == "__main__":
    main()
