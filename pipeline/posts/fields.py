"""Read columns of text as people and programs write them: numbers, times, ratings, tags."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from pipeline.posts.clean_text import unescape_entities

RATINGS = {
    "s": "s",
    "safe": "s",
    "g": "s",
    "general": "s",
    "sensitive": "s",
    "q": "q",
    "questionable": "q",
    "sketchy": "q",
    "e": "e",
    "explicit": "e",
    "unsafe": "e",
}
"""Every spelling of a rating, in lower case, and its letter.

Boorus with words have split the old `safe` into `general` and `sensitive`, and abbreviate the
latter by `s` again: both are what `s` has always meant.
"""

_GAP = r"[,' \u00a0\u202f]"  # between groups of three digits
_GROUPED = rf"^[+-]?[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})+(?:\.0*)?$"
_DECIMAL_COMMA = r"^([+-]?[0-9]+),([0-9]{1,2})$"
_WHOLE = r"^([+-]?[0-9]+)(?:\.0*)?$"
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_EXACT = 2.0**53  # floats below this hold whole numbers exactly
INT32 = 2**31 - 1

MAX_SECONDS = 2**40  # as milliseconds it is a day of 2004, before there was a booru
_TIME = (
    r"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?<clock>[0-9]{2}:[0-9]{2})(?<second>:[0-9]{2})?(?:[.,][0-9]+)?)?"
    r" ?(?:Z|UTC|(?<sign>[+-])(?<hours>[0-9]{2}):?(?<minutes>[0-9]{2})?)?$"
)


def whole_numbers(texts: pl.Series) -> pl.Series:
    """Return whole numbers: `7`, `7.0`, ` +7`, `1e+05`, `"1,000"`; null for other text.

    Args:
        texts: strings.

    Returns:
        Int64.
    """
    return _numbers(texts, floor=False)


def floors(texts: pl.Series) -> pl.Series:
    """Return numbers of any spelling, rounded down: `2.5` is 2; null for other text.

    A whole number is at most the floor of another one if and only if it is at most that one: for
    a lower bound, such as `[filter] min_score`, nothing is lost.

    Args:
        texts: strings.

    Returns:
        Int32; numbers beyond its range become its ends.
    """
    numbers: pl.Series = _numbers(texts, floor=True).clip(-INT32 - 1, INT32).cast(pl.Int32)
    return numbers


def sizes(texts: pl.Series) -> pl.Series:
    """Return numbers of pixels, Int32; null for other text and for what is no size, such as 0."""
    numbers = _numbers(texts, floor=True)
    in_range: pl.Series = numbers.set(~numbers.is_between(1, INT32), None).cast(pl.Int32)
    return in_range


def times(texts: pl.Series) -> pl.Series:
    """Return seconds since 1970, Int64; null for other text.

    Args:
        texts: seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their
            size; or ISO 8601, such as `2010-01-29 09:00:00+09:00`, in UTC if without an offset;
            or `Fri Jan 29 09:00:00 +0900 2010`.
    """
    numbers: pl.Series = texts.cast(pl.Int64, strict=False)
    for read in (_full_times, _floors, _iso_times, _board_times):
        numbers = _read_odd_ones(texts, numbers, read)
    for _ in range(3):
        is_seconds = numbers.is_between(-MAX_SECONDS, MAX_SECONDS)
        numbers = numbers.zip_with(is_seconds, numbers // 1000)
    return numbers


def ratings(texts: pl.Series) -> pl.Series:
    """Return ratings as letters, s, q or e; null for other text."""
    letters = texts.replace_strict(RATINGS, default=None, return_dtype=pl.String)
    return _read_odd_ones(texts, letters, _spelled_ratings)


def rating(text: str) -> str | None:
    """Return the letter of one rating; None for other text.

    It uses no Polars, whose threads a build that is about to fork must not have started.
    """
    return RATINGS.get(text.strip().lower().removeprefix("rating:"))


def tags(texts: pl.Series) -> pl.Series:
    """Return tags with one space between two of them and none around, without HTML entities."""
    texts = unescape(texts)
    needs_change = (
        texts.str.contains("  ", literal=True)
        | texts.str.starts_with(" ")
        | texts.str.ends_with(" ")
    )
    odd = needs_change.fill_null(False).arg_true()
    if odd.is_empty():
        return texts
    one_space = texts.gather(odd).str.replace_all(" +", " ").str.strip_chars(" ")
    return texts.scatter(odd, one_space)


def without_controls(texts: pl.Series) -> pl.Series:
    """Return texts with a space for each control character.

    Nearly all have none, and a search of their bytes all at once is six times as fast as one text
    by text.
    """
    whole = texts.str.join("").cast(pl.Binary).item()
    if not whole or np.frombuffer(whole, np.uint8).min() >= ord(" "):
        return texts
    spaced: pl.Series = texts.str.replace_all(r"[\x00-\x1f]", " ")
    return spaced


def is_untidy(texts: pl.Expr) -> pl.Expr:
    """Return whether `tags` would change texts."""
    return (
        texts.str.contains("  ", literal=True)
        | texts.str.contains("&", literal=True)
        | texts.str.starts_with(" ")
        | texts.str.ends_with(" ")
    )


def unescape(texts: pl.Series) -> pl.Series:
    """Return text with its HTML entities replaced."""
    odd = texts.str.contains("&", literal=True).fill_null(False).arg_true()
    if odd.is_empty():
        return texts
    return texts.scatter(odd, [unescape_entities(text) for text in texts.gather(odd)])


def _read_odd_ones(
    texts: pl.Series, values: pl.Series, read: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """Fill in the values of texts that are not empty; few columns of few files have such ones."""
    odd = (values.is_null() & (texts != "")).arg_true()
    return values if odd.is_empty() else values.scatter(odd, read(texts.gather(odd)))


def _numbers(texts: pl.Series, *, floor: bool) -> pl.Series:
    plain = texts.cast(pl.Int64, strict=False)
    return _read_odd_ones(texts, plain, lambda odd: _spelled_numbers(odd, floor=floor))


def _floors(texts: pl.Series) -> pl.Series:
    return _spelled_numbers(texts, floor=True)


def _spelled_numbers(texts: pl.Series, *, floor: bool) -> pl.Series:
    """Return numbers, Int64; if not whole, null or rounded down."""
    text = pl.col("text")
    plain = text.str.strip_chars()
    grouped = plain.str.contains(_GROUPED)
    plain = pl.when(grouped).then(plain.str.replace_all(_GAP, "")).otherwise(plain)
    plain = plain.str.replace(_DECIMAL_COMMA, "$1.$2")
    exact = text.str.extract(_WHOLE).cast(pl.Int64, strict=False)
    number = pl.when(text.str.contains(_NUMBER)).then(text.cast(pl.Float64, strict=False))
    lower = number.floor()
    usable = (lower.abs() < _EXACT) & (pl.lit(floor) | (lower == number))
    floored = pl.when(usable).then(lower).cast(pl.Int64, strict=False)
    table = texts.alias("text").to_frame().select(plain)
    return table.select(pl.coalesce(exact, floored)).to_series()


def _full_times(texts: pl.Series) -> pl.Series:
    return _times_of(texts, "%Y-%m-%dT%H:%M:%S%.f%:z")  # of Danbooru; the fastest to read


def _board_times(texts: pl.Series) -> pl.Series:
    return _times_of(texts, "%a %b %d %H:%M:%S %z %Y")  # of Gelbooru


def _times_of(texts: pl.Series, form: str) -> pl.Series:
    """Return times of one form with an offset in seconds since 1970, Int64; null for others."""
    return texts.str.to_datetime(form, strict=False).dt.epoch("s")


def _iso_times(texts: pl.Series) -> pl.Series:
    """Return ISO 8601 times in seconds since 1970, Int64; null for other text."""
    parts = texts.alias("text").to_frame().select(pl.col("text").str.strip_chars())
    parts = parts.select(pl.col("text").str.extract_groups(_TIME)).unnest("text")
    clock = pl.concat_str(
        "date",
        pl.lit(" "),
        pl.col("clock").fill_null("00:00"),
        pl.col("second").fill_null(":00"),
    )
    local = clock.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.epoch("s")
    hours = pl.col("hours").cast(pl.Int64).fill_null(0)
    offset = hours * 3600 + pl.col("minutes").cast(pl.Int64).fill_null(0) * 60
    ahead = pl.when(pl.col("sign") == "-").then(-offset).otherwise(offset)
    return parts.select(local - ahead).to_series()


def _spelled_ratings(texts: pl.Series) -> pl.Series:
    spelled = {text: rating(text) for text in texts.unique()}
    letters: pl.Series = texts.replace_strict(spelled, return_dtype=pl.String)
    return letters
