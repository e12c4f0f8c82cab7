"""How many issues does the familiarity check hold back, of other repositories and at home?

    python docs/benchmarks/familiarity.py SETS.json FOLDER --least 400

SETS is a list of {"repository", "file", "labels"}; FOLDER holds the files, in the shape of REST
`issues`. Of each repository with `--least` labelled issues half are learned from (drawn at random);
the other half and 100 issues of each other repository are judged. By vectors alone: what the chain
would have said of an issue that is held back is not asked.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.container import build
from bot.learning.prior_files import LabelledFiles
from bot.process.settings import load_settings
from tagger.chain.familiarity import NEAREST, FamiliarityCheck
from tagger.strategies.knn import NearestNeighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.domain.issue import IssueText, TrainingSet

FOREIGN = 100


def held_back(
    check: FamiliarityCheck, knn: NearestNeighbours, issues: Sequence[IssueText]
) -> float:
    """Share of the issues that are not familiar."""
    vectors = knn.resources.encoder().encode([issue.full for issue in issues])
    found = knn.index_.search(vectors, NEAREST).similarities
    return float(np.mean([not check.is_familiar(row.tolist()) for row in found]))


def main() -> None:
    """One line a repository, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--least", type=int, default=400, help="labelled issues of a repository")
    options = parser.parse_args()
    container = build(load_settings())
    container.store.migrate()  # it keeps the vectors
    resources = container.resources()
    data: dict[str, TrainingSet] = {}
    no_descriptions = Path(tempfile.mkdtemp()) / "labels.json"
    no_descriptions.write_text("[]", encoding="utf-8")
    for one in json.loads(options.sets.read_text("utf-8")):
        files = LabelledFiles(options.folder / one["file"], no_descriptions, tuple(one["labels"]))
        loaded = files.load()
        if len(loaded.issues) >= options.least:
            data[one["repository"]] = loaded
    shares = []
    for name, home in data.items():
        rows = np.random.default_rng(0).permutation(len(home.issues))
        learned, rest = np.array_split(rows, 2)
        knn = NearestNeighbours(resources).fit(home.subset(learned))
        check = FamiliarityCheck.fit(knn, home.subset(learned).issues)
        at_home = held_back(check, knn, home.subset(rest).issues)
        elsewhere = [
            held_back(check, knn, other.issues[:FOREIGN])
            for each, other in data.items()
            if each != name
        ]
        shares.append((at_home, float(np.mean(elsewhere))))
        print(
            f"{name}: {len(learned)} learned; held back at home {at_home:.3f}, of the others' "
            f"{np.mean(elsewhere):.2f} ({min(elsewhere):.2f} to {max(elsewhere):.2f})"
        )
    home_share, foreign_share = np.median(shares, axis=0)
    print(f"median of {len(shares)}: at home {home_share:.3f}, of others' {foreign_share:.2f}")


if __name__ == "__main__":
    main()
