"""Compute statistics of pictures, and drop those that are no use for colouring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray

from pipeline.damage import DamagedFileError
from pipeline.outcome import OK, Outcome
from pipeline.picture import PictureError, read_thumbnail
from pipeline.progress import OnProgress, ignore
from pipeline.screen.picture_stats import PictureStats, compute_stats
from pipeline.shard import ShardReader
from pipeline.table import read_table, write_table
from pipeline.thread_map import thread_map
from pipeline.unexpected import as_picture_error
from sketch_models.option import Options, option
from sketch_models.pixels import to_rgb

GATES = ("too_small", "bad_aspect", "blank", "line_art", "greyscale")
"""The codes of `apply_gates`, in the order in which the gates are applied."""

# Chosen by the numbers of 6,300 drawings of the sample booru (at 1/8, from JPEG), of 1,300 of them
# in grey, as line art, in sepia, and of 1,300 small ones on a white page (8 % of its sides).
#
# uniform: drawings up to 0.31, on a page up to 0.998; flat and near-white pictures 1.
# hues: drawings from 2.2, on a page from 1.6; grey 0, prints in one or two inks up to 0.4. Sepia
# prints whose highlights are clipped have 0.7 to 11, so that some pass for colour.
# outline: drawings in grey up to 4.08, line art from 4.13 (half as large: from 3.5).
# paper: line art from 0.64.
_BLANK_MIN_UNIFORM = 0.999
_GREYSCALE_MAX_HUES = 1.0
_LINE_ART_MIN_OUTLINE = 4.1
_LINE_ART_MIN_PAPER = 0.5

_CHOICES = ("drop", "keep")


@dataclass(frozen=True, kw_only=True)
class ScreenOptions(Options, section="screen"):
    """Which pictures to drop by their look."""

    min_side: int = option(
        256, "shortest side of a picture that is kept", at_least=1, at_most=10_000, unit="pixels"
    )
    max_aspect: float = option(3.0, "largest ratio of the long side to the short side; 0: any")
    blank: str = option("drop", "pictures of nearly one colour: drop or keep", choices=_CHOICES)
    line_art: str = option(
        "drop", "pictures that are black lines on paper: drop or keep", choices=_CHOICES
    )
    greyscale: str = option(
        "drop", "pictures without colour, also in one ink: drop or keep", choices=_CHOICES
    )

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self.require(
            self.max_aspect == 0 or 1 <= self.max_aspect <= 1000,
            "max_aspect",
            "a ratio from 1 to 1000, or 0 for any",
        )


def apply_gates(stats: PictureStats, options: ScreenOptions) -> str:
    """Return the code that says whether a picture is kept.

    Returns:
        `OK`, or the first of `GATES` that it fails.
    """
    short, long = sorted((stats.width, stats.height))
    blank = stats.uniform >= _BLANK_MIN_UNIFORM
    colorless = stats.hues < _GREYSCALE_MAX_HUES and not blank
    thin = stats.outline >= _LINE_ART_MIN_OUTLINE and stats.paper >= _LINE_ART_MIN_PAPER
    line_art = colorless and thin
    fails = {
        "too_small": short < options.min_side,
        "bad_aspect": 0 < options.max_aspect * short < long,
        "blank": options.blank == "drop" and blank,
        "line_art": options.line_art == "drop" and line_art,
        "greyscale": options.greyscale == "drop" and colorless and not line_art,
    }
    return next((code for code in GATES if fails[code]), OK)


_SCHEMA = {
    "id": pl.Int64,
    "code": pl.String,
    "sha256": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "phash": pl.String,
    "phash_mirrored": pl.String,
    "chroma": pl.Float64,
    "hues": pl.Float64,
    "paper": pl.Float64,
    "uniform": pl.Float64,
    "outline": pl.Float64,
    "color_profile": pl.String,
}
_StatsByDigest = dict[str, PictureStats]  # by the sha256 of the file


@dataclass(frozen=True)
class Screening:
    """What the screen says of one picture.

    Attributes:
        code: `ok` if it is kept, one of `GATES`, or a code of `PictureError`, such as `truncated`.
        stats: its statistics; None if it cannot be decoded.
    """

    code: str
    stats: PictureStats | None


def screen_picture(
    picture: bytes | NDArray[Any],
    options: ScreenOptions = ScreenOptions(),
    *,
    name: object = "of a caller",
) -> Screening:
    """Compute the statistics of a picture, and say whether the screen keeps it.

        >>> import numpy as np
        >>> from senga import screen_picture
        >>> screening = screen_picture(np.full((300, 400, 3), 255, np.uint8))
        >>> screening.code, screening.stats.width
        ('blank', 400)

    Args:
        picture: a file, as its bytes; or its pixels, uint8 or uint16, as (H, W) grey, (H, W, 3) RGB
            or (H, W, 4) RGBA, whose transparent pixels become white. Of a JPEG file a smaller
            picture is decoded, whose statistics are slightly different.
        options: the gates, those of the section [screen].
        name: of the picture, for the log, if something fails that nobody foresaw.

    Raises:
        ValueError: If it is neither bytes nor an array of pixels. A file that cannot be decoded has
            a code instead.
    """
    if not isinstance(picture, bytes):
        pixels = to_rgb(picture)
        stats = compute_stats(pixels, pixels.shape[1], pixels.shape[0])
        return Screening(apply_gates(stats, options), stats)
    try:
        with as_picture_error(name):
            stats = read_stats(picture)
    except PictureError as error:
        return Screening(error.code, None)
    return Screening(apply_gates(stats, options), stats)


def screen_shard(
    color: Path,
    ids: Collection[int],
    target: Path,
    options: ScreenOptions,
    *,
    previous_tables: Sequence[Path] = (),
    on_progress: OnProgress = ignore,
) -> list[Outcome]:
    """Write a table of the statistics of the pictures of a shard, and which are kept.

    Args:
        color: tar of picture files.
        ids: post ids of the pictures, all in the tar.
        target: the Parquet table to write: id, code, sha256 of the file, and the fields of
            `PictureStats`, null if the picture cannot be decoded; a row per id, ascending.
        options: the gates.
        previous_tables: tables of earlier runs, whose statistics are reused.
        on_progress: called with the number of pictures done.

    Returns:
        An outcome per id, ascending: `OK`, one of `GATES`, or a code of `PictureError`.
    """
    previous = _read_previous(previous_tables)
    rows: list[dict[str, Any]] = []
    with ShardReader(color) as shard:
        for row in thread_map(partial(_screen, shard, options, previous), sorted(ids)):
            rows.append(row)
            on_progress(1)
    write_table(pl.DataFrame(rows, schema=_SCHEMA), target)
    return [Outcome(row["id"], row["code"]) for row in rows]


def count_color_profiles(table: Path) -> dict[str, int]:
    """Return the number of pictures of a screen's table by what became of their colour profile."""
    profiles = read_table(table, ["color_profile"]).to_series().drop_nulls()
    return dict(Counter(profiles.to_list()).most_common())


