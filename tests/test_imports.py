"""Which way imports point: bot → store → tagger, and heavy or foreign libraries where they belong.

Reads every file with `ast`, so that an import inside a function counts as much as one at the top.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "store", "tagger", "migrations")

MAY_IMPORT = {
    "tagger": {"tagger"},
    "store": {"store", "tagger"},
    "bot": {"bot", "store", "tagger"},
    "migrations": {"migrations", "store"},
}
ONLY_IN = {
    "sqlalchemy": {"store", "migrations"},
    "alembic": {"store", "migrations"},
    "psycopg": {"store", "migrations"},
    "sqlite3": {"store", "migrations"},
    "procrastinate": {"store"},
    "fastapi": {"bot"},
    "starlette": {"bot"},
    "uvicorn": {"bot"},
    "httpx": {"bot"},
    "typer": {"bot"},
    "rich": {"bot"},
    "pydantic": {"bot"},
    "pydantic_settings": {"bot"},
    "jwt": {"bot"},
    "prometheus_client": {"bot"},
    "torch": {"tagger"},
    "transformers": {"tagger"},
    "faiss": {"tagger"},
    "sklearn": {"tagger"},
    "nlpaug": {"tagger"},
    "optuna": {"tagger"},
    "onnx": {"tagger"},
    "onnxruntime": {"tagger"},
}
"""Library → the packages that may import it; one that is not named here may be used anywhere."""

FLOORS = (
    *("tagger.errors", "tagger.persistence", "tagger.statistics", "tagger.runtimes"),
    *("tagger.encoders", "tagger.text", "tagger.domain", "tagger"),
    *("tagger.training", "tagger.semi_supervised", "tagger.distillation"),
    *("tagger.label_semantics", "tagger.prompting", "tagger.strategies"),
    *("tagger.chain", "tagger.duplicates", "tagger.releases", "tagger.compression"),
    *("tagger.monitoring", "tagger.evaluation", "tagger.benchmark"),
    "tagger.library",
    *("store.errors", "store.engine", "store.records", "store.provenance", "store.tables"),
    *("store.queues", "store.advising", "store"),
    *(
        "bot.errors",
        "bot.backoff",
        "bot.github",
        "bot.configuration",
        "bot.process",
        "bot.model_serving",
    ),
    *("bot.receiving", "bot.advising", "bot.exports", "bot.repositories"),
    *("bot.labelling", "bot.conversations"),
    *("bot.learning", "bot.erasure", "bot.sample", "bot.evaluating", "bot.backfilling"),
    *("bot.reviewing", "bot.teaching", "bot.sharing"),
    *("bot.jobs", "bot.operations", "bot.container", "bot.actions", "bot.model_server"),
    *("bot.signin", "bot.api", "bot.pages"),
    *("bot.simulator", "bot.demo", "bot.service", "bot.cli", "bot"),
)
"""Rooms from the ground up: each may import those before it and none after it, lazily or not.
What is named here neither itself nor by its folder belongs to its package's own floor."""

HEAVY = {
    "torch",
    "transformers",
    "faiss",
    "sklearn",
    "scipy",
    "nlpaug",
    "onnx",
    "onnxruntime",
    "optuna",
}
LIGHT = (
    "tagger",
    "tagger.errors",
    "tagger.domain.issue",
    "tagger.text.cleaning",
    "tagger.domain.strategy",
    "tagger.encoders.encoder",
    "tagger.strategies",
    "store",
    "bot",
    "bot.cli",
    "bot.configuration",
    "bot.errors",
    "bot.process.settings",
)
"""Modules that are loaded for every command, `--help` included."""


@dataclass(frozen=True)
class Import:
    """One imported name: by which module, on which line, whether run when that is imported."""

    module: str
    line: int
    target: str
    at_import: bool
    for_types: bool = False

    @property
    def top(self) -> str:
        return self.target.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules() -> dict[str, Path]:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return {_dotted(file.relative_to(ROOT)): file for file in files}


