"""Draw sketches and line art of a folder of pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.draw.artist import Artist, Drawings
from pipeline.draw.draw_shard import draw_each
from pipeline.draw.folder_options import FolderOptions
from pipeline.draw.results_folder import ResultsFolder, result_names
from pipeline.outcome import Outcome
from pipeline.picture import (
    PictureError,
    decode,
    encode_png,
    header_size,
    read_file,
    resize_long_side,
)
from pipeline.picture_format import SUFFIXES
from pipeline.progress import Meter, OnProgress, Progress
from sketch_models import registry
from sketch_models.errors import SengaError
from sketch_models.network_options import ComputeOptions
from sketch_models.weights.cache import expand_path

MAX_PARALLEL_PIXELS = 1 << 22
"""A picture with more pixels is drawn alone, after the others, so that memory suffices."""

_LARGE = "large"  # code of the outcome of a picture that is to be drawn alone

Loaded = tuple[Path, NDArray[np.uint8]]
"""The name of a picture's results, and its pixels."""


@dataclass(frozen=True)
class FolderPicture:
    """A picture of the folder.

    Attributes:
        path: of its file.
        shown: its path within the folder.
        name: of its drawings, in each of their folders.
    """

    path: Path
    shown: str
    name: Path


@dataclass
class FolderResult:
    """What became of the pictures of a folder.

    Attributes:
        drawn: number of pictures drawn.
        done_before: number of pictures that an earlier run had drawn.
        errors: path, code and detail of each picture that could not be drawn.
        table: the file of these rows; None without any.
    """

    drawn: int = 0
    done_before: int = 0
    errors: list[tuple[str, str, str]] = field(default_factory=list)
    table: Path | None = None


def draw_folder(options: FolderOptions) -> FolderResult:
    """Draw what is not done yet, with a progress line on stderr.

    Raises:
        SengaError: If there are no pictures, the models cannot be loaded, or the results have
            other settings or cannot be written.
    """
    result = FolderResult()
    results = expand_path(options.results)
    pictures = find_pictures(expand_path(options.folder), results, result)
    folder = ResultsFolder(results)
    settings = options.settings()
    artist = load_artist(options)
    folder.open(settings, overwrite=options.overwrite)
    todo = [each for each in pictures if not folder.is_done(each.path, _results(artist, each))]
    result.done_before = len(pictures) - len(todo)
    try:
        with Meter("draw", Progress(total=len(todo))) as meter:
            _draw_pictures(todo, artist, folder, options.size, result, meter.advance)
    finally:
        result.table = folder.write_errors(sorted(result.errors))
    return result


def find_pictures(source: Path, results: Path, result: FolderResult) -> list[FolderPicture]:
    """Return the pictures of a folder and of all folders in it, or the one picture.

    Hidden files and folders are left out, and the folder of the results if it is among them.

    Args:
        source: the folder, or one picture.
        results: the folder of the results.
        result: takes the folders that cannot be read, as errors.

    Raises:
        SengaError: If there are none, or there is no such folder.
    """
    if source.is_file():
        return [FolderPicture(source, source.name, Path(source.name).with_suffix(".png"))]
    if not source.is_dir():
        raise SengaError(f"{source}: there is no such folder or picture.")
    if source.resolve() == results.resolve():
        raise SengaError(f"{results} has the pictures: choose another folder for the results.")

    def note(error: OSError) -> None:
        result.errors.append((str(error.filename), "unreadable", error.strerror or ""))

    paths = []
    for parent, folders, names in os.walk(source, onerror=note):
        inside = Path(parent)
        folders[:] = [
            each
            for each in sorted(folders)
            if not each.startswith(".") and (inside / each).resolve() != results.resolve()
        ]
        paths += [
            inside / name
            for name in sorted(names)
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        ]
    if not paths:
        raise SengaError(f"{source} has no pictures: no file with a suffix such as .png or .jpg.")
    relative = [path.relative_to(source) for path in paths]
    return [
        FolderPicture(path, str(shown), name)
        for path, shown, name in zip(paths, relative, result_names(relative), strict=True)
    ]


def load_artist(options: FolderOptions) -> Artist:
    """Return the models of these options.

    Raises:
        SengaError: If weights are missing or damaged, or there is no such device.
    """
    compute = ComputeOptions(device=options.device)
    sketch = None
    if not options.from_sketch:
        sketch = registry.sketch_model(options.sketch_options, compute, "torch")
    return Artist(sketch, registry.line_model(options.line_options, compute), options.styles)


def _results(artist: Artist, picture: FolderPicture) -> list[Path]:
    return [Path(folder) / picture.name for folder in artist.folders]


def _draw_pictures(
    pictures: list[FolderPicture],
    artist: Artist,
    folder: ResultsFolder,
    size: int,
    result: FolderResult,
    on_progress: OnProgress,
) -> None:
    """Draw and write pictures: small ones several at a time, then large ones one by one."""
    large = []
    items = draw_each(
        range(len(pictures)),
        load=lambda index: _load(pictures[index], size, MAX_PARALLEL_PIXELS),
        draw=partial(_draw, artist),
        save=partial(_save, folder),
        batch_size=artist.batch_size,
        threads=artist.threads,
    )
    for index, value in items:
        if isinstance(value, Outcome) and value.code == _LARGE:
            large.append(pictures[index])
            continue
        error = (value.code, value.detail) if isinstance(value, Outcome) else None
        _count(pictures[index], error, result, on_progress)
    for picture in large:
        error = None
        try:
            _save(folder, *_draw(artist, [_load(picture, size)]))
        except PictureError as failure:
            error = (failure.code, failure.detail)
        _count(picture, error, result, on_progress)


def _count(
    picture: FolderPicture,
    error: tuple[str, str] | None,
    result: FolderResult,
    on_progress: OnProgress,
) -> None:
    if error is None:
        result.drawn += 1
    else:
        result.errors.append((picture.shown, *error))
    on_progress(1)


def _load(picture: FolderPicture, size: int, max_pixels: int | None = None) -> Loaded:
    """Return the pixels of a picture, (H, W, 3) uint8 RGB.

    Raises:
        PictureError: If they cannot be read, or `large` if there are more than `max_pixels`.
    """
    content = read_file(picture.path)
    width, height = header_size(content)
    scale = size / max(width, height) if size else 1
    if max_pixels is not None and width * height * max(scale, 1) ** 2 > max_pixels:
        raise PictureError(_LARGE)
    pixels = decode(content)
    return picture.name, resize_long_side(pixels, size) if size else pixels


def _draw(artist: Artist, batch: Sequence[Loaded]) -> list[tuple[Path, Drawings]]:
    drawings = artist.draw([pixels for _, pixels in batch])
    return [(name, drawing) for (name, _), drawing in zip(batch, drawings, strict=True)]


def _save(folder: ResultsFolder, drawn: tuple[Path, Drawings]) -> None:
    name, drawings = drawn
    for inner, drawing in drawings.items():
        folder.write(Path(inner) / name, encode_png(drawing))
