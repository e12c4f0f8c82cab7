"""Advice in words: as Markdown in the bot's comments, and on a terminal. Pure.

In a comment other issues are links that leave no trace there; of their text nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.markdown import code_span, issue_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.advising.advice import Advice


MISSING = {
    "description": "there is no description",
    "form": "every answer of the form is empty",
    "version": "the version is not named",
    "steps": "the steps to reproduce it are not named",
}


def public_lines(advice: Advice, page: str, *, mention: bool = False) -> Iterator[str]:
    """List items for a comment that everybody can read: nothing of a vulnerability.

    :param page: the address of some issue of the repository.
    :param mention: owners are mentioned, which notifies them; else their names are code.
    """
    if duplicate := advice.duplicate:
        yield (
            f"- Possibly a duplicate of {issue_link(page, duplicate.number)} "
            f"(similarity {duplicate.similarity:.2f})"
        )
    for each in advice.owners:
        # what the file says of owners has no markup in it; see `bot.configuration.values.Owner`
        names = ", ".join(name if mention else code_span(name) for name in each.owners)
        yield f"- {code_span(each.label)} is for {names}"
    for path in advice.path_owners:
        names = ", ".join(name if mention else code_span(name) for name in path.owners)
        yield f"- {code_span(path.pattern)} (CODEOWNERS) is for {names}"
    if advice.missing:
        yield f"- Left out: {missing_in_words(advice)}"


def missing_in_words(advice: Advice) -> str:
    """What the issue leaves out; "" where nothing."""
    return ", ".join(MISSING[each] for each in advice.missing if each in MISSING)


def plain_lines(advice: Advice) -> Iterator[str]:
    """One line for each thing that is said, for maintainers on a terminal."""
    if duplicate := advice.duplicate:
        yield (
            f"possibly a duplicate of #{duplicate.number} (similarity {duplicate.similarity:.2f})"
        )
    for each in advice.owners:
        yield f"{each.label} is for {', '.join(each.owners)}"
    for path in advice.path_owners:
        yield f"{path.pattern} (CODEOWNERS) is for {', '.join(path.owners)}"
    if advice.assignee:
        yield f"the one to assign may be @{advice.assignee}"
    if advice.missing:
        yield f"left out: {missing_in_words(advice)}"
    if advice.security:
        yield f"may describe a vulnerability in public ({', '.join(advice.security)})"
