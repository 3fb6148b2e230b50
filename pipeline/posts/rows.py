"""Parse rows of text into posts: numbers, ratings, URLs and tags in one spelling.

A post needs an id and the URL of its picture. What else cannot be read is unknown, and costs the
post only where a rule of the filter needs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.posts.clean_text import clean_lines
from pipeline.posts.fields import (
    INT32,
    MAX_SECONDS,
    RATINGS,
    floors,
    is_untidy,
    ratings,
    sizes,
    tags,
    times,
    unescape,
    whole_numbers,
    without_controls,
)
from pipeline.posts.kaggle_csv import (
    COLUMNS,
    FAULTS,
    MAX_ROW,
    Block,
    CsvLayout,
    split_lines,
)

POSTS: dict[str, type[pl.DataType]] = {
    "id": pl.Int64,
    "created_at": pl.Int64,  # seconds since 1970, null if unknown
    "rating": pl.String,  # s, q or e, null if unknown
    "score": pl.Int32,  # null if unknown
    "url": pl.String,  # absolute, http or https
    "width": pl.Int32,  # pixels, of the picture at `url`, null if unknown
    "height": pl.Int32,
    "tags": pl.String,  # one space between two of them
    "artist": pl.String,  # those of the tags that name artists; null if unknown, as the next three
    "character": pl.String,
    "copyright": pl.String,
    "meta": pl.String,  # about the file, such as highres
    "source": pl.String,  # where the post has the picture from, null if unknown
    "post_url": pl.String,  # of the page that shows the post, null if unknown
    "line": pl.Int64,  # of the post in its source; a header is line 1
}
"""Columns of a table of posts."""

TAG_KINDS = ("artist", "character", "copyright", "meta")
"""Columns for the tags of a kind; tags of no kind are general ones."""

FIELDS = (*COLUMNS, *TAG_KINDS, "source", "post_url")
"""What a source may know of a post: the columns of Kaggle's CSV, and what other boards tell."""

_MORE = FIELDS[len(COLUMNS) :]
_GOOD_URL = r'^(?i:https?:)?//[^\x00-\x20"/?#\x{fffd}]+/[^\x00-\x20"\x{fffd}]+$'
_NUMBERS = ("id", "created_at", "rating", "score", "width", "height")
_SOURCES = {"url": "sample_url", "width": "sample_width", "height": "sample_height"}
_READ: dict[str, Callable[[pl.Series], pl.Series]] = {
    "id": whole_numbers,
    "created_at": times,
    "rating": ratings,
    "score": floors,
    "url": lambda texts: unescape(texts).str.strip_chars(),
    "width": sizes,
    "height": sizes,
    "tags": tags,
    **dict.fromkeys(_MORE, lambda texts: _tidied(texts)),
}
"""How each column of posts is read where a plain cast is not enough."""

_CODES = (*FAULTS, "too_long", "bad_id", "bad_url")


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


class Rejects:
    """Lines that are not posts: counted at once, and made one by one if somebody lists them.

    Args:
        counts: number of lines by reason.
        rows: called for the lines, in ascending order.

    Attributes:
        counts: as above.
    """

    def __init__(self, counts: Mapping[str, int], rows: Callable[[], Iterable[Rejected]]) -> None:
        self.counts = counts
        self._rows = rows

    @classmethod
    def of(cls, rows: Sequence[Rejected]) -> Rejects:
        """Return lines that are made already."""
        return cls(Counter(row.reason for row in rows), lambda: rows)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[Rejected]:
        return iter(self._rows())


