"""Issue types beside labels: precision and coverage of what is set, on a repository's own labels.

    python docs/benchmarks/issue_types.py ISSUES.jsonl.gz Bug,Enhancement,Task --newest 2000

The repository is stored twice: as it is, and with these labels taken for native types: every second
issue has the type in place of the label, the others keep the label, from which the type is learned
as one that means the same. Both are trained on the older issues by the members that need no tuning
and asked about the newest; coverage is the share of those with the label or type that get it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from bot.configuration import parse
from bot.configuration.last_reading import Reading
from bot.container import build
from bot.labelling.tag_issue import policy_for
from bot.learning.training_data import training_data
from bot.process.settings import Settings, load_settings
from bot.repositories.issue_files import BadRow, read_issues
from store.records.issue_types import type_target
from tagger.domain.strategy import silent
from tagger.releases.release import Release, ReleaseOrder, train_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.configuration import RepositoryConfiguration
    from bot.container import Container
    from store.records import IssueRecord
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def newest_issues(path: Path, names: Sequence[str], newest: int) -> list[IssueRecord]:
    """Issues that carry exactly one of the labels, the oldest first."""
    records = [row.record for row in read_issues(path, silent) if not isinstance(row, BadRow)]
    plain = [
        record
        for record in records
        if not record.is_pull_request and len(set(names) & set(record.labels)) == 1
    ]
    return sorted(plain, key=lambda record: record.number)[-newest:]


def with_types(records: Sequence[IssueRecord], names: Sequence[str]) -> list[IssueRecord]:
    """Every second issue with its type in place of the label."""
    return [record if place % 2 else _typed(record, names) for place, record in enumerate(records)]


def _typed(record: IssueRecord, names: Sequence[str]) -> IssueRecord:
    (name,) = set(names) & set(record.labels)
    return replace(record, type=name, labels=tuple(set(record.labels) - {name}))


def stored(
    container: Container, repository: str, records: Sequence[IssueRecord], file: str
) -> RepositoryConfiguration:
    """The issues and the configuration, put into the store."""
    configuration = parse(file)
    with container.store.begin() as work:
        repository_id = work.repositories.get_or_create(repository, now=NOW).id
        work.issues.upsert(repository_id, records)
        Reading(NOW, rules=configuration.as_stored()).keep(work, repository_id)
    return configuration


def measure(
    resources: Resources,
    data: TrainingSet,
    configuration: RepositoryConfiguration,
    test_size: int,
    members: Sequence[str],
) -> None:
    """Train on the older issues, and print a line for each label on the newest."""
    order = np.argsort(data.numbers)
    train, test = data.subset(order[:-test_size]), data.subset(order[-test_size:])
    with TemporaryDirectory() as root:
        order_of = ReleaseOrder("types/measured", Path(root))
        manifest = train_release(order_of, train, resources, members)
        release = Release.open(Path(root) / "types/measured" / manifest.id, resources)
        decided = release.tag(list(test.issues), policy_for(configuration, release.names))
    applied = np.zeros(test.targets.shape, dtype=bool)
    columns = {name: column for column, name in enumerate(test.names)}
    for row, decisions in enumerate(decided):
        for decision in decisions:
            applied[row, columns[decision.name]] = decision.decision == "apply"
    for name in test.names:
        _line(name, train, applied[:, columns[name]], test.targets[:, columns[name]])
    _line("together", train, applied.ravel(), test.targets.ravel())


def _line(
    name: str, train: TrainingSet, applied: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> None:
    examples = dict(zip(train.names, train.positives, strict=True)).get(name, len(train))
    right = int((applied & truth).sum())
    precision = f"{right / applied.sum():.3f}" if applied.any() else "none set"
    coverage = right / max(int(truth.sum()), 1)
    print(f"| {name} | {examples} | {applied.sum()} | {precision} | {coverage:.2f} |")


def main() -> None:
    """Labels, then types."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("issues", type=Path)
    parser.add_argument("names", help="labels to be taken for types, with commas")
    parser.add_argument("--newest", type=int, default=2000)
    parser.add_argument("--test-size", type=int, default=500)
    parser.add_argument("--members", default="naive-bayes,linear,knn")
    given = parser.parse_args()
    names, members = given.names.split(","), given.members.split(",")
    records = newest_issues(given.issues, names, given.newest)
    test_size = min(given.test_size, len(records) // 4)
    print("| label or type | examples | set | precision | coverage |\n|---|--:|--:|--:|--:|")
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources()
    with TemporaryDirectory() as folder:
        container = build(Settings(data_dir=Path(folder)))
        container.store.migrate()
        rules = stored(container, "measured/labels", records, "mode: apply\n")
        data = training_data(container.store, "measured/labels", names)
        measure(resources, data, rules, test_size, members)
        file = "mode: apply\ntypes:\n" + "".join(f"  {name}:\n" for name in names)
        rules = stored(container, "measured/types", with_types(records, names), file)
        targets = [type_target(name) for name in names]
        data = training_data(container.store, "measured/types", targets)
        measure(resources, data, rules, test_size, members)
        container.close()


if __name__ == "__main__":
    main()
