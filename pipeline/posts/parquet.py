"""Read posts from a Parquet file with the columns of the Kaggle CSV."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import polars as pl

from pipeline.posts.csv_source import danbooru_remedy
from pipeline.posts.kaggle_csv import COLUMNS, NEEDED
from pipeline.posts.rows import Rejected, Rejects, read_rows, reject_rows
from pipeline.thread_map import thread_map
from sketch_models.errors import SengaError

_BATCH = 50_000  # rows, about 25 MB; slices are cheap: pages of a row group are skipped unread
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
            total = scan.select(pl.len()).collect().item()
            if not total:
                raise SengaError(f"{self._path} holds no posts. {_REMEDY}.")
            starts = range(0, total, _BATCH)
            yield from thread_map(lambda start: read_rows(_rows(scan, start)), starts)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise self._damage_error(error) from error

    def reject(self, lines: list[int], reason: str) -> list[Rejected]:
        """Read rows again for the quarantine, by their lines in ascending order."""
        scan = self._scan()
        rejected: list[Rejected] = []
        for batch, batch_lines in groupby(lines, lambda line: (line - _FIRST_LINE) // _BATCH):
            rows = _rows(scan, batch * _BATCH).filter(pl.col("line").is_in(list(batch_lines)))
            rejected += reject_rows(rows.with_columns(reason=pl.lit(reason)))
        return rejected

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
        column = pl.col(name)
        if dtype.is_float():
            integer = column.cast(pl.Int64, strict=False)
            integers = pl.when(column == integer).then(integer.cast(pl.String))
            return (
                integers.otherwise(column.fill_nan(None).cast(pl.String)).fill_null("").alias(name)
            )
        if name == "created_at" and dtype.base_type() in (pl.Datetime, pl.Date):
            column = column.dt.epoch("s")
        elif not (dtype.is_numeric() or dtype.base_type() in _TEXT_TYPES):
            if name not in NEEDED:
                return pl.lit("").alias(name)
            raise SengaError(
                f"Column {name} of {self._path} is of type {dtype}, expected numbers or text. "
                f"{_REMEDY}."
            )
        return column.cast(pl.String).fill_null("")

    def _damage_error(self, error: BaseException) -> SengaError:
        cause = str(error).partition("\n")[0]
        return SengaError(
            f"{self._path} begins like Parquet but cannot be read ({cause}). {_REMEDY}."
        )


_TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum, pl.Null)


def _rows(scan: pl.LazyFrame, start: int) -> pl.DataFrame:
    return scan.slice(start, _BATCH).collect().with_row_index("line", start + _FIRST_LINE)
