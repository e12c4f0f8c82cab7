"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import JSON, BigInteger, DateTime, Integer, Text
from sqlalchemy.types import TypeDecorator

from store.engine.text import storable

if TYPE_CHECKING:
    from sqlalchemy import Dialect

BigId = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both; SQLite numbers rows by itself only where the type is called INTEGER."""

Json = JSON(none_as_null=True)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes, kept and handed back in UTC; SQLite itself knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"got {value!r} without a time zone; the store takes aware datetimes")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class StorableText(TypeDecorator[str]):
    """Text of any length; what no database takes is replaced first (`store.engine.text`)."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> str | None:
        return None if value is None else storable(value)