def read_block(block: Block, layout: CsvLayout) -> tuple[pl.DataFrame, Rejects]:
    """Read the posts of a block, which does not hold the header.

    Args:
        block: of a CSV.
        layout: of the CSV.

    Returns:
        The posts, in the order of the file, with the columns of `POSTS`; and the other lines.
    """
    lines = clean_lines(block.marks, keep="\t" if layout.separator == "\t" else "")
    split = split_lines(lines, layout)
    faults = split.faults
    if block.cut:
        faults[np.array(sorted(block.cut)) - block.line] = _CODES.index("too_long")
    is_row = faults[split.places] == 0
    places = split.places[is_row]
    posts = pl.DataFrame(schema=POSTS)
    if len(places):
        rows = split.rows.filter(is_row).with_columns(
            pl.Series("line", places + block.line, pl.Int64), reason=pl.lit(None, pl.String)
        )
        posts, reasons = check_rows(rows)
        codes = reasons.replace_strict(_CODES, range(len(_CODES)), default=0)
        faults[places] = codes.to_numpy()
    counts = zip(_CODES, np.bincount(faults, minlength=len(_CODES)).tolist(), strict=True)
    return posts, Rejects(
        {code: count for code, count in counts if code and count},
        partial(_list_lines, block, faults),
    )


def _list_lines(block: Block, faults: NDArray[np.uint8]) -> Iterator[Rejected]:
    lines = block.content.split(b"\n")
    for place in np.flatnonzero(faults).tolist():
        code = _CODES[faults[place]]
        yield Rejected(block.line + place, code, lines[place].removesuffix(b"\r"))


def read_rows(rows: pl.DataFrame, *, local: bool = False) -> tuple[pl.DataFrame, Rejects]:
    """Read the posts of rows from elsewhere than a CSV, with the same checks.

    Args:
        rows: a column line (a number), the columns `kaggle_csv.COLUMNS`, and any others of
            `FIELDS` (strings, none of them null; empty if unknown).
        local: whether their URLs may be addresses of local files, which Senga has made: see
            `local_file`. Nobody else may name a file of this machine.

    Returns:
        The posts, in the order of the rows, with the columns of `POSTS`; and the other rows.
    """
    plain = rows.with_columns(
        *(without_controls(rows[name]) for name in FIELDS if name in rows.columns),
        reason=pl.lit(None, pl.String),
    )
    posts, reasons = check_rows(plain, local=local)
    bad = rows.with_columns(reasons).filter(reasons.is_not_null())
    counts = dict(bad["reason"].value_counts().iter_rows())
    return posts, Rejects(counts, partial(reject_rows, bad))


def read_local_rows(
    rows: Sequence[Mapping[str, object]], rejected: Sequence[Rejected]
) -> tuple[pl.DataFrame, Rejects]:
    """Read the posts of rows whose pictures are on this machine.

    Args:
        rows: with the keys `line` and `FIELDS`, as for `read_rows`.
        rejected: what else was found, and is no post.

    Returns:
        The posts, in the order of the rows; and what is none, ascending by line.
    """
    schema = {"line": pl.Int64, **dict.fromkeys(FIELDS, pl.String)}
    posts, odd = read_rows(pl.DataFrame(rows, schema), local=True)
    return posts, Rejects.of(sorted([*rejected, *odd], key=lambda row: row.line))


def reject_rows(rows: pl.DataFrame) -> Iterator[Rejected]:
    """Return rows as rejected lines, as if they were lines of a CSV.

    Args:
        rows: as for `read_rows`, and a column reason.
    """
    for line, reason, *fields in rows.select("line", "reason", *COLUMNS).iter_rows():
        yield Rejected(line, reason, to_csv_line(fields))


def to_csv_line(fields: Iterable[str]) -> bytes:
    """Return fields as a line of CSV without its end, in UTF-8; a lone surrogate is escaped."""
    return ",".join(map(_quote, fields)).encode(errors="backslashreplace")


def _quote(field: str) -> str:
    """Return a field, quoted if it must be; the writer of `csv` takes no NUL on Python 3.10."""
    if not any(character in field for character in ',"\r\n'):
        return field
    doubled = field.replace('"', '""')
    return f'"{doubled}"'


