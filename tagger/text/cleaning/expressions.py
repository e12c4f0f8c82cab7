"""Cleaning by expressions: version 1, against which version 2 is measured."""

from __future__ import annotations

import re

MAX_CHARACTERS = 100_000

_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_UNTICKED = re.compile(r"^[^\S\n]*[-*][^\S\n]*\[ \].*$", re.MULTILINE)
_NO_RESPONSE = re.compile(r"^_No response_\s*$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n){2,}")
# No pattern repeats what may match a newline beside a newline: on 100,000 blank lines that takes
# minutes, and anybody may file an issue.


def clean(text: str) -> str:
    """Drop what the template wrote and nobody answered, and bytes no tokenizer or database takes.

    Removed: HTML comments and unticked boxes of issue templates, the `_No response_` that
    GitHub's issue forms write into empty fields, control characters and lone surrogates.
    Headings stay: which form a reporter chose says much about the label.
    """
    text = _CONTROL.sub("", text[:MAX_CHARACTERS].replace("\r\n", "\n"))
    text = _HTML_COMMENT.sub("", text)
    text = _UNTICKED.sub("", text)
    text = _NO_RESPONSE.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip()
