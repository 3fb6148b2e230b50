"""Measures pictures, and sorts out those that are no use for colouring."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from pipeline.outcome import OK, Outcome
from pipeline.picture import PictureError, decode, sniff_extension
from pipeline.progress import Advance, ignore
from pipeline.screen.picture_stats import Measures, measure
from pipeline.shard import ShardReader
from pipeline.thread_map import thread_map
from sketch_models.option import option, require

GATES = ("too_small", "bad_aspect", "blank", "line_art", "greyscale")
"""The codes of `judge`, in the order in which the gates are asked."""

# Chosen by the numbers of 6,300 drawings of the sample booru (at 1/8, from JPEG), of 1,300 of them
# in grey, as line art, in sepia, and of 1,300 small ones on a white page (8 % of its sides).
#
# uniform: drawings up to 0.31, on a page up to 0.998; flat and near-white pictures 1.
# hues: drawings from 2.2, on a page from 1.6; grey 0, prints in one or two inks up to 0.4. Not
# told apart are sepia prints whose highlights are clipped: 0.7 to 11.
# outline: drawings in grey up to 4.08, line art from 4.13 (half as large: from 3.5).
# paper: line art from 0.64.
_BLANK = 0.999
_HUES = 1.0
_OUTLINE = 4.1
_PAPER = 0.5


@dataclass(frozen=True, kw_only=True)
class ScreenOptions:
    """Which pictures to drop for what they look like: section `[screen]`."""

    min_side: int = option(256, "shortest side of a picture that is kept, pixels")
    max_aspect: float = option(3.0, "long side per short side that is kept at most; 0 = any")
    blank: str = option("drop", "pictures of nearly one colour: drop or keep")
    line_art: str = option("drop", "pictures that are black lines on paper: drop or keep")
    greyscale: str = option("drop", "pictures without colour, also in one ink: drop or keep")

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        require(
            1 <= self.min_side <= 10_000,
            "[screen] min_side",
            self.min_side,
            "a number of pixels from 1 to 10000",
        )
        require(
            self.max_aspect == 0 or 1 <= self.max_aspect <= 1000,
            "[screen] max_aspect",
            self.max_aspect,
            "a ratio from 1 to 1000, or 0 for any",
        )
        for name in ("blank", "line_art", "greyscale"):
            choice = getattr(self, name)
            require(choice in ("drop", "keep"), f"[screen] {name}", choice, "drop or keep")


def judge(measures: Measures, options: ScreenOptions) -> str:
    """Says whether a picture is kept.

    Returns:
        `OK`, or the first of `GATES` that it does not pass.
    """
    short, long = sorted((measures.width, measures.height))
    blank = measures.uniform >= _BLANK
    colorless = measures.hues < _HUES and not blank
    lines = colorless and measures.outline >= _OUTLINE and measures.paper >= _PAPER
    fails = {
        "too_small": short < options.min_side,
        "bad_aspect": 0 < options.max_aspect * short < long,
        "blank": options.blank == "drop" and blank,
        "line_art": options.line_art == "drop" and lines,
        "greyscale": options.greyscale == "drop" and colorless and not lines,
    }
    return next((code for code in GATES if fails[code]), OK)


_SCHEMA = {
    "id": pl.Int64,
    "code": pl.String,
    "sha256": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "phash": pl.String,
    "chroma": pl.Float64,
    "hues": pl.Float64,
    "paper": pl.Float64,
    "uniform": pl.Float64,
    "outline": pl.Float64,
}
_Known = dict[str, Measures]  # by the sha256 of the file


def screen_shard(
    color: Path,
    ids: Collection[int],
    target: Path,
    options: ScreenOptions,
    *,
    known: Sequence[Path] = (),
    advance: Advance = ignore,
) -> list[Outcome]:
    """Measures the pictures of a shard, and says which are kept.

    Args:
        color: tar of picture files.
        ids: posts whose picture is in it.
        target: the parquet table to write: id, code, sha256 of the file, and the fields of
            `Measures`, null where the picture cannot be measured; a row per id, ascending.
        options: the gates.
        known: earlier tables, whose measures are taken over.
        advance: called with the number of pictures done.

    Returns:
        A row per id, ascending: `OK`, one of `GATES`, or what `decode` found.
    """
    measured = _read_known(known)
    rows: list[dict[str, Any]] = []
    with ShardReader(color) as shard:
        for row in thread_map(partial(_screen, shard, options, measured), sorted(ids)):
            rows.append(row)
            advance(1)
    pl.DataFrame(rows, schema=_SCHEMA).write_parquet(target)
    return [Outcome(row["id"], row["code"]) for row in rows]


def _read_known(tables: Sequence[Path]) -> _Known:
    names = [name for name in _SCHEMA if name not in ("id", "code")]
    known: _Known = {}
    for table in tables:
        for row in pl.read_parquet(table, columns=names).drop_nulls().iter_rows(named=True):
            digest = row.pop("sha256")
            known[digest] = Measures(**row)
    return known


def _screen(
    shard: ShardReader, options: ScreenOptions, known: _Known, post_id: int
) -> dict[str, object]:
    """One row of the table."""
    (part,) = shard.parts(post_id)
    content = shard.read(post_id, part)
    digest = sha256(content).hexdigest()
    row = {"id": post_id, "sha256": digest}
    try:
        measures = known.get(digest) or look(content)
    except PictureError as error:
        return row | {"code": error.code}
    return row | {"code": judge(measures, options)} | asdict(measures)


def look(content: bytes) -> Measures:
    """The measures of a picture file; of a JPEG it takes a quarter of the time to decode it.

    Raises:
        PictureError: what `decode` finds.
    """
    small = _eighth(content) if sniff_extension(content) == "jpg" else None
    if small is not None:
        pixels, width, height = small
        return measure(pixels, width, height)
    picture = decode(content)
    return measure(picture, picture.shape[1], picture.shape[0])


def _eighth(content: bytes) -> tuple[NDArray[np.uint8], int, int] | None:
    """A JPEG at 1/8, its width and its height; None where `decode` says what is wrong."""
    try:
        with JpegImageFile(io.BytesIO(content)) as image:
            width, height = image.size
            image.draft("RGB", (1, 1))
            image.decodermaxblock = len(content)  # at one go: less to and fro between threads
            image.load()
            small = image if image.mode == "RGB" else image.convert("RGB")
            return np.asarray(small), width, height
    except Exception:  # noqa: BLE001, RUF100 - whatever it is, `decode` will meet and name it
        return None


def screened(table: Path) -> list[int]:
    """The ids of the pictures that a table keeps, ascending."""
    rows = pl.scan_parquet(table).filter(pl.col("code") == OK).select("id").sort("id").collect()
    return rows["id"].to_list()
