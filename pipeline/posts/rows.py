"""Parse rows of text into posts: numbers, ratings, URLs and tags in one spelling.

A post needs an id and the URL of its picture. What else cannot be read is unknown, and costs the
post only where a rule of the filter needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from pipeline.posts.clean_text import clean_lines
from pipeline.posts.fields import floors, ratings, sizes, tags, times, unescape, whole_numbers
from pipeline.posts.kaggle_csv import COLUMNS, MAX_ROW, Block, CsvLayout, split_lines

POSTS: dict[str, type[pl.DataType]] = {
    "id": pl.Int64,
    "created_at": pl.Int64,  # seconds since 1970, null if unknown
    "rating": pl.String,  # s, q or e, null if unknown
    "score": pl.Int32,  # null if unknown
    "url": pl.String,  # absolute, http or https
    "width": pl.Int32,  # pixels, of the picture at `url`, null if unknown
    "height": pl.Int32,
    "tags": pl.String,  # one space between two of them
    "line": pl.Int64,  # of the post in its source; a header is line 1
}
"""Columns of a table of posts."""


@dataclass(frozen=True)
class Rejected:
    """A line that is not a post.

    Attributes:
        line: its number in the file; the header is line 1.
        reason: stable snake_case code.
        text: the line as it is in the file, without its end.
    """

    line: int
    reason: str
    text: bytes


def read_block(block: Block, layout: CsvLayout) -> tuple[pl.DataFrame, list[Rejected]]:
    """Read the posts of a block, which does not hold the header.

    Args:
        block: of a CSV.
        layout: of the CSV.

    Returns:
        The posts, in the order of the file, with the columns of `POSTS`; and the other lines.
    """
    content = clean_lines(block.content, keep="\t" if layout.separator == "\t" else "")
    rows = pl.concat(split_lines(content, layout)).with_row_index("line", block.line)
    if block.cut:
        is_cut = pl.col("line").is_in(sorted(block.cut))
        rows = rows.with_columns(
            reason=pl.when(is_cut).then(pl.lit("too_long")).otherwise("reason")
        )
    posts, reasons = _check_rows(rows)
    rejected = rows.select("line", reasons).drop_nulls()
    lines = block.content.split(b"\n") if rejected.height else []
    return posts, [
        Rejected(number, reason, lines[number - block.line].removesuffix(b"\r"))
        for number, reason in rejected.iter_rows()
    ]


def read_rows(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Rejected]]:
    """Read the posts of rows from elsewhere than a CSV, with the same checks.

    Args:
        rows: a column line (a number) and the columns `kaggle_csv.COLUMNS` (strings, none
            of them null).

    Returns:
        The posts, in the order of the rows, with the columns of `POSTS`; and the other rows.
    """
    plain = rows.with_columns(
        pl.col(COLUMNS).str.replace_all(r"[\x00-\x1f]", " "), reason=pl.lit(None, pl.String)
    )
    posts, reasons = _check_rows(plain)
    return posts, reject_rows(rows.with_columns(reasons).filter(reasons.is_not_null()))


def reject_rows(rows: pl.DataFrame) -> list[Rejected]:
    """Return rows as rejected lines, as if they were lines of a CSV.

    Args:
        rows: as for `read_rows`, and a column reason.
    """
    return [
        Rejected(line, reason, to_csv_line(fields))
        for line, reason, *fields in rows.select("line", "reason", *COLUMNS).iter_rows()
    ]


def to_csv_line(fields: Iterable[str]) -> bytes:
    """Return fields as a line of CSV without its end, in UTF-8; a lone surrogate is escaped."""
    return ",".join(map(_quote, fields)).encode(errors="backslashreplace")


def _quote(field: str) -> str:
    """Return a field, quoted if it must be; the writer of `csv` takes no NUL on Python 3.10."""
    if not any(character in field for character in ',"\r\n'):
        return field
    doubled = field.replace('"', '""')
    return f'"{doubled}"'


def _check_rows(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return the posts among some rows; and for each row its defect, null if there is none."""
    url = unescape(rows["sample_url"]).str.strip_chars()
    table = pl.DataFrame(
        {
            "id": whole_numbers(rows["id"]),
            "created_at": times(rows["created_at"]),
            "rating": ratings(rows["rating"]),
            "score": floors(rows["score"]),
            "url": url,
            "width": sizes(rows["sample_width"]),
            "height": sizes(rows["sample_height"]),
            "tags": tags(rows["tags"]),
            "line": rows["line"],
            "reason": rows["reason"],
        }
    )
    absolute = pl.when(pl.col("url").str.starts_with("//")).then("https:" + pl.col("url"))
    table = table.with_columns(_defect(), absolute.otherwise("url").alias("url"))
    reasons = table["reason"]
    if reasons.null_count() < len(reasons):
        table = table.filter(pl.col("reason").is_null())
    return table.select(pl.col(name).cast(dtype) for name, dtype in POSTS.items()), reasons


def _defect() -> pl.Expr:
    """Return the first defect of a row, as a column `reason`; null if there is none."""
    good_url = pl.col("url").str.contains(
        r'^(?i:https?:)?//[^\x00-\x20"/?#\x{fffd}]+/[^\x00-\x20"\x{fffd}]+$'
    )
    return (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(pl.col("url").str.len_bytes() + pl.col("tags").str.len_bytes() > MAX_ROW)
        .then(pl.lit("too_long"))
        .when(~(pl.col("id") > 0).fill_null(False))
        .then(pl.lit("bad_id"))
        .when(~good_url)
        .then(pl.lit("bad_url"))
        .alias("reason")
    )
