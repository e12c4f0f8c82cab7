"""Alembic revisions of `store.tables`; `Store.migrate()` runs them, `alembic` is for developers."""
