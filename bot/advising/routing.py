"""Whom an issue may be for: by the labels that it carries, or may get, and the file's `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.advising.advice import LabelOwners

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.advising.advice import PathOwners
    from bot.configuration import RepositoryConfiguration

MOST = 3
"""Labels that speak for owners; who is named on every issue is soon deaf to it."""


def owners_by_label(
    configuration: RepositoryConfiguration, on_issue: Iterable[str], likely: Iterable[str]
) -> tuple[LabelOwners, ...]:
    """Owners of the labels on the issue, then of those that it may get, each label once.

    :param likely: labels that are set or suggested, the likeliest first.
    """
    return all_owners_by_label(configuration, on_issue, likely)[:MOST]


def all_owners_by_label(
    configuration: RepositoryConfiguration, on_issue: Iterable[str], likely: Iterable[str]
) -> tuple[LabelOwners, ...]:
    """The same, of however many labels."""
    labels: dict[str, str] = {}
    for label in (*on_issue, *likely):
        labels.setdefault(label.casefold(), label)
    return tuple(
        LabelOwners(label, owners)
        for label in labels.values()
        if (owners := configuration.owners_of(label))
    )


def one_person(owners: Iterable[LabelOwners | PathOwners], author: str | None) -> str:
    """Login of the only owner, where it is a person; "" for a team, several, or the author."""
    names = {name.casefold(): name for each in owners for name in each.owners}
    if len(names) != 1:
        return ""
    (name,) = names.values()
    login = name.removeprefix("@")
    is_author = author is not None and login.casefold() == author.casefold()
    return "" if "/" in login or is_author else login
