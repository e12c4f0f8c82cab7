"""Runner on ONNX Runtime: a converted network on the processor, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.runtimes.threads import threads

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.runtimes.runner import Ids, Matrix

NAMES = ("ids", "mask", "kinds")
"""Inputs of a converted network; the third only where it reads token types."""


class OnnxRunner:
    """A session on one file. See `Runner`.

    Rows run one by one and unpadded: 8-bit activations share one scale within a call, so that in
    company a row's numbers would depend on its neighbours. It costs nothing: on two cores a batch
    of 16 took as long as 16 rows.
    """

    budget = 1
    step = 1

    def __init__(self, file: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        self.weight_bytes = file.stat().st_size
        options.intra_op_num_threads = threads()
        options.inter_op_num_threads = 1
        # waiting threads that spin take the processor from whatever else serves a delivery
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )

    def run(self, ids: Ids, mask: Ids, kinds: Ids | None = None) -> Matrix:
        inputs = [ids, mask] if kinds is None else [ids, mask, kinds]
        answer: Matrix = self._session.run(None, dict(zip(NAMES, inputs, strict=False)))[0]
        return answer
