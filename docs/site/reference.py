"""Pages that are taken from the code while the site is built, so that none goes stale.

Comes in from: mkdocs, which calls `on_files` and `on_page_markdown` (https://www.mkdocs.org/dev-guide/plugins/).
"""

from __future__ import annotations

import os
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from click import Command, Parameter
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")

LIBRARY = """# The library's reference

What it is for, in five lines: [as a library](../library.md).

::: tagger.library.IssueTagger
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is written here to the pages that lie in `docs/`."""
    from mkdocs.structure.files import File

    pages = {
        "index.md": home_page(),
        "reference/commands.md": commands_page(),
        "reference/settings.md": settings_page(),
        "reference/library.md": LIBRARY,
    }
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Let links to files beside `docs/` lead to the repository."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))
    return LINK.sub(lambda link: _led_out(link, folder), markdown)


def _led_out(link: re.Match[str], folder: str) -> str:
    place = posixpath.normpath(posixpath.join(folder, link[1]))
    if place.startswith("docs/") and not place.endswith(".py"):
        return link[0]
    return f"]({source_url()}/{place})"


@cache
def source_url() -> str:
    """Where the repository's files are looked at; GitHub Actions says whose it is."""
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return f"{server}/{os.environ.get('GITHUB_REPOSITORY', 'OWNER/issue-tagger')}/blob/main"


def home_page() -> str:
    """The README, whose links start one folder higher."""
    text = (ROOT / "README.md").read_text("utf-8")
    return LINK.sub(lambda link: f"]({posixpath.relpath(link[1], 'docs')})", text)


def commands_page() -> str:
    """Every command that the help lists, with all of its arguments and options."""
    from typer.main import get_command

    from bot.cli.app import app

    commands: dict[str, Command] = get_command(app).commands  # type: ignore[attr-defined]
    parts = [
        "# Every command and option",
        "Taken from the program itself. What the commands are for: [commands](../commands.md).",
    ]
    for name, command in commands.items():
        if not command.hidden:
            parts += [
                f"## `issue-tagger {name}`",
                _plain(command.help or ""),
                *_parameters(command),
            ]
    return "\n\n".join(parts) + "\n"


def _parameters(command: Command) -> list[str]:
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", 0)]
    if not rows:
        return []
    head = "| argument or option | default | |\n|---|---|---|\n"
    return [head + "\n".join(rows)]


def _row(parameter: Parameter) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        names = [parameter.metavar or (parameter.name or "").upper()]
    shown = ", ".join(f"`{name}`" for name in names)
    default: Any = parameter.default
    ordinary = isinstance(default, int | float | str | Path) and default not in {True, False, ""}
    value = f"`{default}`" if ordinary else ""
    value = "required" if parameter.required else value
    return f"| {shown} | {value} | {_cell(getattr(parameter, 'help', None) or '')} |"


def settings_page() -> str:
    """Every variable that the settings class reads, with type, default and limits."""
    from bot.process.settings import PREFIX, Settings

    rows = [
        f"| `{PREFIX}{name.upper()}` | {_kind(field)} | {default_of(field)} |"
        for name, field in Settings.model_fields.items()
    ]
    intro = "Taken from the program itself. What each is for: [settings](../settings.md)."
    head = "| variable | takes | default |\n|---|---|---|\n"
    return f"# Every setting\n\n{intro}\n\n{head}" + "\n".join(rows) + "\n"


def _kind(field: FieldInfo) -> str:
    from typing import Literal, get_args, get_origin

    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    if get_origin(field.annotation) is Literal:
        return _choices(kinds)
    kind = kinds[0] if kinds else field.annotation
    kind = getattr(kind, "__origin__", kind) if hasattr(kind, "__metadata__") else kind
    if get_origin(kind) is Literal:
        return _choices(get_args(kind))
    names: dict[Any, str] = {
        Path: "a path",
        bool: "`true` or `false`",
        int: "a whole number",
        str: "text",
    }
    names[SecretStr] = "text, shown nowhere"
    return ", ".join([names.get(kind, "text"), *_limits(field)])


def _choices(values: Any) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _limits(field: FieldInfo) -> list[str]:
    words = {"ge": "at least", "gt": "more than", "le": "at most"}
    return [
        f"{words[limit]} {getattr(rule, limit)}"
        for rule in field.metadata
        for limit in words
        if getattr(rule, limit, None) is not None
    ]


def default_of(field: FieldInfo) -> str:
    """The default as the environment would give it; nothing where there is none."""
    if field.default is PydanticUndefined or field.default is None:
        return "" if field.default_factory is None else "worked out from the others"
    value = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"`{value}`"


def _plain(text: str) -> str:
    """A help text as Markdown: what stands in angle brackets is no markup."""
    return text.replace("\b", "").replace("<", "&lt;").strip()


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", "\\|")
