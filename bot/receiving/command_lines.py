"""Which command a comment holds: `/tagger WORD` at the beginning of a line. Pure."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt

COMMANDS = ("why", "retry", "off", "retrain", "report")
OWN_MARK = "<!-- issue-tagger:"
"""How every comment and issue of the bot begins: it takes no orders from itself."""

READ, READ_LINES = 65_536, 1_000
"""Characters of a comment that are read, as many as GitHub takes, and lines, which may be a block
each and cost the parser 30 µs."""

_LINE = re.compile(
    r"^(?P<blanks> {0,3})/tagger(?:[ \t]+(?P<word>\S{1,40})(?:[ \t].*)?)?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_PLACE = re.compile("\ue000([0-9]+)\ue000")
_HIDDEN_IN_HTML = re.compile(
    r"<!--.*?(?:-->|\Z)|<(pre|code|blockquote|script|style|textarea)\b.*?(?:</\1>|\Z)",
    re.DOTALL | re.IGNORECASE,
)


def read_command(body: str) -> str | None:
    """The first command's word in lower case, "" for none after `/tagger`; None: no command.

    What GitHub shows as a quote or as code, or hides as an HTML comment, holds none.
    """
    if body.startswith(OWN_MARK):
        return None
    text = _beginning(body)
    words = [(line["word"] or "").lower() for line in _LINE.finditer(text)]
    if not words:
        return None
    numbers = iter(range(len(words)))
    marked = _LINE.sub(lambda line: f"{line['blanks']}\ue000{next(numbers)}\ue000", text)
    place = next(iter(_PLACE.finditer("\n".join(_plain_texts(marked)))), None)
    return words[int(place[1])] if place else None


def nearest_command(word: str) -> str | None:
    """The command that was probably meant."""
    return next(iter(difflib.get_close_matches(word, COMMANDS, n=1)), None)


def _beginning(body: str) -> str:
    text = body[:READ].replace("\r\n", "\n").replace("\r", "\n").replace("\ue000", "\ufffd")
    return "\n".join(text.split("\n", READ_LINES)[:READ_LINES])


@cache
def _parser() -> MarkdownIt:
    """Of what stands within a line only code and HTML matter, and what escapes them."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable(
        ["reference", "emphasis", "link", "image", "autolink", "entity"]
    )


def _plain_texts(text: str) -> Iterator[str]:
    """Pieces of a comment that GitHub shows as its author's own words, in their order."""
    quotes = 0
    for token in _parser().parse(text):
        quotes += token.nesting if token.type.startswith("blockquote_") else 0
        if quotes:
            continue
        if token.type == "html_block":
            yield _HIDDEN_IN_HTML.sub("", token.content)
        for child in token.children or ():
            if child.type == "text":
                yield child.content
