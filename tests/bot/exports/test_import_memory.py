"""What the benchmark of large exports measures, on small ones: memory stays far below the bar."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["pretty", "object", "csv"])
def test_memory_does_not_grow_with_the_file(shape: str) -> None:
    script = ROOT / "docs" / "benchmarks" / "import_memory.py"
    done = subprocess.run(
        [sys.executable, str(script), "--megabytes", "30", "--shape", shape],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=240,
    )
    figures = json.loads(done.stdout)
    assert figures["new"] == figures["issues"] > 5000
    assert figures["peak_mb"] < 200
