"""What issues leave out, and which describe a vulnerability: how many are told of, and which.

    python docs/benchmarks/left_out.py ISSUES.jsonl.gz [--security-label NAME] [--show N]

No truth is known of what is left out: `--show` prints the numbers of some issues drawn by chance,
to be read. Where a label stands for security, it says how many of the told carry it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.advising.missing_information import missing_information
from bot.advising.security_reports import security_words
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def told(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, list[int]]:
    """Numbers of the issues that are told of, by what is said."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        for missing in missing_information(row["body"] or ""):
            numbers[missing].append(row["number"])
        if security_words(IssueText.of(row["title"], row["body"])):
            numbers["security"].append(row["number"])
    return numbers


def labels_of(row: Mapping[str, Any]) -> set[str]:
    return {label["name"] if isinstance(label, dict) else label for label in row["labels"]}


def main() -> None:
    """One repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("issues", type=Path)
    parser.add_argument("--security-label", default="")
    parser.add_argument("--show", type=int, default=10)
    arguments = parser.parse_args()
    with gzip.open(arguments.issues, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if not row.get("pull_request")]
    numbers = told(rows)
    print(f"{len(rows)} issues")
    for what, some in sorted(numbers.items()):
        shown = sorted(random.Random(0).sample(some, min(arguments.show, len(some))))
        print(f"{what}: {len(some)}, such as {shown}")
    labelled = {row["number"] for row in rows if arguments.security_label in labels_of(row)}
    both = labelled & set(numbers.get("security", ()))
    print(f"{len(labelled)} carry the label, of which {len(both)} are told of")


if __name__ == "__main__":
    main()
