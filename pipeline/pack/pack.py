"""Pack colour and line art of many posts into one HDF5 file to train from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.draw.sketch import SMALLEST_SKETCH
from pipeline.outcome import OK, Outcome
from pipeline.pack.dataset_file import Chunk, DatasetWriter, Row, picture_names
from pipeline.pack.square import PAPER, Placement
from pipeline.picture import PictureError, decode, decode_grey, keep_freed_memory
from pipeline.progress import OnProgress, ignore
from pipeline.shard import ShardReader
from pipeline.table import read_table
from pipeline.thread_map import thread_map
from pipeline.unexpected import as_picture_error
from sketch_models.closing import Closing
from sketch_models.option import Options, option
from sketch_models.styles import STYLES

_INK_THRESHOLD = 128  # grey level below which a pixel becomes ink in binary lines
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
    compression: str = option(
        "gzip", "gzip: a fifth of the size; none: fastest to read", choices=("gzip", "none")
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
    """

    posts: Path
    color: Path
    sketches: Mapping[str, Path]
    lines: Mapping[str, Path]

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
    on_progress: OnProgress = ignore,
) -> list[Outcome]:
    """Write one HDF5 file with a row per picture (layout: `pipeline.pack.dataset_file`).

    Shards are read one after the other and a few pictures at a time, so that memory does not
    depend on their number.

    Args:
        target: the file to write.
        ids: ids of the posts to pack.
        shards: the shards of the posts, in ascending order of post ids; all of the same variants.
        options: size, fit, and what to pack.
        attributes: `dataset`, `split`, `fingerprint` and `config` (JSON), written to the file.
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
    with (
        DatasetWriter(
            target,
            len(ids),
            size=options.size,
            names=shards[0].picture_names(sketches=options.sketches) if shards else picture_names(),
            compression=options.compression,
            attributes={**attributes, "created": created},
        ) as file,
        closing(_pack_shards(frozenset(ids), shards, options)) as rows,
    ):
        for packed in rows:
            if isinstance(packed, Row):
                file.append(packed)
                outcomes.append(Outcome(packed.id, OK))
            else:
                outcomes.append(packed)
            on_progress(1)
    in_shards = {outcome.id for outcome in outcomes}
    missing = [post_id for post_id in ids if post_id not in in_shards]
    on_progress(len(missing))
    return outcomes + [Outcome(post_id, "missing", "in none of the shards") for post_id in missing]


def _pack_shards(
    selected: frozenset[int], shards: Iterable[ShardPaths], options: PackOptions
) -> Generator[Row | Outcome, None, None]:
    threads = options.threads or os.cpu_count() or 1
    for paths in shards:
        tags = _read_tags(paths.posts, selected)
        if not tags:
            continue
        with OpenShard(paths, options.sketches) as shard:
            make_row = partial(_make_row, shard, tags, options)
            yield from thread_map(make_row, sorted(tags), max_threads=threads)


def _read_tags(posts: Path, selected: frozenset[int]) -> dict[int, str]:
    """Return the tags of the selected posts of a shard."""
    rows = read_table(posts, ["id", "tags"]).iter_rows()
    # HDF5 strings end at a NUL.
    return {post_id: tags.replace("\0", "") for post_id, tags in rows if post_id in selected}


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
    shard: OpenShard, tags: Mapping[int, str], options: PackOptions, post_id: int
) -> Row | Outcome:
    try:
        with as_picture_error(post_id):
            return _pack_picture(shard, tags[post_id], options, post_id)
    except PictureError as error:
        return Outcome(post_id, error.code, error.detail)


def _pack_picture(shard: OpenShard, tags: str, options: PackOptions, post_id: int) -> Row:
    """Return the row of a picture; raise PictureError if it cannot be packed."""
    content = shard.color(post_id)
    color = decode(content)
    height, width = color.shape[:2]
    if options.fit == "crop":
        check_crop(width, height)
    placement = Placement.of(width, height, options.size, options.fit)
    pictures = {"color": Chunk.compress(placement.to_square(color), options.compression)}
    for name, pixels in shard.maps(post_id):
        check_aspect(name, pixels, width, height)
        square = placement.to_square(pixels)
        if name.startswith("line/"):
            square = _prepare_line(name, square, binary=options.binary_lines)
        pictures[name] = Chunk.compress(square, options.compression)
    return Row(
        id=post_id,
        box=placement.box,
        tags=tags,
        sha256=hashlib.sha256(content).hexdigest(),
        pictures=pictures,
    )


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
