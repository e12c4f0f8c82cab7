"""docs/wishes.md: every wish has a proof, and every proof is a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
WISHES = {*range(1, 10), *range(13, 17), 18, *range(20, 24)}
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> dict[int, str]:
    """The table's rows by the number of the wish."""
    text = (ROOT / "docs" / "wishes.md").read_text("utf-8")
    return {int(row[1]): row[0] for row in re.finditer(r"^\| (\d+)\. .*$", text, re.MULTILINE)}


def functions_of(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text("utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, functions)}


def test_every_wish_names_tests_that_there_are() -> None:
    table = rows()
    assert set(table) == WISHES
    for goal, row in table.items():
        proofs = PROOF.findall(row)
        assert proofs, f"wish {goal} has no proof"
        assert row.count("::") == len(proofs), f"wish {goal}: {row}"
        for file, name in proofs:
            assert name in functions_of(ROOT / file), f"wish {goal}: {file}::{name}"
