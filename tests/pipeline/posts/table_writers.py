"""Write posts as CSV the way pandas, R, Excel and DuckDB do, with the habits that each of them has.

The rows of a table are dicts by the columns of Kaggle's CSV, in the order in which they are
written. Numbers are ints, None where there is none; times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone

import pandas as pd

Row = Mapping[str, object]

NUMBERS = ("id", "score", "sample_width", "sample_height")
TIME = "created_at"


def write_pandas(
    rows: Sequence[Row], *, index: bool, floats: bool, dates: str, na_rep: str
) -> bytes:
    """Return what `DataFrame.to_csv` writes.

    Args:
        rows: of the table.
        index: whether the index is written, under no name.
        floats: whether all numbers have become floats, as those of a column with gaps do.
        dates: `seconds`, `naive`, `utc` or `nanoseconds`.
        na_rep: what is written for a missing value.
    """
    frame = pd.DataFrame(rows)
    if floats:
        frame[list(NUMBERS)] = frame[list(NUMBERS)].astype("float64")
    else:
        frame[list(NUMBERS)] = frame[list(NUMBERS)].astype("Int64")
    if dates != "seconds":
        times = pd.to_datetime(frame[TIME], unit="s", utc=dates == "utc")
        frame[TIME] = (
            times.astype("datetime64[ns]").astype("int64") if dates == "nanoseconds" else times
        )
    return frame.to_csv(index=index, na_rep=na_rep).encode()


def write_r(rows: Sequence[Row], *, function: str, doubles: bool) -> bytes:
    """Return what a function of R writes.

    Args:
        rows: of the table.
        function: `write.csv`, `write.csv2` or `write.table`, which writes row names without a
            header.
        doubles: whether numbers are doubles, which R writes as 1e+05 where that is shorter.
    """
    separator = ";" if function == "write.csv2" else ","

    def cell(value: object) -> str:
        if value is None:
            return "NA"
        if isinstance(value, int):
            return _shortest_double(value) if doubles else str(value)
        return _quoted(str(value))

    header = [_quoted(name) for name in rows[0]]
    header = header if function == "write.table" else ['""', *header]
    lines = [header]
    lines += [
        [_quoted(str(number)), *map(cell, row.values())] for number, row in enumerate(rows, 1)
    ]
    return "".join(separator.join(line) + "\n" for line in lines).encode()


def write_excel(
    rows: Sequence[Row], *, separator: str, sep_line: bool, encoding: str, blank_rows: int
) -> bytes:
    """Return what Excel saves as CSV.

    Args:
        rows: of the table.
        separator: a semicolon where the comma is for decimals.
        sep_line: whether the file begins with `sep=`, which Excel understands.
        encoding: `utf-8-sig`, or the one of Windows if the text allows it.
        blank_rows: rows below the table that were cleared.
    """

    def cell(value: object) -> str:
        text = "" if value is None else str(value)
        needs_quotes = any(character in text for character in f'{separator}"\n')
        return _quoted(text) if needs_quotes else text

    lines = [list(rows[0]), *(list(map(cell, row.values())) for row in rows)]
    lines += [[""] * len(rows[0])] * blank_rows
    text = "".join(separator.join(line) + "\r\n" for line in lines)
    text = f"sep={separator}\r\n{text}" if sep_line else text
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode("utf-8-sig")


def write_duckdb(rows: Sequence[Row], *, doubles: bool, dates: bool) -> bytes:
    """Return what `COPY ... TO 'posts.csv' (HEADER)` of DuckDB writes.

    Args:
        rows: of the table.
        doubles: whether numbers are doubles.
        dates: whether times are of the type TIMESTAMP.
    """

    def cell(name: str, value: object) -> str:
        if value is None:
            return ""
        if name == TIME and dates:
            return _iso(value)
        if isinstance(value, int):
            return f"{value}.0" if doubles and name in NUMBERS else str(value)
        text = str(value)
        needs_quotes = not text or any(character in text for character in ',"\n')
        return _quoted(text) if needs_quotes else text

    lines = [list(rows[0]), *([cell(*item) for item in row.items()] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines).encode()


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _shortest_double(value: int) -> str:
    """Return a whole number as R prints a double: 1e+05, but 1500000."""
    digits = str(abs(value)).rstrip("0") or "0"
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    exponent = f"{mantissa}e+{len(str(abs(value))) - 1:02d}"
    sign = "-" if value < 0 else ""
    plain = str(abs(value))
    return sign + (plain if len(plain) <= len(exponent) else exponent)


def _iso(value: object) -> str:
    assert isinstance(value, int)
    time = datetime.fromtimestamp(value, timezone.utc)
    return time.strftime("%Y-%m-%d %H:%M:%S")


Writer = Callable[[Sequence[Row]], bytes]
