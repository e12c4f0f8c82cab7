"""What a model server computes with: networks by digest and runtime, asked in batches.

Rows of several callers that are equally wide run together. No layer looks across rows, so each
caller gets the numbers that it would have got alone.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.runtimes import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import Network, Runner, RunnerOpener

    Key = tuple[str, str]

LARGEST = 200_000
"""Token ids of one request, padding included: more than a batch of any runtime here holds."""


class RequestRefused(ValueError):
    """A request that no model server can answer."""


@dataclass(frozen=True)
class RowsRequest:
    """Rows of token ids for one network.

    :ivar ids, mask, kinds: *Shape:* (n_rows, n_tokens), int64; `kinds` None: none are read.
    """

    network: str
    runtime: Runtime
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    kinds: NDArray[np.int64] | None

    @classmethod
    def from_json(cls, sent: Any) -> RowsRequest:
        """:raises RequestRefused: it is not what `as_json` writes, or larger than `LARGEST`."""
        try:
            shape = tuple(int(side) for side in sent["shape"])
            if len(shape) != 2 or not 0 < shape[0] * shape[1] <= LARGEST:
                raise RequestRefused(f"got rows of shape {shape}, expected up to {LARGEST} ids")
            ids, mask = (_unpacked(sent[name], shape) for name in ("ids", "mask"))
            kinds = _unpacked(sent["kinds"], shape) if sent["kinds"] is not None else None
            if sent["runtime"] not in RUNTIMES:
                raise RequestRefused(f"got the runtime {sent['runtime']!r}")
            return cls(str(sent["network"]), sent["runtime"], ids, mask, kinds)
        except (KeyError, TypeError, ValueError) as error:
            raise RequestRefused(f"the request cannot be read: {error!r}") from error

    def as_json(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "runtime": self.runtime,
            "shape": self.ids.shape,
            "ids": _packed(self.ids),
            "mask": _packed(self.mask),
            "kinds": None if self.kinds is None else _packed(self.kinds),
        }


@dataclass(frozen=True)
class ServedNetwork:
    """A network ready to compute.

    :ivar vocabulary: how many token ids there are.
    """

    runner: Runner
    vocabulary: int


class ServedNetworks:
    """Opens networks as `open_runner` does, and answers by digest and runtime.

    :param opener: of those that are always served.
    :param find: another network by digest and runtime, or None; asked when a caller wants it.
    """

    def __init__(
        self,
        opener: RunnerOpener,
        find: Callable[[str, Runtime], ServedNetwork | None] = lambda *_: None,
    ) -> None:
        self._opener = opener
        self._find = find
        self._networks: dict[Key, ServedNetwork] = {}

    def open(self, network: Network, runtime: Runtime, device: Any, cache: Any = None, /) -> Runner:
        """See `RunnerOpener`; from now on the network is served."""
        runner = self._opener(network, runtime, device, cache)
        self._networks[network.digest, runtime] = ServedNetwork(runner, network.vocabulary)
        return runner

    @property
    def served(self) -> tuple[Key, ...]:
        """Digest and runtime of each network that is always served."""
        return tuple(sorted(self._networks))

    def run(self, requests: Sequence[RowsRequest]) -> list[dict[str, Any]]:
        """Answers in the order of the requests, those of like rows computed together."""
        answers: list[dict[str, Any]] = [{} for _ in requests]
        for rows in _alike(requests).values():
            some = [requests[row] for row in rows]
            for row, answer in zip(rows, self._together(some), strict=True):
                answers[row] = answer
        return answers

    def _together(self, requests: Sequence[RowsRequest]) -> list[dict[str, Any]]:
        """Answers of requests to one network whose rows are equally wide."""
        first = requests[0]
        network = self._networks.get((first.network, first.runtime)) or self._find(
            first.network, first.runtime
        )
        if network is None:
            return [{"unknown": first.network} for _ in requests]
        ids = np.concatenate([request.ids for request in requests])
        if ids.min() < 0 or ids.max() >= network.vocabulary:
            return [{"refused": "a token id outside of the vocabulary"} for _ in requests]
        mask = np.concatenate([request.mask for request in requests])
        kinds = [request.kinds for request in requests if request.kinds is not None]
        rows = _in_batches(network.runner, ids, mask, np.concatenate(kinds) if kinds else None)
        ends = np.cumsum([len(request.ids) for request in requests])[:-1]
        return [
            {"shape": part.shape, "rows": _packed(part, np.float32)}
            for part in np.split(rows, ends)
        ]


def answered_rows(answer: Mapping[str, Any]) -> NDArray[np.float32]:
    """The rows of an answer. *Shape:* (n_rows, width)"""
    raw = base64.b64decode(answer["rows"], validate=True)
    return np.frombuffer(raw, dtype="<f4").reshape(answer["shape"]).astype(np.float32)


def _alike(requests: Sequence[RowsRequest]) -> dict[tuple[Any, ...], list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, request in enumerate(requests):
        width, kinds = request.ids.shape[1], request.kinds is not None
        groups.setdefault((request.network, request.runtime, width, kinds), []).append(row)
    return groups


def _in_batches(
    runner: Runner,
    ids: NDArray[np.int64],
    mask: NDArray[np.int64],
    kinds: NDArray[np.int64] | None,
) -> NDArray[np.float32]:
    size = max(1, runner.budget // ids.shape[1])
    parts = [
        runner.run(
            ids[start : start + size],
            mask[start : start + size],
            None if kinds is None else kinds[start : start + size],
        )
        for start in range(0, len(ids), size)
    ]
    return np.concatenate(parts)


def _packed(rows: NDArray[Any], kind: type = np.int32) -> str:
    little_endian = np.dtype(kind).newbyteorder("<")
    return base64.b64encode(rows.astype(little_endian).tobytes()).decode()


def _unpacked(text: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    raw = base64.b64decode(text, validate=True)
    return np.frombuffer(raw, dtype="<i4").reshape(shape).astype(np.int64)
