"""Several states of one issue, as exports and events bring them: which one is to be stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from store.records import IssueRecord


def newest_states(records: Iterable[IssueRecord]) -> dict[int, IssueRecord]:
    """By number the newest record, which keeps what the oldest says of the words as filed."""
    states: dict[int, list[IssueRecord]] = {}
    for record in records:
        states.setdefault(record.number, []).append(record)
    return {number: _merged(several) for number, several in states.items()}


def _merged(states: list[IssueRecord]) -> IssueRecord:
    """Of one issue's states; where not all of them say when, the order in which they came."""
    if len(states) == 1:
        return states[0]
    if all(state.updated_at for state in states):
        states = sorted(states, key=lambda state: state.updated_at or state.created_at)
    oldest, newest = states[0], states[-1]
    return replace(
        newest,
        filed_title=oldest.title if oldest.filed_title is None else oldest.filed_title,
        filed_body=oldest.body if oldest.filed_body is None else oldest.filed_body,
    )
