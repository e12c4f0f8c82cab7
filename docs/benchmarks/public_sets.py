"""Labelled issues of five public repositories, as collected by others, in the shape `import` reads.

    U=https://github.com
    git clone $U/Surya-dcode/scikit-learn-Issue-Labeling-using-encoder-models sklearn
    git clone $U/0WN463/NLP-Issue-Labeller several
    git clone $U/dotnet/machinelearning-samples dotnet
    python docs/benchmarks/public_sets.py sklearn several dotnet --out FOLDER

writes NAME.jsonl.gz and NAME.labels.json for each and prints what `issue-tagger prior` wants to be
told of it. scikit-learn's issues carry one label or several, the others' exactly one. Where every
issue is labelled, a quarter lose their labels here: `adapted` wants unlabelled texts too. None
of this text is part of the project.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SEVERAL = "data/eng_labelled/remove_duplicates/{}_removed_dups.json"
DOTNET = "samples/CLI/MulticlassClassification_CLI/corefx-issues-train.tsv"
UNLABELLED = 4
"""Every so many-th issue loses its labels where all have some."""


@dataclass(frozen=True)
class Found:
    """The issues of one repository: title, body and names of labels."""

    name: str
    wanted: tuple[str, ...]
    rows: list[tuple[str, str, list[str]]]


def main() -> None:
    """Read the three clones, write what is found, print the specifications."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sklearn", type=Path)
    parser.add_argument("several", type=Path)
    parser.add_argument("dotnet", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for found in read(given.sklearn, given.several, given.dotnet):
        print(write(found, given.out))


def read(sklearn: Path, several: Path, dotnet: Path) -> Iterator[Found]:
    """The repositories with the labels that say what an issue is about."""
    newest = max((sklearn / "data").glob("sklearn_issues_final_*.json"))
    rows = [
        (row["title"], row["body"] or "", [_name(label) for label in row["labels"]])
        for row in json.loads(newest.read_text(encoding="utf-8"))
    ]
    about = (
        "Bug,New Feature,Documentation,Build / CI,RFC,Enhancement,API,Performance,cython,"
        "module:ensemble,Array API,module:linear_model,module:metrics,Regression"
    )
    yield Found("scikit-learn", tuple(about.split(",")), rows)
    names = {
        "bootstrap": "feature,docs",
        "ohmyzsh": "Support,Feature,Bug,Enhancement,Type: documentation",
        "vue": "bug,feature request",
    }
    for name, wanted in names.items():
        told = json.loads((several / SEVERAL.format(name)).read_text(encoding="utf-8"))
        rows = [(row["title"], row["body"] or "", [row["labels"]]) for row in told]
        yield Found(name, tuple(wanted.split(",")), rows)
    with (dotnet / DOTNET).open(encoding="utf-8-sig", newline="") as lines:
        told = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = [(row["Title"], row["Description"] or "", [row["Area"]]) for row in told]
    yield Found("corefx", tuple(sorted({row["Area"] for row in told})), rows)


def write(found: Found, out: Path) -> str:
    """Write both files; what names them to `issue-tagger prior`."""
    rows = [row for row in found.rows if set(row[2]) & set(found.wanted)]
    others = [row for row in found.rows if not set(row[2]) & set(found.wanted)]
    if len(others) < len(rows) / UNLABELLED:
        others += [(title, body, []) for title, body, _ in rows[::UNLABELLED]]
        rows = [row for at, row in enumerate(rows) if at % UNLABELLED]
    issues, labels = out / f"{found.name}.jsonl.gz", out / f"{found.name}.labels.json"
    with gzip.open(issues, "wt", encoding="utf-8") as lines:
        for number, (title, body, names) in enumerate([*others, *rows], start=1):
            lines.write(json.dumps(_issue(number, title, body, names)) + "\n")
    labels.write_text(json.dumps([{"name": name} for name in found.wanted]), encoding="utf-8")
    return f"{issues}:{labels}:{','.join(found.wanted)}"


def _issue(number: int, title: str, body: str, names: list[str]) -> dict[str, Any]:
    return {"number": number, "title": title, "body": body, "labels": [{"name": n} for n in names]}


def _name(label: Any) -> str:
    return str(label["name"] if isinstance(label, dict) else label)


if __name__ == "__main__":
    main()
