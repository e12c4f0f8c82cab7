"""The README and the pages of docs/: short, linked, and complete beside the code."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / ".github").rglob("*.md")])
LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@cache
def text_of(page: Path) -> str:
    return FENCED.sub("", page.read_text("utf-8"))


@cache
def anchors_of(page: Path) -> set[str]:
    """The names that GitHub gives a page's headings; a repeated one gets a number."""
    names: list[str] = []
    for heading in re.findall(r"^#+ +(.*?) *$", text_of(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        letters = (sign for sign in plain if sign in " -_" or unicodedata.category(sign)[0] in "LN")
        name = "".join(letters).replace(" ", "-")
        repeats = names.count(name)
        names += [name] if not repeats else [name, f"{name}-{repeats}"]
    return set(names)


@cache
def reference() -> ModuleType:
    spec = spec_from_file_location("reference", DOCS / "site" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_there_are(page: Path) -> None:
    broken = []
    for link in LINK.findall(text_of(page)):
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) <= 150
    linked = {link.partition("#")[0] for link in LINK.findall(readme)}
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= linked
    assert any(link.startswith("docs/images/") for link in linked)


def test_every_command_is_described() -> None:
    from bot.cli.app import app

    described = set(
        re.findall(r"`([a-z]+(?:-[a-z]+)*)\b", (DOCS / "commands.md").read_text("utf-8"))
    )
    shown = {command.name for command in app.registered_commands if not command.hidden}
    assert shown - described == set()


def test_every_setting_is_described_and_none_that_is_not() -> None:
    from bot.process.settings import Settings

    rows = re.findall(r"^\| (`[^|]*) \|", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert described == {name.upper() for name in Settings.model_fields}


def test_described_defaults_are_the_codes() -> None:
    from bot.process.settings import Settings

    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (`[^`|]*`) \|", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE
    )
    defaults = {
        name.upper(): reference().default_of(field) for name, field in Settings.model_fields.items()
    }
    assert len(rows) > 10
    assert [(name, value) for name, value in rows if defaults[name] != value] == []


def test_the_site_has_every_command_option_and_setting() -> None:
    from typer.main import get_command

    from bot.cli.app import app
    from bot.process.settings import PREFIX, Settings

    page = reference().commands_page()
    for name, command in get_command(app).commands.items():
        assert (f"## `issue-tagger {name}`" in page) is not command.hidden
        hidden = command.hidden or any(
            getattr(option, "hidden", False) for option in command.params
        )
        options = () if hidden else command.params
        assert all(f"`{option.opts[0]}`" in page for option in options if option.opts[0][0] == "-")
    settings = reference().settings_page()
    assert all(f"`{PREFIX}{name.upper()}`" in settings for name in Settings.model_fields)


def test_links_out_of_the_docs_lead_to_the_repository() -> None:
    led_out = reference()
    assert led_out.source_url().endswith("/blob/main")
    link = led_out.LINK.search("see [it](../compose.yaml)")
    assert led_out._led_out(link, "docs") == f"]({led_out.source_url()}/compose.yaml)"
    link = led_out.LINK.search("see [it](settings.md#a)")
    assert led_out._led_out(link, "docs") == "](settings.md#a)"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mkdocs") is None, reason="mkdocs is not installed: make setup does")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = ["build", "--strict", "-f", DOCS / "site" / "mkdocs.yml", "-d", tmp_path / "site"]
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", *command],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "reference" / "commands" / "index.html").is_file()
    library = (tmp_path / "site" / "reference" / "library" / "index.html").read_text("utf-8")
    assert "predict_proba" in library
