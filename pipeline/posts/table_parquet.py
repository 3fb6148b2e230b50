"""Read a Parquet file of any columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from pipeline.posts.parquet import cut_parts, with_long
from pipeline.posts.parquet_pages import PageError, read_batches
from pipeline.posts.raw_rows import Part, RawRows
from pipeline.posts.rows import Rejects
from sketch_models.errors import SengaError

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

_BATCH = 100_000  # rows
_BATCH_BYTES = 32 << 20  # of the pages of a batch
_MAX_BATCH_BYTES = 256 << 20  # if there are few rows to a page
_FIRST_LINE = 2  # as in a CSV, whose header is line 1
_REMEDY = "Write it again"


class ParquetReader:
    """A Parquet file; numbers, text, times, lists and objects can be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
            self._schema = dict(self._scan.collect_schema())
            if not self._scan.select(pl.len()).collect().item():
                raise SengaError(f"{path} holds no posts. {_REMEDY}.")
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise self._damage(error) from error
        self.names = list(self._schema)

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Read some columns; see `TableReader`."""
        there = [name for name in columns if self._root(name) in self._schema]
        texts = [self._text(name).alias(str(columns.index(name))) for name in there]
        roots = {self._root(name) for name in there}
        scan = self._scan.select(texts)
        try:
            for batch in read_batches(
                self._path, roots, rows=_BATCH, size=_BATCH_BYTES, max_size=_MAX_BATCH_BYTES
            ):
                rows = scan.slice(batch.start, len(batch)).collect()
                rows = rows.with_row_index("line", batch.start + _FIRST_LINE).select(
                    pl.col("line").cast(pl.Int64),
                    *(
                        pl.col(str(place)) if name in there else pl.lit("").alias(str(place))
                        for place, name in enumerate(columns)
                    ),
                )
                for some in cut_parts(rows, [str(place) for place in range(len(columns))]):
                    yield partial(_without_long, some)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, PageError) as error:
            raise self._damage(error) from error

    def _root(self, name: str) -> str:
        return name if name in self._schema else name.partition(".")[0]

    def _text(self, name: str) -> pl.Expr:
        """Return a column as text, empty where it has no value or one of another type."""
        column = pl.col(self._root(name))
        dtype: PolarsDataType = self._schema[self._root(name)]
        keys = [] if name in self._schema else name.split(".")[1:]
        for key in keys:
            if not isinstance(dtype, pl.Struct) or key not in dict(dtype):
                return pl.lit("")
            column, dtype = column.struct.field(key), dict(dtype)[key]
        return text_of(column, dtype).fill_null("")

    def _damage(self, error: BaseException) -> SengaError:
        cause = str(error).partition("\n")[0]
        return SengaError(
            f"{self._path} begins like Parquet but cannot be read ({cause}). {_REMEDY}."
        )


def text_of(column: pl.Expr, dtype: PolarsDataType) -> pl.Expr:
    """Return a column as text, null where it has no value."""
    base = dtype.base_type()
    if dtype.is_float():
        integer = column.cast(pl.Int64, strict=False)
        whole = pl.when(column == integer).then(integer.cast(pl.String))
        return whole.otherwise(column.fill_nan(None).cast(pl.String))
    if base == pl.Datetime or base == pl.Date:
        return column.dt.epoch("s").cast(pl.String)
    if base == pl.List or base == pl.Array:
        one_object = pl.struct(column.alias("list")).struct.json_encode()
        as_json = one_object.str.strip_prefix('{"list":').str.strip_suffix("}")
        return pl.when(column.is_not_null()).then(as_json)
    if base == pl.Struct:
        return pl.when(column.is_not_null()).then(column.struct.json_encode())
    if base == pl.Binary:
        return column.cast(pl.String, strict=False)
    if dtype.is_numeric() or base in _TEXT_TYPES:
        return column.cast(pl.String)
    return pl.lit(None, pl.String)


_TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum, pl.Null, pl.Boolean)


def _without_long(rows: pl.DataFrame) -> RawRows:
    is_long = rows["long"]
    rows = rows.drop("long")
    if not is_long.any():
        return RawRows(rows, Rejects.of([]))
    return RawRows(rows.filter(~is_long), with_long(Rejects.of([]), rows.filter(is_long)))
