"""Parse rows of text into posts: numbers, ratings, URLs and tags in one spelling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from pipeline.posts.kaggle_csv import COLUMNS, Block, split_lines

POSTS: dict[str, type[pl.DataType]] = {
    "id": pl.Int64,
    "created_at": pl.Int64,  # seconds since 1970, null if unknown
    "rating": pl.String,  # s, q or e
    "score": pl.Int32,  # null if unknown
    "url": pl.String,  # absolute, http or https
    "width": pl.Int32,  # pixels, of the picture at `url`
    "height": pl.Int32,
    "tags": pl.String,  # one space between two of them
    "line": pl.Int64,  # of the post in its source; a header is line 1
}
"""Columns of a table of posts."""

RATINGS = {
    "s": "s",
    "safe": "s",
    "g": "s",
    "general": "s",
    "sensitive": "s",
    "q": "q",
    "questionable": "q",
    "e": "e",
    "explicit": "e",
}
"""Every spelling of a rating, and its letter.

Boorus with words have split the old `safe` into `general` and `sensitive`, and abbreviate the
latter by `s` again: both are what `s` has always meant.
"""


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


def read_block(block: Block) -> tuple[pl.DataFrame, list[Rejected]]:
    """Read the posts of a block, which does not hold the header.

    Returns:
        The posts, in the order of the file, with the columns of `POSTS`; and the other lines.
    """
    rows = pl.concat(split_lines(block.content)).with_row_index("line", block.line)
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
    control = pl.any_horizontal(pl.col(COLUMNS).str.contains(r"[\x00-\x1f]"))
    reason = pl.when(control).then(pl.lit("control_character"))
    posts, reasons = _check_rows(rows.with_columns(reason.alias("reason")))
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
    checked = rows.with_columns(_defect(), *_parsed_columns(), _normalized_tags(rows))
    reasons = checked["reason"]
    if reasons.null_count() < len(reasons):
        checked = checked.filter(pl.col("reason").is_null())
    return checked.select(pl.col(name).cast(dtype) for name, dtype in POSTS.items()), reasons


def _defect() -> pl.Expr:
    """Return the first defect of a row, as a column `reason`; null if there is none."""
    good_id = _is_integer("id", pl.Int64) & (_integer("id", pl.Int64) > 0)
    good_url = pl.col("sample_url").str.contains(
        r'^(?:https?:)?//[^\x00-\x20"/?#]+/[^\x00-\x20"]+$'
    )
    good_size = pl.all_horizontal(
        _is_integer(name, pl.Int32) & (_integer(name, pl.Int32) > 0)
        for name in ("sample_width", "sample_height")
    )
    return (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(~good_id)
        .then(pl.lit("bad_id"))
        .when(~(_is_integer("created_at", pl.Int64) | _is_missing("created_at")))
        .then(pl.lit("bad_created_at"))
        .when(~pl.col("rating").is_in(list(RATINGS)))
        .then(pl.lit("bad_rating"))
        .when(~(_is_integer("score", pl.Int32) | _is_missing("score")))
        .then(pl.lit("bad_score"))
        .when(~good_url)
        .then(pl.lit("bad_url"))
        .when(~good_size)
        .then(pl.lit("bad_size"))
        .alias("reason")
    )


def _parsed_columns() -> list[pl.Expr]:
    """Return the columns of `POSTS` that differ from the CSV's; null if a field is invalid."""
    url = pl.col("sample_url")
    return [
        _integer("id", pl.Int64),
        _integer("created_at", pl.Int64),
        _integer("score", pl.Int32),
        pl.col("rating").replace_strict(RATINGS, default=None, return_dtype=pl.String),
        pl.when(url.str.starts_with("//")).then("https:" + url).otherwise(url).alias("url"),
        _integer("sample_width", pl.Int32).alias("width"),
        _integer("sample_height", pl.Int32).alias("height"),
    ]


def _integer(name: str, dtype: type[pl.DataType]) -> pl.Expr:
    return pl.col(name).cast(dtype, strict=False)


def _is_integer(name: str, dtype: type[pl.DataType]) -> pl.Expr:
    """Return whether a field is a plain integer: no plus, space, exponent or leading 0."""
    return (_integer(name, dtype).cast(pl.String) == pl.col(name)).fill_null(False)


def _is_missing(name: str) -> pl.Expr:
    return pl.col(name).is_in(["", "null"])


def _normalized_tags(rows: pl.DataFrame) -> pl.Series:
    """Return the tags, with one space between two of them and none around."""
    tags = pl.col("tags")
    needs_change = (
        tags.str.contains("  ", literal=True) | tags.str.starts_with(" ") | tags.str.ends_with(" ")
    )
    changed = rows.select(needs_change.fill_null(False).arg_true()).to_series()  # row numbers
    if changed.is_empty():
        return rows["tags"]
    one_space = rows["tags"].gather(changed).str.replace_all(" +", " ").str.strip_chars(" ")
    return rows["tags"].scatter(changed, one_space)
