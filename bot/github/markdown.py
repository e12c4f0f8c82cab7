"""Text of people in the bot's own Markdown: shown as it is, and never as markup or a mention."""

from __future__ import annotations

import re

_PAGE = re.compile(r"(https?://)([\w.-]+(?::\d+)?)(/[\w.-]+/[\w.-]+/issues/)\d+")


def code_span(text: str, longest: int = 200) -> str:
    """Text as a Markdown code span: no markup in it works, no name in it is notified.

    https://spec.commonmark.org/0.31.2/#code-spans

    :param longest: characters; what is longer ends in "…".
    """
    flat = re.sub(r"\s+", " ", text).strip() or "(empty)"
    flat = flat if len(flat) <= longest else f"{flat[: longest - 1]}…"
    run = max((len(backticks) for backticks in re.findall("`+", flat)), default=0)
    fence = "`" * (run + 1)
    padding = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{padding}{flat}{padding}{fence}"


def issue_link(page: str, number: int) -> str:
    """Another issue's number as a link.

    On github.com it goes by way of redirect.github.com, as other bots' links do: a direct one
    would enter "mentioned this issue" into the other issue's history.

    :param page: the address of some issue of the repository.
    """
    match = _PAGE.fullmatch(page)
    if match is None:
        return code_span(f"#{number}")
    scheme, host, path = match.groups()
    host = "redirect.github.com" if host == "github.com" else host
    return f"[#{number}]({scheme}{host}{path}{number})"
