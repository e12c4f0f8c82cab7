"""Which command a comment holds: `/tagger WORD` at the beginning of a line. Pure."""

from __future__ import annotations

import difflib
import re

COMMANDS = ("why", "retry", "off", "retrain", "report")
OWN_MARK = "<!-- issue-tagger:"
"""How every comment and issue of the bot begins: it takes no orders from itself."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_LINE = re.compile(r"/tagger(?:[ \t]+(\S{1,40})(?:[ \t].*)?)?[ \t]*")


def read_command(body: str) -> str | None:
    """The first command's word in lower case, "" for none after `/tagger`; None: no command.

    Quotes, indented text and code blocks hold none.
    """
    if "/tagger" not in body or body.startswith(OWN_MARK):
        return None
    fence = ""
    for line in body.splitlines():
        match = _FENCE.match(line)
        if fence:
            fence = "" if match and match[1].startswith(fence) else fence
        elif match:
            fence = match[1]
        elif command := _LINE.fullmatch(line):
            return (command[1] or "").lower()
    return None


def nearest_command(word: str) -> str | None:
    """The command that was probably meant."""
    return next(iter(difflib.get_close_matches(word, COMMANDS, n=1)), None)
