"""Judge every method on one picture, in a worker process of its own core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from benchmarks.line_art.methods import OUR_FILTERS, OURS, Ink, Methods, Needs
from benchmarks.line_art.pictures import SOURCES, Picture
from benchmarks.line_art.score import score
from benchmarks.line_art.sheet import sheet
from benchmarks.line_art.sprites import sprites
from benchmarks.line_art.truth import centre_lines, distance_to
from pipeline.picture import encode_png

_METHODS: list[Methods] = []  # of this process


def prepare(needs: Needs) -> None:
    """Load the methods of a worker process, which has one core."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _METHODS.append(Methods(needs))


def scores(row: str, number: int) -> dict[str, float]:
    """Return the F1 of every method on a picture; ours come first."""
    picture, found = _picture_and_ink(row, number)
    return {
        name: score(centre_lines(ink), picture.lines, picture.certain).f1
        for name, ink in found.items()
    }


def is_ours(method: str) -> bool:
    """Return whether the project offers this way to find lines."""
    return method in (*OURS, "inker", OUR_FILTERS, "centerline")


def row_sheet(folder: Path, row: str, numbers: Sequence[int], other: str) -> None:
    """Draw pictures of a row: colour, true lines, our lines, and those of another method."""
    cells = []
    shown = []
    for number in numbers:
        picture, found = _picture_and_ink(row, number)
        ours = [name for name in found if is_ours(name)]
        shown = list(dict.fromkeys((ours[0], ours[-1], other)))
        truth = distance_to(picture.lines) <= 1  # one pixel would vanish
        cells.append([picture.color, truth, *(found[name] for name in shown)])
    name = row.replace(",", "").replace(":", "").replace(" ", "_")
    content = encode_png(sheet(["picture", "true lines", *shown], cells))
    (folder / f"{name}.png").write_bytes(content)


def sprite_sheet(folder: Path, package: str) -> None:
    """Draw the sprites of a game and the lines that every method finds."""
    found = {}
    cells = []
    for color in sprites(package):
        found = _METHODS[0].of_picture(color)
        cells.append([color, *found.values()])
    content = encode_png(sheet(["picture", *found], cells, height=480))
    (folder / f"{package}.png").write_bytes(content)


def _picture_and_ink(row: str, number: int) -> tuple[Picture, dict[str, Ink]]:
    source, methods = SOURCES[row], _METHODS[0]
    picture = source.draw(number)
    find = methods.of_sketch if source.is_sketch else methods.of_picture
    return picture, find(picture.color)
