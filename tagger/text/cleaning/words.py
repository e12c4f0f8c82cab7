"""The words of an issue that say something: what is left when nobody's name and no address counts.

A text without any gives no strategy a reason, whatever the strategies make of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tagger.text.stop_words import stop_words

if TYPE_CHECKING:
    from collections.abc import Collection

_EMPTY_WORDS = """
    aaa abc anyone asdf bar baz blah bug bump closed deleted dummy example feature first fix foo
    guys hallo hello help hey hola ignore info ipsum issue issues lorem moin new none nothing
    okay ping placeholder please problem problems question qwerty report request sample second
    sir solved sorry template test tested testing tests thank thanks thx title todo untitled
    update updates welcome whatever world yes
    """
EMPTY_WORDS = frozenset(_EMPTY_WORDS.split())
"""Words that fill a text and are no report by themselves: greetings, placeholders, and the kinds of
issue that a form writes into every title. Beside any other word they change nothing."""

SHORTEST = 3
"""Letters that a Latin word has at least."""

_PREFIX = re.compile(r"\A\s*(?:\[[^\]\n]{1,40}\]\s*:?|:\w{1,40}:)")
_NO_WORDS = re.compile(
    r"""
    !\[[^\]\n]{0,200}\]\([^)\n]{0,500}\)    # a picture
    | (?:https?://|www\.)\S{1,500}
    | (?<![\w/])@[\w-]{1,40}(?:/[\w-]{1,40})?   # a mention
    | (?<!\w):[a-z0-9_+-]{1,40}:(?!\w)      # an emoji's name
    | </?[A-Za-z][^<>\n]{0,300}>
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_][\w'-]*")


def telling_words(title: str, body: str, boilerplate: Collection[str] = ()) -> list[str]:
    """Words in their order, folded.

    Left out are what a form puts before every title, pictures, addresses, mentions, stop words and
    `EMPTY_WORDS`. A Chinese or Japanese character is a word, for no space stands between theirs.

    :param boilerplate: lines of a body that are not read.
    """
    lines = (line for line in body.split("\n") if line.strip() not in boilerplate)
    text = _NO_WORDS.sub(" ", f"{_PREFIX.sub(' ', title)}\n" + "\n".join(lines))
    return [word for word in _WORD.findall(text.casefold()) if _tells(word)]


def _tells(word: str) -> bool:
    if word in stop_words() or word in EMPTY_WORDS:
        return False
    return len(word) >= SHORTEST or not word.isascii()
