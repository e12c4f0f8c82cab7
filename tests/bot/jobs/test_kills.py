"""The benchmark of kills, in small: a service and three workers on PostgreSQL, one stays dead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "benchmarks" / "kills.py"


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_killed_workers_lose_nothing_and_do_nothing_twice(postgres_store, postgres_url) -> None:
    done = subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--database", postgres_url),
            *("--deliveries", "40", "--kills", "2"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| PostgreSQL, `serve` and three workers | 40 | 2 | 0 | 0 | 0 | 0 |" in done.stdout
