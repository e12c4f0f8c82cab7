"""Logs and tracebacks in a few lines: how they begin, what failed, and in which files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 12
"""Lines of a log that are left as they are, and that a condensed one has at most."""

HEAD, MAX_ERRORS, MAX_NAMES, MAX_PATHS = 3, 5, 10, 20
"""First lines; lines that tell an error; names of errors and paths, on one line each."""

LOG_SHARE = 0.2
"""Of a block's lines, that look like a log's."""

_LOG_LINE = re.compile(
    r"""^[>\s]*(?:
        Traceback[ ]\(most | File[ ]"[^"\n]+",[ ]line | -+>[ ]?\d+ | \d+[ ]  # Python, IPython
        | at[ ]\S+.*\( | \#\d+[ ] | Caused[ ]by:               # Java, JavaScript, PHP
        | \[?\d{4}-\d\d-\d\d[T ]\d\d: | \[?\d\d:\d\d:\d\d        # the time of day
        | \[?(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)\b | [\w.]*(?:Error|Exception):
        | .{0,80}\d+%\|                                        # a bar of progress
    )""",
    re.VERBOSE,
)
_ERROR_LINE = re.compile(r"^[>\s]*[A-Za-z_][\w.\\]*(?:Error|Exception|Warning)\b")
_ERROR = re.compile(r"(?<![\w.])[A-Za-z_][\w.]{0,80}(?:Error|Exception|Warning)\b")
_PATH = re.compile(r"(?<![\w./-])[~\w./-]{0,300}/[\w.-]{1,100}\.\w{1,8}\b")
_INSTALLED = re.compile(r".*/(?:site-packages|dist-packages|node_modules|vendor)/")


def condensed(lines: Sequence[str]) -> list[str] | None:
    """What a block of code says where it is a long log; None where it is something else."""
    if len(lines) <= LONGEST or not _is_log(lines):
        return None
    rest = [line[:500] for line in lines[HEAD:]]
    text = "\n".join(rest)
    paths = (_INSTALLED.sub("", path) for path in _PATH.findall(text))
    facts = [
        *list(dict.fromkeys(line.lstrip("> \t") for line in rest if _ERROR_LINE.match(line)))[
            :MAX_ERRORS
        ],
        " ".join(list(dict.fromkeys(_ERROR.findall(text)))[:MAX_NAMES]),
        " ".join(list(dict.fromkeys(paths))[:MAX_PATHS]),
    ]
    return [*lines[:HEAD], *filter(None, facts)]


def _is_log(lines: Sequence[str]) -> bool:
    return sum(bool(_LOG_LINE.match(line)) for line in lines) >= LOG_SHARE * len(lines)