def check_rows(rows: pl.DataFrame, *, local: bool = False) -> tuple[pl.DataFrame, pl.Series]:
    """Return the posts among some rows; and for each row its defect, null if there is none.

    Args:
        rows: as for `read_rows`, without control characters, and a column reason: a defect that is
            known already, or null.
        local: as for `read_rows`.
    """
    quick = rows.select(
        pl.col("id").cast(pl.Int64, strict=False),
        pl.col("created_at").cast(pl.Int64, strict=False),
        pl.col("rating").replace_strict(RATINGS, default=None, return_dtype=pl.String),
        pl.col("score").cast(pl.Int64, strict=False),
        pl.col("sample_url").alias("url"),
        pl.col("sample_width").cast(pl.Int64, strict=False).alias("width"),
        pl.col("sample_height").cast(pl.Int64, strict=False).alias("height"),
        "tags",
        *(_known(name) if name in rows.columns else _unknown(name) for name in _MORE),
        "line",
        "reason",
        good_url=pl.col("sample_url").str.contains(_GOOD_URL),
    )
    odd = _odd_columns(rows, quick, local=local)
    table = quick.with_columns(
        read(rows[_SOURCES.get(name, name)]).alias(name)
        for name, read in _READ.items()
        if name in odd
    )
    if local:
        is_file = pl.col("url").str.starts_with("file:")
        table = table.with_columns(good_url=is_file | pl.col("good_url"))
    elif "url" in odd:
        table = table.with_columns(good_url=pl.col("url").str.contains(_GOOD_URL))
    absolute = pl.when(pl.col("url").str.starts_with("//")).then("https:" + pl.col("url"))
    table = table.with_columns(_defect(), absolute.otherwise("url").alias("url"))
    reasons = table["reason"]
    if reasons.null_count() < len(reasons):
        table = table.filter(pl.col("reason").is_null())
    return table.select(pl.col(name).cast(dtype) for name, dtype in POSTS.items()), reasons


def _odd_columns(rows: pl.DataFrame, quick: pl.DataFrame, *, local: bool) -> set[str]:
    """Return the columns with a value that is spelled in another way than nearly all are.

    They are looked for all at once, since each search that is on its own takes a millisecond.
    """
    odd = {
        name: (pl.col(name).is_null() & (pl.col(f"text {name}") != "")).any() for name in _NUMBERS
    }
    odd["created_at"] |= ~pl.col("created_at").is_between(-MAX_SECONDS, MAX_SECONDS).all()
    odd["score"] |= ~pl.col("score").is_between(-INT32, INT32).all()
    for name in ("width", "height"):
        odd[name] |= ~pl.col(name).is_between(1, INT32).all()
    for name in ("tags", *(name for name in _MORE if name in rows.columns)):
        odd[name] = is_untidy(pl.col(name)).any()
    if not local:
        has_entity = pl.col("url").str.contains("&", literal=True)
        odd["url"] = (has_entity | ~pl.col("good_url")).any()
    texts = rows.select(pl.col(_SOURCES.get(name, name)).alias(f"text {name}") for name in _NUMBERS)
    found = pl.concat([quick, texts], how="horizontal").select(**odd).row(0, named=True)
    return {name for name, is_odd in found.items() if is_odd}


def text_bytes() -> pl.Expr:
    """Return the bytes of the texts of posts."""
    columns = ("url", "tags", *_MORE)
    return pl.sum_horizontal(pl.col(name).str.len_bytes().cast(pl.Int64) for name in columns)


def _known(name: str) -> pl.Expr:
    """Return a column that a source has; null where it is empty."""
    return pl.when(pl.col(name) != "").then(name)


def _unknown(name: str) -> pl.Expr:
    return pl.lit(None, pl.String).alias(name)


def _tidied(texts: pl.Series) -> pl.Series:
    tidied = tags(texts)
    return tidied.set(tidied == "", None)


def _defect() -> pl.Expr:
    """Return the first defect of a row, as a column `reason`; null if there is none."""
    return (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(text_bytes() > MAX_ROW)
        .then(pl.lit("too_long"))
        .when(~(pl.col("id") > 0).fill_null(False))
        .then(pl.lit("bad_id"))
        .when(~pl.col("good_url"))
        .then(pl.lit("bad_url"))
        .alias("reason")
    )
