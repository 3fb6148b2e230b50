"""Pack colour and line art of many posts into one HDF5 file to train from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.draw.sketch import SMALLEST_SKETCH
from pipeline.outcome import OK, Outcome
from pipeline.pack.dataset_file import Chunk, DatasetWriter, Row, picture_names
from pipeline.pack.extras import (
    EXTRAS,
    FLAT,
    MASK,
    MEASURES,
    REFERENCE,
    extra_columns,
    extra_pictures,
)
from pipeline.pack.mask import find_foreground
from pipeline.pack.parts_writer import PartsWriter
from pipeline.pack.references import find_references
from pipeline.pack.square import PAPER, Placement
from pipeline.picture import (
    Decoded,
    PictureError,
    decode_grey,
    keep_freed_memory,
    read_picture,
)
from pipeline.progress import OnProgress, ignore
from pipeline.shard import ShardReader
from pipeline.table import read_table
from pipeline.thread_map import thread_map
from pipeline.unexpected import as_picture_error
from sketch_models.closing import Closing
from sketch_models.cores import available_cores
from sketch_models.option import Options, option
from sketch_models.styles import STYLES

_INK_THRESHOLD = 128  # grey level below which a pixel becomes ink in binary lines
Square = NDArray[np.uint8] | NDArray[np.uint16]
_Measures = Mapping[int, Mapping[str, object]]  # by post id: values by the name of their column

_MAX_CROP_ASPECT = 8  # long side per short side; of longer ones a crop shows next to nothing


@dataclass(frozen=True, kw_only=True)
class PackOptions(Options, section="pack"):
    """The packed files."""

    size: int = option(
        256, "side of the square pictures, in pixels", at_least=16, at_most=4096, unit="pixels"
    )
    fit: str = option(
        "pad", "pad: the whole picture, on white; crop: its middle square", choices=("pad", "crop")
    )
    sketches: bool = option(False, "pack the three sketches too")
    binary_lines: bool = option(
        False, "pack lines of 0 and 255 only: grey lines can reveal colours"
    )
    extras: tuple[str, ...] = option(
        (),
        "pack more of every picture: flat: areas of one colour; mask: the foreground; reference: "
        "others of the same character or artist; measures: what the screen measured",
        choices=EXTRAS,
        unique=True,
    )
    compression: str = option(
        "gzip", "gzip: a fifth of the size; none: fastest to read", choices=("gzip", "none")
    )
    rows_per_file: int = option(
        0,
        "pictures in each file, to which train.h5 and test.h5 are then indexes; 0: all in one",
        at_least=0,
        unit="pictures",
    )
    threads: int = option(
        0,
        "pictures packed in parallel; 0: one per core",
        affects_result=False,
        at_least=0,
        at_most=256,
    )


@dataclass(frozen=True, kw_only=True)
class ShardPaths:
    """The files of one shard.

    Attributes:
        posts: Parquet table with the columns `id` and `tags`.
        color: tar of downloaded pictures, `<id>.jpg`, `<id>.png` and so on.
        sketches: tars of sketches, `<id>.<style>.png`, by the suffix of their variant.
        lines: tars of line art, likewise.
        screen: Parquet table of `screen_shard`.
    """

    posts: Path
    color: Path
    sketches: Mapping[str, Path]
    lines: Mapping[str, Path]
    screen: Path

    def picture_names(self, *, sketches: bool) -> list[str]:
        """Return the names of the HDF5 datasets that are packed from them."""
        return picture_names(self.lines, self.sketches if sketches else ())


def pack(
    target: Path,
    ids: Sequence[int],
    shards: Sequence[ShardPaths],
    options: PackOptions,
    *,
    attributes: Mapping[str, str],
    groups: Path | None = None,
    on_progress: OnProgress = ignore,
) -> list[Outcome]:
    """Write an HDF5 file with a row per picture (layout: `pipeline.pack.dataset_file`).

    With `rows_per_file` it is an index, and the pictures are in parts beside it.

    Shards are read one after the other and a few pictures at a time, so that memory does not
    depend on their number; for references, ids and kinds of tags of all pictures are kept.

    Args:
        target: the file to write.
        ids: ids of the posts to pack.
        shards: the shards of the posts, in ascending order of post ids; all of the same variants.
        options: size, fit, and what to pack.
        attributes: `dataset`, `split`, `fingerprint` and `config` (JSON), written to the file.
        groups: table with the columns id and first, whose groups show the same picture: none is a
            reference of another; None if there are no such groups.
        on_progress: called with the number of pictures done.

    Returns:
        One outcome per post id; those that are not `ok` are not in the file.

    Raises:
        SengaError: if a shard is no tar file.
        OSError: as the operating system raised it, for example if the disk is full.
    """
    keep_freed_memory()
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    outcomes: list[Outcome] = []
    names = shards[0].picture_names(sketches=options.sketches) if shards else picture_names()
    of_references = extra_columns([REFERENCE]) if REFERENCE in options.extras else {}
    with (
        _open_writer(target, len(ids), names, options, {**attributes, "created": created}) as file,
        closing(_pack_shards(frozenset(ids), shards, options)) as rows,
    ):
        for packed in rows:
            if isinstance(packed, Row):
                file.append(packed)
                outcomes.append(Outcome(packed.id, OK))
            else:
                outcomes.append(packed)
            on_progress(1)
        for name, dtype in of_references.items():
            packed_ids = [outcome.id for outcome in outcomes if outcome.code == OK]
            posts = [paths.posts for paths in shards]
            file.add_column(name, dtype, find_references(packed_ids, posts, groups))
    in_shards = {outcome.id for outcome in outcomes}
    missing = [post_id for post_id in ids if post_id not in in_shards]
    on_progress(len(missing))
    return outcomes + [Outcome(post_id, "missing", "in none of the shards") for post_id in missing]


def _open_writer(
    target: Path,
    rows: int,
    names: Sequence[str],
    options: PackOptions,
    attributes: Mapping[str, str],
) -> DatasetWriter:
    layout: dict[str, Any] = {
        "size": options.size,
        "names": [*names, *extra_pictures(options.extras)],
        "compression": options.compression,
        "attributes": attributes,
        "extra_columns": extra_columns({*options.extras} - {REFERENCE}),
    }
    if options.rows_per_file:
        return PartsWriter(target, rows, rows_per_file=options.rows_per_file, **layout)
    return DatasetWriter(target, rows, **layout)


def _pack_shards(
    selected: frozenset[int], shards: Iterable[ShardPaths], options: PackOptions
) -> Generator[Row | Outcome, None, None]:
    threads = options.threads or available_cores()
    for paths in shards:
        tags = _read_tags(paths.posts, selected)
        if not tags:
            continue
        measures = _read_measures(paths.screen, selected) if MEASURES in options.extras else None
        with OpenShard(paths, options.sketches) as shard:
            make_row = partial(_make_row, shard, tags, measures, options)
            yield from thread_map(make_row, sorted(tags), max_threads=threads)


def _read_tags(posts: Path, selected: frozenset[int]) -> dict[int, str]:
    """Return the tags of the selected posts of a shard."""
    rows = read_table(posts, ["id", "tags"]).iter_rows()
    # HDF5 strings end at a NUL.
    return {post_id: tags.replace("\0", "") for post_id, tags in rows if post_id in selected}


def _read_measures(screen: Path, selected: frozenset[int]) -> _Measures:
    """Return the values of the columns of measures of the selected pictures of a shard."""
    columns = extra_columns([MEASURES])
    fields = ["id", *(name.removeprefix("measures/") for name in columns)]
    rows = read_table(screen, fields).drop_nulls().iter_rows()
    return {
        post_id: dict(zip(columns, values, strict=True))
        for post_id, *values in rows
        if post_id in selected
    }


class OpenShard(Closing):
    """The open files of one shard; may be read from any thread."""

    def __init__(self, paths: ShardPaths, sketches: bool) -> None:
        with ExitStack() as stack:
            self._color = stack.enter_context(ShardReader(paths.color))
            tars = [("line", suffix, path) for suffix, path in paths.lines.items()]
            if sketches:
                tars += [("sketch", suffix, path) for suffix, path in paths.sketches.items()]
            readers = [
                (group, suffix, stack.enter_context(ShardReader(path)))
                for group, suffix, path in tars
            ]
            self._maps = {
                f"{group}/{style}{suffix}": (reader, f"{style}.png")
                for group, suffix, reader in readers
                for style in STYLES
            }
            self._open = stack.pop_all()

    def color(self, post_id: int) -> bytes:
        """Return the downloaded file of a picture; raise PictureError if it is missing."""
        parts = self._color.parts(post_id)
        if not parts:
            raise PictureError("missing", "no colour")
        return self._color.read(post_id, parts[0])

    def maps(
        self, post_id: int, names: Collection[str] | None = None
    ) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Yield name and pixels, (H, W) uint8, of a picture's line maps and sketches.

        Args:
            post_id: the picture.
            names: of the maps, such as `line/original`; all if None.

        Raises:
            PictureError: `missing` or `broken_map`.
        """
        for name in self._maps if names is None else names:
            reader, part = self._maps[name]
            try:
                yield name, decode_grey(reader.read(post_id, part))
            except KeyError:
                raise PictureError("missing", f"no {name}") from None
            except PictureError as error:
                raise PictureError("broken_map", f"{name}: {error.detail}") from error

    def close(self) -> None:
        """Close the tars."""
        self._open.close()


