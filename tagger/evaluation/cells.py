"""A cell: one strategy on one slice with one seed, kept as soon as it is done."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tagger.evaluation.errors import CellDamaged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.strategy import Scores
    from tagger.statistics.metrics import Decisions
    from tagger.strategies.candidates import Curve


@dataclass(frozen=True)
class CellKey:
    """What a cell is found by.

    :ivar fingerprint: of the data and of how it was parted (`runner.run_fingerprint`).
    """

    fingerprint: str
    strategy: str
    slice: str
    seed: int

    @property
    def text(self) -> str:
        """The key as one short string: names a file, a row, a job."""
        return f"{self.fingerprint[:16]}/{self.strategy}/{self.slice}/{self.seed}"


@dataclass(frozen=True)
class OutOfScope:
    """What was said of issues of another repository, none of whose labels can be right.

    :ivar issues: how many.
    :ivar decided: labels given to them for the best F1.
    :ivar applied: labels given under the promise of precision; None: there is no promise.
    :ivar silent: issues that got none: under the promise, or else for the best F1.
    """

    issues: int
    decided: int
    applied: int | None
    silent: int

    @classmethod
    def of(cls, decided: Decisions, applied: Decisions | None) -> OutOfScope:
        """Count. *Shape of each:* (n_issues, n_labels)"""
        meant = decided if applied is None else applied
        return cls(
            len(decided),
            int(decided.sum()),
            None if applied is None else int(applied.sum()),
            int((~meant.any(axis=1)).sum()),
        )


@dataclass(frozen=True)
class CellResult:
    """What one strategy said of the test set after learning from one slice.

    :ivar n_train: true size of the slice.
    :ivar numbers: numbers of the test issues.
    :ivar scores: *Shape:* (n_test, n_labels), in [0, 1].
    :ivar decided: the same shape: labels given for the best F1.
    :ivar applied: the same shape: labels given under the promise of precision, or None.
    :ivar peak_memory_mb: of the whole process while it learned and scored, in 10^6 bytes.
    :ivar curves: how losses fell while it learned, by name; empty where nothing was tuned.
    :ivar foreign: what it said of issues of another repository; None where there were none.
    """

    key: CellKey
    n_train: int
    numbers: tuple[int, ...]
    scores: Scores
    decided: Decisions
    applied: Decisions | None
    fit_seconds: float
    predict_ms_per_issue: float
    peak_memory_mb: float
    curves: Mapping[str, Curve] = field(default_factory=dict)
    foreign: OutOfScope | None = None

    def to_json(self) -> dict[str, Any]:
        """A document that `of_json` reads back to the same numbers; arrays packed in base64."""
        return {
            "key": asdict(self.key),
            "n_train": self.n_train,
            "numbers": list(self.numbers),
            "n_labels": self.scores.shape[1],
            "scores": _packed(self.scores.astype("<f4").tobytes()),
            "decided": _packed_bits(self.decided),
            "applied": None if self.applied is None else _packed_bits(self.applied),
            "fit_seconds": self.fit_seconds,
            "predict_ms_per_issue": self.predict_ms_per_issue,
            "peak_memory_mb": self.peak_memory_mb,
            "curves": {
                name: [list(point) for point in points] for name, points in self.curves.items()
            },
            "foreign": None if self.foreign is None else asdict(self.foreign),
        }

    @classmethod
    def of_json(cls, document: dict[str, Any]) -> CellResult:
        """Read what `to_json` wrote.

        :raises CellDamaged: a part is missing or of the wrong size.
        """
        try:
            return cls._read(document)
        except (AttributeError, KeyError, TypeError, ValueError, zlib.error) as error:
            raise CellDamaged(
                f"a stored cell cannot be read ({error!r}); run evaluate without --resume"
            ) from error

    @classmethod
    def _read(cls, document: dict[str, Any]) -> CellResult:
        shape = (len(document["numbers"]), int(document["n_labels"]))
        scores = np.frombuffer(_unpacked(document["scores"]), dtype="<f4").reshape(shape)
        applied, foreign = document["applied"], document.get("foreign")
        return cls(
            key=CellKey(**document["key"]),
            n_train=int(document["n_train"]),
            numbers=tuple(document["numbers"]),
            scores=scores.astype(np.float32),
            decided=_unpacked_bits(document["decided"], shape),
            applied=None if applied is None else _unpacked_bits(applied, shape),
            fit_seconds=float(document["fit_seconds"]),
            predict_ms_per_issue=float(document["predict_ms_per_issue"]),
            peak_memory_mb=float(document["peak_memory_mb"]),
            curves={
                name: tuple((float(step), float(loss)) for step, loss in points)
                for name, points in document["curves"].items()
            },
            foreign=None if foreign is None else OutOfScope(**foreign),
        )


class CellStore(Protocol):
    """Keeps finished cells, so that an evaluation that was killed goes on where it was."""

    def get(self, key: CellKey) -> CellResult | None: ...

    def put(self, key: CellKey, cell: CellResult) -> None: ...


class MemoryCells:
    """A `CellStore` for one process and no longer."""

    def __init__(self) -> None:
        self._cells: dict[CellKey, CellResult] = {}

    def get(self, key: CellKey) -> CellResult | None:
        return self._cells.get(key)

    def put(self, key: CellKey, cell: CellResult) -> None:
        self._cells[key] = cell


class FolderCells:
    """A `CellStore` of one JSON file a cell, each written aside and renamed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: CellKey) -> CellResult | None:
        path = self._path(key)
        if not path.exists():
            return None
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CellDamaged(f"{path} is not JSON ({error}); delete it and resume") from error
        return CellResult.of_json(document)

    def put(self, key: CellKey, cell: CellResult) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".tmp")
        aside.write_text(json.dumps(cell.to_json()), encoding="utf-8")
        aside.replace(path)

    def _path(self, key: CellKey) -> Path:
        digest = hashlib.sha256(repr(key).encode()).hexdigest()[:32]
        return self._folder / key.fingerprint[:16] / f"{digest}.json"


def _packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode("ascii")


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def _packed_bits(matrix: NDArray[np.bool_]) -> str:
    return _packed(np.packbits(matrix).tobytes())


def _unpacked_bits(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    bits = np.frombuffer(_unpacked(text), dtype=np.uint8)
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)
