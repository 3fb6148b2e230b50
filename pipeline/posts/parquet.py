"""Read posts from a Parquet file with the columns of the Kaggle CSV."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from heapq import merge
from itertools import chain
from pathlib import Path

import polars as pl

from pipeline.posts.csv_source import danbooru_remedy
from pipeline.posts.kaggle_csv import COLUMNS, MAX_ROW, NEEDED
from pipeline.posts.parquet_pages import PageError, read_batches
from pipeline.posts.rows import Rejected, Rejects, read_rows, reject_rows, to_csv_line
from pipeline.thread_map import thread_map
from sketch_models.errors import SengaError

_BATCH = 50_000  # rows, about 25 MB; slices are cheap: pages of a row group are skipped unread
_BATCH_BYTES = 32 << 20  # of the pages of a batch
_MAX_BATCH_BYTES = 256 << 20  # if there are few rows to a page
_PART_BYTES = 32 << 20  # of rows whose text is changed at once
_MAX_TEXT = 9 * MAX_ROW  # bytes of all fields of a row; longer rows are not looked at
_FIRST_LINE = 2  # as in a CSV, whose header is line 1
_REMEDY = "Write it again, or use the CSV"


def is_parquet(path: Path) -> bool:
    """Return whether a file begins like Parquet; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


class ParquetSource:
    """A Parquet file with a row for each post.

    Its columns are numbers or text, whatever a converter made of them: an integer column with gaps
    may have become one of floats, with NaN for missing values. Further columns are ignored; of
    the columns that a post does without, missing ones and those of other types are unknown.
    Reading raises a `SengaError` if the file is damaged or has other columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        """Read posts, in the order of the file, with the columns of `POSTS`; and the other rows."""
        try:
            scan = self._scan()
            if not scan.select(pl.len()).collect().item():
                raise SengaError(f"{self._path} holds no posts. {_REMEDY}.")
            batches_of_rows = thread_map(partial(_rows, scan), self._batches())
            parts = chain.from_iterable(cut_parts(rows, COLUMNS) for rows in batches_of_rows)
            yield from thread_map(_read_part, parts)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, PageError) as error:
            raise self._damage_error(error) from error

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        """Read rows again for the quarantine, by their lines in ascending order."""
        scan = self._scan()
        for batch in self._batches():
            first = bisect_left(lines, batch.start + _FIRST_LINE)
            wanted = lines[first : bisect_left(lines, batch.stop + _FIRST_LINE)]
            if wanted:
                rows = _rows(scan, batch).filter(pl.col("line").is_in(wanted))
                yield from reject_rows(rows.with_columns(reason=pl.lit(reason)))

    def _batches(self) -> Iterator[range]:
        return read_batches(
            self._path, COLUMNS, rows=_BATCH, size=_BATCH_BYTES, max_size=_MAX_BATCH_BYTES
        )

    def _scan(self) -> pl.LazyFrame:
        """Scan the columns `COLUMNS` as strings, empty for missing values."""
        scan = pl.scan_parquet(self._path, glob=False, hive_partitioning=False)
        schema = scan.collect_schema()
        missing = [name for name in NEEDED if name not in schema]
        if missing:
            remedy = danbooru_remedy(schema.names()) or _REMEDY
            raise SengaError(
                f"{self._path} lacks the columns {', '.join(missing)}, expected those of the CSV "
                f"({','.join(COLUMNS)}). {remedy}."
            )
        return scan.select(
            self._as_text(name, schema[name]) if name in schema else pl.lit("").alias(name)
            for name in COLUMNS
        )

    def _as_text(self, name: str, dtype: pl.DataType) -> pl.Expr:
        """Return a column as strings; raise SengaError if a post needs it and cannot have it."""
        text = as_text(name, dtype)
        if text is None and name in NEEDED:
            raise SengaError(
                f"Column {name} of {self._path} is of type {dtype}, expected numbers or text. "
                f"{_REMEDY}."
            )
        return pl.lit("").alias(name) if text is None else text

    def _damage_error(self, error: BaseException) -> SengaError:
        cause = str(error).partition("\n")[0]
        return SengaError(
            f"{self._path} begins like Parquet but cannot be read ({cause}). {_REMEDY}."
        )


_TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum, pl.Null)


def as_text(name: str, dtype: pl.DataType) -> pl.Expr | None:
    """Return a column as strings, empty for missing values; None if it is no number or text."""
    column = pl.col(name)
    if dtype.is_float():
        integer = column.cast(pl.Int64, strict=False)
        integers = pl.when(column == integer).then(integer.cast(pl.String))
        return integers.otherwise(column.fill_nan(None).cast(pl.String)).fill_null("").alias(name)
    if name == "created_at" and dtype.base_type() in (pl.Datetime, pl.Date):
        column = column.dt.epoch("s")
    elif not (dtype.is_numeric() or dtype.base_type() in _TEXT_TYPES):
        return None
    return column.cast(pl.String).fill_null("")


def cut_parts(rows: pl.DataFrame, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Cut rows into parts of a bounded number of bytes, with a column `long`.

    In memory, many rows may share one text, but each has its own once they are changed.
    """
    size = pl.sum_horizontal(pl.col(columns).str.len_bytes().cast(pl.Int64))
    part = size.clip(0, _MAX_TEXT).cum_sum() // _PART_BYTES
    rows = rows.with_columns(long=size > _MAX_TEXT, part=part)
    start = 0
    for length in rows["part"].rle().struct.field("len"):
        yield rows.slice(start, length).drop("part")
        start += length


def _read_part(rows: pl.DataFrame) -> tuple[pl.DataFrame, Rejects]:
    is_long = rows["long"]
    rows = rows.drop("long")
    if not is_long.any():
        return read_rows(rows)
    posts, rejected = read_rows(rows.filter(~is_long))
    return posts, with_long(rejected, rows.filter(is_long))


def with_long(rejected: Rejects, long: pl.DataFrame) -> Rejects:
    """Return rejected rows and those that are too long, of which the beginning alone is made."""

    def rows() -> Iterator[Rejected]:
        beginnings = (
            Rejected(line, "too_long", to_csv_line(field[:MAX_ROW] for field in fields)[:MAX_ROW])
            for line, *fields in long.iter_rows(buffer_size=1)
        )
        return merge(rejected, beginnings, key=lambda row: row.line)

    counts = Counter(rejected.counts) + Counter(too_long=long.height)
    return Rejects(counts, rows)


def _rows(scan: pl.LazyFrame, batch: range) -> pl.DataFrame:
    rows = scan.slice(batch.start, len(batch)).collect()
    return rows.with_row_index("line", batch.start + _FIRST_LINE)