def _make_row(
    shard: OpenShard,
    tags: Mapping[int, str],
    measures: _Measures | None,
    options: PackOptions,
    post_id: int,
) -> Row | Outcome:
    try:
        with as_picture_error(post_id):
            if measures is not None and post_id not in measures:
                raise PictureError("missing", "no measures")
            row = _pack_picture(shard, tags[post_id], options, post_id)
            return replace(row, extra_columns=measures[post_id]) if measures else row
    except PictureError as error:
        return Outcome(post_id, error.code, error.detail)


def _pack_picture(shard: OpenShard, tags: str, options: PackOptions, post_id: int) -> Row:
    """Return the row of a picture, without measures; raise PictureError if it cannot be packed."""
    content = shard.color(post_id)
    return make_row(
        post_id,
        read_picture(content),
        shard.maps(post_id),
        options,
        tags=tags,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def make_row(
    post_id: int,
    picture: Decoded,
    maps: Iterable[tuple[str, NDArray[np.uint8]]],
    options: PackOptions,
    *,
    tags: str,
    sha256: str,
) -> Row:
    """Return the row of a picture, without measures.

    Args:
        post_id: the post.
        picture: all its pixels.
        maps: name and pixels, (H, W) uint8, 0 = ink, of line art and sketches.
        options: size, fit, extras, and how to pack.
        tags: separated by spaces.
        sha256: of the picture's file, or of its pixels, 64 hex digits.

    Raises:
        PictureError: if it cannot be packed.
    """
    width, height = picture.width, picture.height
    if options.fit == "crop":
        check_crop(width, height)
    placement = Placement.of(width, height, options.size, options.fit)
    pictures = dict(_squares_of_picture(picture, placement, options.extras))
    for name, pixels in maps:
        check_aspect(name, pixels, width, height)
        square = placement.to_square(pixels)
        if name.startswith("line/"):
            square = _prepare_line(name, square, binary=options.binary_lines)
        pictures[name] = square
    return Row(
        id=post_id,
        box=placement.box,
        tags=tags,
        sha256=sha256,
        pictures={
            name: Chunk.compress(square, options.compression) for name, square in pictures.items()
        },
    )


def _squares_of_picture(
    picture: Decoded, placement: Placement, extras: Sequence[str]
) -> Iterator[tuple[str, Square]]:
    """Yield name and pixels of what is packed of the picture itself: its colours, and extras."""
    color = placement.to_square(picture.pixels)
    yield "color", color
    if FLAT in extras:
        from pipeline.pack.flat import find_flat  # loads SciPy, which takes a second

        numbers, colors = find_flat(color, placement.box)
        yield "flat", numbers
        yield "flat_colors", colors
    if MASK in extras:
        alpha = None if picture.alpha is None else placement.to_square(picture.alpha)
        yield "mask", find_foreground(color, placement.box, alpha)


def _prepare_line(name: str, square: NDArray[np.uint8], *, binary: bool) -> NDArray[np.uint8]:
    """Return a line map as it is packed; raise PictureError if it is blank."""
    if binary:
        square = np.where(square < _INK_THRESHOLD, np.uint8(0), np.uint8(PAPER))
    check_ink(name, square)
    return square


def check_crop(width: int, height: int) -> None:
    """Raise PictureError, `too_narrow`, for a picture of which a square shows next to nothing."""
    if max(width, height) > _MAX_CROP_ASPECT * min(width, height):
        raise PictureError("too_narrow", f"{width} x {height} cannot be cropped to a square")


def check_ink(name: str, line: NDArray[np.uint8]) -> None:
    """Raise PictureError, `blank_line`, for a line map without ink."""
    if line.min() == PAPER:
        raise PictureError("blank_line", name)


def check_aspect(name: str, pixels: NDArray[np.uint8], width: int, height: int) -> None:
    """Raise PictureError for a map that does not have the picture's aspect.

    The short side of its sketch was rounded, by half a pixel at most, and a line map may be as much
    larger than the sketch as `[simplify] sizes` say; the map's own side was rounded too. Neither
    shifts anything, since maps are resampled to the picture edge to edge.

    Args:
        name: name of the map, for the error.
        pixels: (H, W) uint8.
        width: width of the picture, in pixels.
        height: height of the picture, in pixels.

    Raises:
        PictureError: `misaligned`.
    """
    map_height, map_width = pixels.shape
    long = max(map_width, map_height)
    scale = long / max(width, height)
    tolerance = 0.5 * max(1.0, long / SMALLEST_SKETCH) + 0.5
    if max(abs(map_width - width * scale), abs(map_height - height * scale)) > tolerance:
        detail = f"{name} is {map_width} x {map_height}, the picture {width} x {height}"
        raise PictureError("misaligned", detail)
