"""Two thousand of the million odd webhooks that `docs/benchmarks/fuzz.py` sends."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "docs" / "benchmarks"


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    yield
    logging.disable(logging.NOTSET)


def test_none_of_them_makes_the_service_stumble(monkeypatch, capsys) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--number", "2000", "--seed", "7"])
    import fuzz

    with pytest.raises(SystemExit) as ending:
        fuzz.main()
    printed = capsys.readouterr()
    assert ending.value.code == 0, printed.err
    assert "| 2000 |" in printed.out
    for status in ("202", "400", "401"):
        assert f"{status}: " in printed.out
