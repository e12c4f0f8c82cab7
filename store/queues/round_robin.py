"""Whose turn it is: repositories with something due take turns, and so do the accounts they are in.

By age alone whoever has thousands of deliveries waiting would be served before all others.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import aliased

from store.queues.pauses import holding
from store.tables import DeliveryRow, PauseRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import BindParameter, Select

REMEMBERED = 10_000
"""Who was served longer ago counts as never served, and so comes first."""


class RoundRobin:
    """Remembers who was served when. Repositories go by their folded name, "" for none."""

    def __init__(self) -> None:
        self._served: OrderedDict[str, int] = OrderedDict()
        self._count = 0

    def order(self, repositories: Iterable[str]) -> Iterator[str]:
        """First one repository of each account, then a second of each, and so on.

        Of those that were not served yet, in the order given.
        """
        by_account: dict[str, list[str]] = defaultdict(list)
        for repository in sorted(repositories, key=self._when):
            by_account[account_of(repository)].append(repository)
        accounts = sorted(by_account, key=self._when)
        for some in zip_longest(*(by_account[account] for account in accounts)):
            yield from (repository for repository in some if repository is not None)

    def served(self, repository: str) -> None:
        """It had its turn, and its account with it."""
        self._count += 1
        for name in (repository, account_of(repository)):
            self._served[name] = self._count
            self._served.move_to_end(name)
        while len(self._served) > REMEMBERED:
            self._served.popitem(last=False)

    def _when(self, name: str) -> int:
        return self._served.get(name, 0)


def account_of(repository: str) -> str:
    """The account that a repository is in; "" for none. An App is installed once in each."""
    return repository.partition("/")[0]


@cache
def with_something_due() -> Select[str]:
    """Repositories that have a delivery due and are not held back, who waits longest first.

    Goes from one repository to the next in the index: how many deliveries wait does not matter.
    Made once, for making it takes longer than running it. Its parameters are `now` and `far`: what
    is due later than that was put off by a clock that was wrong.
    """
    now: BindParameter[datetime] = bindparam("now")
    far: BindParameter[datetime] = bindparam("far")
    start = select(DeliveryRow.repository_key.label("key")).where(DeliveryRow.state == "pending")
    keys = (
        select(start.order_by(DeliveryRow.repository_key).limit(1).scalar_subquery().label("key"))
    ).cte("keys", recursive=True)
    later = aliased(DeliveryRow)
    following = (
        select(later.repository_key)
        .where(later.state == "pending", later.repository_key > keys.c.key)
        .order_by(later.repository_key)
        .limit(1)
        .scalar_subquery()
    )
    keys = keys.union_all(select(following).where(keys.c.key.is_not(None)))
    row = aliased(DeliveryRow)
    waits = exists().where(row.state == "pending", row.repository_key == keys.c.key)
    held = exists().where(PauseRow.repository_key == keys.c.key, holding(now, far))
    is_due = waits.where(row.due_at <= now) | waits.where(row.due_at > far)
    first = aliased(DeliveryRow)
    oldest = (
        select(first.id)
        .where(first.state == "pending", first.repository_key == keys.c.key)
        .order_by(first.due_at, first.id)
        .limit(1)
        .scalar_subquery()
    )
    due = select(keys.c.key).where(keys.c.key.is_not(None), is_due, ~held)
    return due.join(DeliveryRow, DeliveryRow.id == oldest).order_by(
        DeliveryRow.due_at, DeliveryRow.id
    )
