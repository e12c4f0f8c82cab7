"""Runner on ONNX Runtime: a converted network on the processor, row by row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tagger.runtimes.threads import threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.runtimes.runner import Ids, Inputs, Matrix

NAMES = ("ids", "mask", "kinds")
"""Inputs of a converted network; the third only where it reads token types."""


SIDE_BY_SIDE_FROM = 8
"""Rows that are worth a second session, with a thread for each row: of two hundred texts a row took
8.8 ms in place of 14 where the threads of one session share each row (docs/benchmarks.md)."""


class OnnxRunner:
    """A session on one file. See `Runner`.

    Rows run one by one and unpadded: 8-bit activations share one scale within a call, so that in
    company a row's numbers would depend on its neighbours. It costs nothing: on two cores a batch
    of 16 took as long as 16 rows.
    """

    budget = 1
    step = 1

    def __init__(self, file: Path) -> None:
        self.weight_bytes = file.stat().st_size
        self._file = file
        self._session = _opened(file, threads())
        self._narrow: Any = None

    def run(self, ids: Ids, mask: Ids, kinds: Ids | None = None) -> Matrix:
        return _run(self._session, (ids, mask, kinds))

    def run_all(self, batches: Sequence[Inputs]) -> Sequence[Matrix]:
        """See `RunsSideBySide`; the numbers are those of `run`."""
        side_by_side = threads()
        if side_by_side == 1 or len(batches) < SIDE_BY_SIDE_FROM or not self._file.is_file():
            return [_run(self._session, each) for each in batches]
        if self._narrow is None:
            self._narrow = _opened(self._file, 1)
        with ThreadPoolExecutor(side_by_side) as pool:
            return list(pool.map(lambda each: _run(self._narrow, each), batches))


def _opened(file: Path, n_threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    # waiting threads that spin take the processor from whatever else serves a delivery
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _run(session: Any, inputs: Inputs) -> Matrix:
    given = [each for each in inputs if each is not None]
    answer: Matrix = session.run(None, dict(zip(NAMES, given, strict=False)))[0]
    return answer
