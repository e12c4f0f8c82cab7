"""Issues in a Parquet file, where pyarrow is installed: rows as cells, a batch at a time."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.exports.refusals import ExportSource

MAGIC = b"PAR1"
_ROWS_AT_ONCE = 500


def parquet_rows(source: ExportSource, chunks: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
    """The names of the columns, then each row's cells.

    :param chunks: the file's content; copied where the file itself cannot be read at any place.
    :raises ExportRefused: pyarrow is not installed; or the file is damaged.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        what = "a Parquet file, and pyarrow is not installed"
        command = f"python3 -m pip install pyarrow && {source.imported()}"
        raise source.refuse(what, command) from None
    try:
        with _at_any_place(source, chunks) as name, pyarrow.parquet.ParquetFile(name) as file:
            yield tuple(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except pyarrow.ArrowException as error:
        what = f"a damaged Parquet file ({type(error).__name__})"
        raise source.refuse(what, source.fetched_anew()) from None


@contextmanager
def _at_any_place(source: ExportSource, chunks: Iterable[bytes]) -> Iterator[str]:
    """A file whose end can be read first, which is where Parquet says what it holds."""
    if not source.packing and source.path.is_file():
        yield str(source.path)
        return
    with NamedTemporaryFile(prefix="issue-tagger-") as copy:
        for chunk in chunks:
            copy.write(chunk)
        copy.flush()
        yield copy.name
