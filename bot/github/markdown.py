"""Text of people in the bot's own Markdown: shown as it is, and never as markup or a mention."""

from __future__ import annotations

import re


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
