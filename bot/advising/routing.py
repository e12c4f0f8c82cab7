"""Whom an issue may be for: by the labels that it carries, or may get, and the file's `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.advising.advice import LabelOwners

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.configuration import RepositoryConfiguration

MOST = 3
"""Labels that speak for owners; who is named on every issue is soon deaf to it."""


def owners_by_label(
    configuration: RepositoryConfiguration, on_issue: Iterable[str], likely: Iterable[str]
) -> tuple[LabelOwners, ...]:
    """Owners of the labels on the issue, then of those that it may get, each label once.

    :param likely: labels that are set or suggested, the likeliest first.
    """
    labels: dict[str, str] = {}
    for label in (*on_issue, *likely):
        labels.setdefault(label.casefold(), label)
    routed = [
        LabelOwners(label, owners)
        for label in labels.values()
        if (owners := configuration.owners_of(label))
    ]
    return tuple(routed[:MOST])
