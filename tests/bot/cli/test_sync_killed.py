"""`issue-tagger sync` ended by SIGKILL three times: complete at the end, and nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "benchmarks" / "sync.py"


@pytest.mark.slow
def test_three_kills_leave_every_issue_once_and_the_next_sync_asks_conditionally() -> None:
    command = [sys.executable, str(SCRIPT), "--issues", "1500", "--kills", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["killed_after"] == sorted(told["killed_after"])
    assert 0 < told["killed_after"][-1] <= 1500
    assert (told["issues"], told["distinct"], told["acts"]) == (1500, 1500, 1500)
    assert (told["unconditional"], told["statuses"]) == (0, [304])
