"""What compression costs and gains: a student beside its teacher and beside BERT-base.

    python docs/benchmarks/student.py pace
    python docs/benchmarks/student.py f1 ISSUES.jsonl.gz LABELS.json NAME,NAME,… --train 256

`pace` times one issue of 128 tokens, and counts bytes on disk: BERT-base's architecture in float32
with random weights, and the student that the bundled encoder makes. `f1` trains a chain on a
sample of a repository's issues, compresses it, and compares both on issues that neither has seen.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.repositories.issue_files import BadRow, read_issues, read_labels
from tagger.compression.compressing import CompressionGoal, compress
from tagger.distillation.distilling import DistillationRecipe
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources, silent
from tagger.encoders.encoder import CachedEncoder, MemoryVectors
from tagger.encoders.model_sources import DEFAULT_ENCODER, locate
from tagger.encoders.transformer import TransformerEncoder
from tagger.releases.release import Release, ReleaseOrder, train_release
from tagger.statistics.metrics import Counts
from tagger.strategies.distilled import Distilled, Teaching

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tagger.domain.strategy import Progress

REPOSITORY = "measured/repository"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TIMED = 30


def resources(progress: Progress = silent) -> Resources:
    source = locate(DEFAULT_ENCODER)
    encoder = CachedEncoder(TransformerEncoder(source), MemoryVectors())
    return Resources(encoder=lambda: encoder, encoder_model=source.folder, progress=progress)


def pace(layers: int) -> None:
    """Print milliseconds an issue and megabytes on disk, and the ratios."""
    words = "the page fails to load with an error when a user saves a large file " * 20
    big_ms, big_bytes = _bert_base(words)
    small_ms, small_bytes = _student(words, layers)
    row = {
        "bert_base_fp32_ms": round(big_ms, 2),
        "student_ms": round(small_ms, 2),
        "times_faster": round(big_ms / small_ms, 1),
        "bert_base_fp32_mb": round(big_bytes / 1e6, 1),
        "student_mb": round(small_bytes / 1e6, 1),
        "times_smaller": round(big_bytes / small_bytes, 1),
    }
    print(json.dumps(row))


def _bert_base(words: str) -> tuple[float, int]:
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    model: Any = BertModel(BertConfig())
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(locate(DEFAULT_ENCODER).folder)

    def ask() -> None:
        batch = tokenizer([words], truncation=True, max_length=128, return_tensors="pt")
        with torch.inference_mode():
            model(**batch)

    return _milliseconds(ask), sum(each.numel() * 4 for each in model.parameters())


def _student(words: str, layers: int) -> tuple[float, int]:
    able, start = resources(), locate(DEFAULT_ENCODER).folder
    issues = tuple(IssueText(f"{words[:60]} {n}", words) for n in range(16))
    targets = np.arange(16)[:, None] % 2 == np.arange(10)[None] % 2
    labels = tuple(Label(f"label {n}") for n in range(10))
    train = TrainingSet(labels, tuple(range(16)), issues, targets)
    soft = dict(zip(issues, targets * 0.8 + 0.1, strict=True))
    recipe = DistillationRecipe(least_steps=1, most_steps=1)
    teaching = Teaching(start, layers, soft, recipe)
    student = Distilled(able, teaching=teaching).fit(train)
    with tempfile.TemporaryDirectory() as folder:
        student.save(Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return _milliseconds(lambda: student.score(issues[:1])), size


def _milliseconds(act: Callable[[], Any]) -> float:
    """Median after a warm-up, of the processor's time: other work on the machine does not count."""
    for _ in range(5):
        act()
    times = []
    for _ in range(TIMED):
        began = time.process_time()
        act()
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times)


def f1(given: argparse.Namespace) -> None:
    """Print F1 of teacher and student on the same unseen issues."""
    train, test = _parted(_issues(given), given.train, given.test, given.seed)
    told: set[str] = set()

    def progress(step: str, done: int, total: int) -> None:  # noqa: ARG001
        if step not in told:
            told.add(step)
            print(f"{datetime.now(UTC):%H:%M:%S} {step} ({total})", flush=True)

    able = resources(progress)
    folder = Path(given.work)
    manifest = train_release(
        ReleaseOrder(REPOSITORY, folder, NOW), train, able, given.members.split(",")
    )
    teacher = Release.open(folder / REPOSITORY / manifest.id, able)
    made = compress(
        ReleaseOrder(REPOSITORY, folder),
        teacher,
        train,
        able,
        CompressionGoal(given.teacher, given.layers, given.trials, neighbours=False),
        studies=folder / "studies",
        recipe=DistillationRecipe(most_steps=given.steps),
    )
    student = Release.open(folder / REPOSITORY / made.id, able)
    for name, release in (("teacher", teacher), ("student", student)):
        counts = Counts.of(test.targets, release.decide(test.issues))
        print(
            json.dumps(
                {
                    "who": name,
                    "micro_f1": float(counts.micro_f1),
                    "macro_f1": float(counts.macro_f1),
                }
            )
        )
    print(made.notes[0])


def _issues(given: argparse.Namespace) -> TrainingSet:
    """Issues that carry a label of the set, in their order, and the texts of all others."""
    known = {one.name: one.description for one in read_labels(Path(given.labels))}
    labels = tuple(Label(name, known.get(name, "")) for name in given.names.split(","))
    names = [one.name for one in labels]
    texts, rows, numbers, others = [], [], [], []
    for row in read_issues(Path(given.issues), silent):
        if isinstance(row, BadRow) or row.record.is_pull_request:
            continue
        text = IssueText.of(row.record.title, row.record.body)
        carried = [name in row.record.labels for name in names]
        if any(carried):
            texts.append(text)
            rows.append(carried)
            numbers.append(row.record.number)
        else:
            others.append(text)
    return TrainingSet(labels, tuple(numbers), tuple(texts), np.array(rows), tuple(others))


def _parted(
    data: TrainingSet, n_train: int, n_test: int, seed: int
) -> tuple[TrainingSet, TrainingSet]:
    """Test issues, issues to learn from; what is left counts as unlabelled."""
    order: Sequence[int] = np.random.default_rng(seed).permutation(len(data)).tolist()
    test, train = order[:n_test], order[n_test : n_test + n_train]
    rest = tuple(data.issues[row] for row in order[n_test + n_train :])
    chosen = data.subset(train)
    learned = TrainingSet(
        data.labels, chosen.numbers, chosen.issues, chosen.targets, (*rest, *data.unlabelled)
    )
    return learned, data.subset(test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    timed = commands.add_parser("pace")
    timed.add_argument("--layers", type=int, default=6)
    compared = commands.add_parser("f1")
    compared.add_argument("issues")
    compared.add_argument("labels")
    compared.add_argument("names")
    compared.add_argument("--train", type=int, default=256)
    compared.add_argument("--test", type=int, default=500)
    compared.add_argument("--members", default="zero-shot,linear,naive-bayes,knn,contrastive")
    compared.add_argument("--teacher", default="chain")
    compared.add_argument("--layers", type=int, default=None)
    compared.add_argument("--trials", type=int, default=0)
    compared.add_argument("--steps", type=int, default=1500)
    compared.add_argument("--seed", type=int, default=0)
    compared.add_argument("--work", required=True, help="Folder of unfinished work and releases.")
    given = parser.parse_args()
    if given.command == "pace":
        pace(given.layers)
    else:
        f1(given)


if __name__ == "__main__":
    main()