def _read_previous(tables: Sequence[Path]) -> _StatsByDigest:
    names = [name for name in _SCHEMA if name not in ("id", "code")]
    stats: _StatsByDigest = {}
    for table in tables:
        try:
            rows = read_table(table, names).drop_nulls()
        except DamagedFileError:
            continue  # or of an earlier version, which saw pictures otherwise
        for row in rows.iter_rows(named=True):
            digest = row.pop("sha256")
            stats[digest] = PictureStats(**row)
    return stats


def _screen(
    shard: ShardReader, options: ScreenOptions, previous: _StatsByDigest, post_id: int
) -> dict[str, object]:
    """Return one row of the table."""
    (part,) = shard.parts(post_id)
    content = shard.read(post_id, part)
    digest = sha256(content).hexdigest()
    if known := previous.get(digest):
        screening = Screening(apply_gates(known, options), known)
    else:
        screening = screen_picture(content, options, name=post_id)
    stats = asdict(screening.stats) if screening.stats else {}
    return {"id": post_id, "sha256": digest, "code": screening.code, **stats}


def read_stats(content: bytes) -> PictureStats:
    """Return the statistics of a picture file; for a JPEG in a quarter of the time of `decode`.

    Raises:
        PictureError: as `decode` raises it.
    """
    thumbnail = read_thumbnail(content)
    stats = compute_stats(thumbnail.pixels, thumbnail.width, thumbnail.height)
    return replace(stats, color_profile=thumbnail.color_profile)
