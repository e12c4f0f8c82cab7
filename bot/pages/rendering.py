"""From documents to HTML: the templates, and the filters that make people's texts harmless."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tagger.evaluation.report.style import style_sheet

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
LONGEST_TITLE = 300
LONGEST_BODY = 20_000
"""Characters of people's texts that a page shows."""
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Controls, escapes of terminals, and what turns the direction of the text around it."""
_FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)


def render(template: str, **content: Any) -> str:
    """A whole page, or a part of one."""
    return _environment().get_template(template).render(content)


def harmless(text: str, longest: int = LONGEST_TITLE) -> str:
    """Without what does not show, and no longer than that; whole characters stay whole."""
    cut = _INVISIBLE.sub("", text[: 2 * longest])
    cut = cut.encode("utf-8", "replace").decode()
    return cut if len(cut) <= longest else cut[: longest - 1].rstrip() + "…"


def passages(body: str) -> list[tuple[str, str]]:
    """A body as (kind, text) pairs: `text` as people wrote it, `code` what stood in fences."""
    pieces = _FENCE.split(harmless(body.replace("\r\n", "\n"), LONGEST_BODY))
    parts: list[tuple[str, str]] = []
    fence = ""
    for part in pieces:
        if fence and part == fence:
            fence = ""
        elif not fence and _FENCE.fullmatch(part):
            fence = part
        elif part.strip():
            parts.append(("code" if fence else "text", part.strip("\n")))
    return parts


def percent(share: float) -> str:
    """A share in whole percent, but never all or nothing where it is not."""
    if 0.995 <= share < 1:
        return "> 99 %"
    if 0 < share < 0.005:
        return "< 1 %"
    return f"{share:.0%}".replace("%", " %")


def moment(value: datetime) -> str:
    """A time for people, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def slug(text: str) -> str:
    """An id for a label, whatever is in its name."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]


def path_of(repository: str) -> str:
    """Where a repository's pages begin."""
    return f"/r/{quote(repository, safe='/')}"


@cache
def static_files() -> dict[str, tuple[str, bytes]]:
    """By name the type and bytes of what pages load."""
    style = style_sheet() + (_HERE / "static" / "pages.css").read_text("utf-8")
    keys = (_HERE / "static" / "keys.js").read_bytes()
    return {
        "pages.css": ("text/css; charset=utf-8", style.encode()),
        "keys.js": ("text/javascript; charset=utf-8", keys),
    }


def static_address(name: str) -> str:
    """Where a file is; another one once it has changed."""
    digest = hashlib.sha256(static_files()[name][1]).hexdigest()[:16]
    return f"/static/{name}?{digest}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        harmless=harmless, passages=passages, percent=percent, moment=moment, slug=slug
    )
    environment.globals.update(static=static_address, path_of=path_of)
    return environment
