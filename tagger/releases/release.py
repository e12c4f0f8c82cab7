"""A release: a trained chain as a folder with a manifest and a digest of every file.

Written aside and renamed, so that a folder of that name is always whole; its digests are checked
before anything in it is read. No pickle: JSON, safetensors, FAISS's own format.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

from tagger import __version__
from tagger.chain.chain import Chain
from tagger.chain.checkpoints import Checkpoints
from tagger.domain.decision import Policy
from tagger.errors import ReleaseDamaged
from tagger.persistence import file_digest, load_json, save_json
from tagger.releases.decisions import DecisionMaker
from tagger.runtimes.choice import RuntimeChoice, settle
from tagger.text.cleaning import LATEST, check_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tagger.domain.decision import LabelDecision
    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.strategies.candidates import CandidatePrediction

FORMAT = 1
MANIFEST = "manifest.json"
CHAIN = "chain"
TITLES = "titles.json"
YOUNGER = ("issues_labelled",)
"""What the manifests of older releases lack."""

LIBRARIES = ("torch", "transformers", "scikit-learn", "faiss-cpu", "numpy")


@dataclass(frozen=True)
class ServedLabel:
    """What a release can do for one label, at the usual target precision.

    :ivar examples: labelled issues that carry it.
    :ivar served_by: the member that moves its score most.
    :ivar cut: the score from which it is applied; None where the target cannot be promised.
    :ivar precision: out-of-fold precision from the cut on.
    :ivar bound: with 90 % confidence the precision is at least this.
    :ivar coverage: share of its issues that the cut reaches.
    :ivar missing: about how many more examples the promise needs; None where it is met.
    :ivar missing_at_least, missing_at_most: what `missing` may be, see `MissingExamples`.
    """

    name: str
    examples: int
    served_by: str
    cut: float | None
    precision: float | None
    bound: float | None
    coverage: float | None
    missing: int | None
    missing_at_least: int | None = None
    missing_at_most: int | None = None


@dataclass(frozen=True)
class Manifest:
    """What a release is made of; enough to say whether two are the same.

    :ivar fingerprint: of the training data.
    :ivar models: digest by role, such as `encoder`.
    :ivar notes: sentences for people, such as that zero-shot has no entailment model.
    :ivar runtime: what its models are computed with, and the figures that spoke for it; None where
        there was no choice. No part of `digest`: times differ from run to run.
    :ivar cleaning: version of the cleaning that it was trained with.
    :ivar issues_labelled: share of issues, measured on those that it learned from but not when they
        were scored, that get a label under the promise; None where nothing was measured.
    :ivar files: SHA-256 of every file by path within the folder.
    """

    id: str
    repository: str
    created_at: datetime
    strategies: tuple[str, ...]
    labels: tuple[ServedLabel, ...]
    n_issues: int
    target: float
    seed: int
    fingerprint: str
    models: Mapping[str, str]
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    runtime: RuntimeChoice | None = None
    cleaning: int = LATEST
    issues_labelled: float | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all files: two releases that say the same have the same."""
        return hashlib.sha256(json.dumps(sorted(self.files.items())).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            **asdict(self),
            "created_at": self.created_at.isoformat(),
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """:raises KeyError, TypeError, ValueError: not a manifest of this format."""
        if data["format"] != FORMAT:
            raise ValueError(f"got format {data['format']}, expected {FORMAT}")
        fields = {key: data[key] for key in cls.__dataclass_fields__ if key not in YOUNGER}
        fields |= {key: data[key] for key in YOUNGER if key in data}
        if fields["runtime"] is not None:
            fields["runtime"] = RuntimeChoice.from_json(fields["runtime"])
        check_version(fields["cleaning"])
        fields["created_at"] = datetime.fromisoformat(fields["created_at"])
        fields["labels"] = tuple(ServedLabel(**row) for row in fields["labels"])
        fields["strategies"], fields["notes"] = tuple(fields["strategies"]), tuple(fields["notes"])
        return cls(**fields)


@dataclass(frozen=True)
class ReleaseOrder:
    """A release that is to be made, as `root/OWNER/NAME/ID`.

    :ivar root: the folder of all releases.
    :ivar now: when it is made, to the second; part of its ID.
    :ivar target: the precision that the manifest's table promises.
    """

    repository: str
    root: Path
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    target: float = 0.9
    seed: int = 0

    @property
    def folder(self) -> Path:
        """Of all releases of the repository."""
        return self.root / self.repository


def train_release(
    order: ReleaseOrder,
    train: TrainingSet,
    resources: Resources,
    strategies: Sequence[str] | None = None,
) -> Manifest:
    """Train the chain and write it.

    A training that was killed goes on from its last finished step when it is called again.

    :param strategies: the chain's members; None takes all that the models at hand allow.
    :raises NothingToLearnFrom: no labels.
    """
    members = None if strategies is None else tuple(strategies)
    resources, choice = settle(resources, train)
    checkpoints = finished_steps(order, train, resources)
    chain = Chain(resources, seed=order.seed, members=members, checkpoints=checkpoints).fit(train)
    written = write_release(order, chain, train, runtime=choice)
    checkpoints.forget()
    return written


def finished_steps(order: ReleaseOrder, train: TrainingSet, resources: Resources) -> Checkpoints:
    """What an earlier training of the very same left finished, and where this one leaves it."""
    context = f"{train.fingerprint} {order.seed} {sorted(_models(resources).items())} {__version__}"
    ways = f"{resources.schedule} {resources.whole_words}"
    return Checkpoints(order.folder / ".unfinished", f"{context} {ways}")


def write_release(
    order: ReleaseOrder,
    chain: Chain,
    train: TrainingSet,
    *,
    notes: Sequence[str] = (),
    runtime: RuntimeChoice | None = None,
) -> Manifest:
    """Write a fitted chain.

    :param train: what it was fitted on.
    :param notes: sentences for people, before those of the chain itself.
    :param runtime: that the chain's resources compute in.
    """
    tagging = DecisionMaker(chain, {})
    manifest = Manifest(
        id=f"{order.now:%Y%m%d-%H%M%S}-{train.fingerprint[:6]}",
        repository=order.repository,
        created_at=order.now,
        strategies=tuple(member.name for member in chain.learned_.cascade.members),
        labels=tuple(ServedLabel(**row) for row in tagging.table(train.positives, order.target)),
        n_issues=len(train),
        target=order.target,
        seed=chain.seed,
        fingerprint=train.fingerprint,
        models=_models(chain.resources),
        versions={name: version(name) for name in LIBRARIES},
        notes=(*notes, *tagging.notes()),
        runtime=runtime,
        cleaning=LATEST,
        issues_labelled=tagging.issues_labelled(order.target),
    )
    titles = {
        str(number): issue.title for number, issue in zip(train.numbers, train.issues, strict=True)
    }
    return _write(manifest, chain, titles, order.folder / manifest.id)


class Release:
    """A release opened for tagging."""

    def __init__(self, manifest: Manifest, folder: Path, tagging: DecisionMaker) -> None:
        self.manifest = manifest
        self.folder = folder
        self._tagging = tagging

    @classmethod
    def open(cls, folder: Path, resources: Resources) -> Self:
        """Check every digest, then load.

        :raises ReleaseDamaged: incomplete, changed, or of another format.
        :raises ModelRefused: it was trained with another encoder.
        """
        manifest = read_manifest(folder)
        check_files(folder, manifest.files)
        if manifest.runtime is not None and resources.runtimes is not None:
            resources = resources.runtimes.under(manifest.runtime.name)
        chain = Chain(resources, seed=manifest.seed).restore(folder / CHAIN)
        titles = {int(number): title for number, title in load_json(folder / TITLES).items()}
        return cls(manifest, folder, DecisionMaker(chain, titles))

    @property
    def chain(self) -> Chain:
        """The chain that decides."""
        return self._tagging.chain

    def member_folder(self, name: str) -> Path:
        """Where a member's learned state lies."""
        return self.folder / CHAIN / name

    @property
    def names(self) -> tuple[str, ...]:
        """Its labels, in the order of `decide`'s columns."""
        return self._tagging.chain.learned_.labels

    def decide(self, issues: Sequence[IssueText]) -> NDArray[np.bool_]:
        """The labels it gives for the best F1. *Shape:* (n_issues, n_labels)"""
        return self._tagging.chain.decide(self._cleaned(issues))

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        """Probabilities, and labels for the best F1 and under the usual promise."""
        return self._tagging.chain.predict(self._cleaned(issues))

    def warm_up(self) -> None:
        """Load what every issue goes through, so that the first one need not wait for it."""
        self.chain.warm_up()

    def tag(
        self, issues: Sequence[IssueText], policy: Policy | None = None
    ) -> tuple[tuple[LabelDecision, ...], ...]:
        """For each issue every label of the release, by falling score."""
        return self._tagging.decide(self._cleaned(issues), policy or Policy())

    def learn(self, number: int, issue: IssueText, labels: Sequence[str]) -> None:
        """Let a newly labelled issue count as a neighbour at once, without retraining."""
        self._tagging.learn(number, issue.cleaned(self.manifest.cleaning), labels)

    def knows(self, number: int) -> bool:
        """Whether this issue counts as a neighbour."""
        return self._tagging.knows(number)

    def _cleaned(self, issues: Sequence[IssueText]) -> list[IssueText]:
        """As they were when it was trained, whatever they were cleaned with since."""
        return [issue.cleaned(self.manifest.cleaning) for issue in issues]


def read_manifest(folder: Path) -> Manifest:
    """:raises ReleaseDamaged: there is none, or it cannot be read."""
    data = load_json(folder / MANIFEST)
    try:
        return Manifest.from_json(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ReleaseDamaged(folder, f"{MANIFEST}: {error!r}") from error


def _write(manifest: Manifest, chain: Chain, titles: Mapping[str, str], folder: Path) -> Manifest:
    aside = folder.with_name(f".{manifest.id}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / CHAIN).mkdir(parents=True)
    try:
        chain.save(aside / CHAIN)
        save_json(aside / TITLES, titles)
        files = {str(path.relative_to(aside)): file_digest(path) for path in _files(aside)}
        manifest = Manifest(**{**_fields(manifest), "files": files})
        save_json(aside / MANIFEST, manifest.as_json())
        for path in _files(aside):
            to_disk(path)
        aside.rename(folder)
    except BaseException:  # Ctrl-C too: nothing half-written stays
        shutil.rmtree(aside, ignore_errors=True)
        raise
    to_disk(folder.parent)
    return manifest


def _fields(manifest: Manifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__}


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """:raises ReleaseDamaged: one of these files is missing, or its digest is another."""
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            raise ReleaseDamaged(folder, f"{name} is missing")
        if file_digest(path) != digest:
            raise ReleaseDamaged(folder, f"{name} has changed since it was written")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def to_disk(path: Path) -> None:
    """Have the system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _models(resources: Resources) -> dict[str, str]:
    models = {"encoder": resources.encoder().identity}
    entails = resources.zero_shot_model if resources.entail else None
    for role, folder in (("bert", resources.bert_model), ("zero-shot", entails)):
        weights = None if folder is None else folder / "model.safetensors"
        if weights is not None and weights.is_file():
            models[role] = file_digest(weights)
    return models