def _dotted(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


@cache
def imports() -> tuple[Import, ...]:
    return tuple(one for name, file in modules().items() for one in imports_of(name, file))


def imports_of(module: str, file: Path) -> list[Import]:
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(file.read_text("utf-8"), str(file))
    at_import = set(map(id, _run_at_import(tree)))
    for_types = set(map(id, _for_types(tree)))
    return [
        Import(module, node.lineno, target, id(node) in at_import, id(node) in for_types)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for target in _targets(node, package)
    ]


def _targets(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """Full names; for `from a import b` both `a` and `a.b`, which may be a module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _run_at_import(tree: ast.AST) -> list[ast.AST]:
    """Every node that importing the file runs: not function bodies, not `if TYPE_CHECKING:`."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        found += [node, *_run_at_import(node)]
    return found


def _for_types(tree: ast.AST) -> list[ast.AST]:
    """Every node under `if TYPE_CHECKING:`."""
    return [
        each
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for each in ast.walk(statement)
    ]


def floor_of(module: str) -> str:
    room = ".".join(module.split(".")[:2])
    return room if room in FLOORS else room.partition(".")[0]


@cache
def imports_at_run_time() -> tuple[Import, ...]:
    """Our own modules that ours import, inside functions too; what only types need is left out."""
    ours = modules()
    in_question = [
        each
        for each in imports()
        if each.target in ours and not each.for_types and not each.module.startswith("migrations")
    ]
    finer = {(each.module, each.line, each.target.rpartition(".")[0]) for each in in_question}
    return tuple(each for each in in_question if (each.module, each.line, each.target) not in finer)


def loaded_by(module: str) -> set[str]:
    """Every target that importing `module` imports, directly or through our own modules."""
    ours = modules()
    waiting, seen, found = [module], set[str](), set[str]()
    while waiting:
        name = waiting.pop()
        parts = name.split(".")
        names = {".".join(parts[: i + 1]) for i in range(len(parts))} & set(ours) - seen
        seen |= names
        targets = {one.target for one in imports() if one.module in names and one.at_import}
        found |= targets
        waiting += targets - seen
    return found


def test_packages_import_only_what_lies_below_them() -> None:
    wrong = [
        str(one)
        for one in imports()
        if one.top in MAY_IMPORT and one.top not in MAY_IMPORT[one.module.partition(".")[0]]
    ]
    assert wrong == []


def test_rooms_import_only_what_lies_below_them() -> None:
    wrong = [
        f"{each}: {floor_of(each.target)} lies above {floor_of(each.module)}"
        for each in imports_at_run_time()
        if FLOORS.index(floor_of(each.target)) > FLOORS.index(floor_of(each.module))
    ]
    assert wrong == []


def test_every_folder_has_a_floor() -> None:
    folders = {name for name, file in modules().items() if file.name == "__init__.py"}
    rooms = {".".join(name.split(".")[:2]) for name in folders} - {"migrations"}
    assert rooms - set(FLOORS) == set()


def test_modules_import_each_other_in_no_circle() -> None:
    targets: dict[str, set[str]] = {name: set() for name in modules()}
    for each in imports_at_run_time():
        targets[each.module].add(each.target)
    TopologicalSorter(targets).prepare()  # raises CycleError, which names the circle


def test_no_folder_holds_more_modules_than_a_reader_can_survey() -> None:
    sizes = Counter(file.parent for file in modules().values() if file.name != "__init__.py")
    assert {folder.name: size for folder, size in sizes.items() if size > 21} == {}


def test_every_folder_says_what_lives_there() -> None:
    silent = {
        name
        for name, file in modules().items()
        if file.name == "__init__.py"
        if name != "migrations"
        if len((ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").splitlines()) < 3
    }
    assert silent == set()


def test_libraries_are_imported_only_where_they_belong() -> None:
    wrong = [
        str(one)
        for one in imports()
        if one.module.partition(".")[0] not in ONLY_IN.get(one.top, set(PACKAGES))
    ]
    assert wrong == []


def test_tests_and_development_tools_are_imported_by_no_package() -> None:
    foreign = {"tests", "pytest", "hypothesis", "conftest", "unittest"}
    assert [str(one) for one in imports() if one.top in foreign] == []


@pytest.mark.parametrize("module", [name for name in LIGHT if name in modules()])
def test_what_every_command_loads_loads_nothing_heavy(module: str) -> None:
    assert {target.partition(".")[0] for target in loaded_by(module)} & HEAVY == set()


def test_the_environment_is_read_in_one_file() -> None:
    readers = {
        name for name, file in modules().items() if _reads_environment(file.read_text("utf-8"))
    }
    assert readers <= {"bot.process.settings"}


def _reads_environment(source: str) -> bool:
    names = {"environ", "environb", "getenv", "putenv", "unsetenv"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and names & {alias.name for alias in node.names})
        for node in ast.walk(ast.parse(source))
    )


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("tagger", {"torch", "sklearn", "sqlalchemy", "numpy", "store", "bot"}),
        ("tagger.domain.strategy", {"torch", "sklearn", "transformers", "faiss"}),
        ("store", {"bot", "torch", "fastapi", "httpx"}),
        ("bot", {"torch", "sklearn", "sqlalchemy", "fastapi"}),
        ("bot.configuration", {"torch", "sklearn", "sqlalchemy", "fastapi", "httpx", "numpy"}),
    ],
)
def test_importing_really_loads_none_of(module: str, unwanted: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted({unwanted!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


def test_the_reader_of_imports_sees_what_it_must_see(tmp_path: Path) -> None:
    file = tmp_path / "it.py"
    file.write_text(
        "import a.b\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import only_types\n"
        "try:\n    from c import d\nexcept ImportError:\n    pass\n"
        "class C:\n    import in_class\n"
        "    def f(self):\n        import late\n"
        "from . import near\n"
        "from ..up import there\n"
    )
    found = imports_of("pkg.sub.it", file)
    assert {one.target for one in found if one.at_import} == {
        *("a.b", "typing", "typing.TYPE_CHECKING", "c", "c.d", "in_class"),
        *("pkg.sub", "pkg.sub.near", "pkg.up", "pkg.up.there"),
    }
    assert {one.target for one in found if not one.at_import} == {"only_types", "late"}
    assert _reads_environment("import os\nos.environ['X']")
    assert _reads_environment("from os import getenv")
    assert not _reads_environment("environ = {}")
