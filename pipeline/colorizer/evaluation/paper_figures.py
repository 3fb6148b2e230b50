"""The paper's figures, from what an evaluation has painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation import curves, figures
from pipeline.colorizer.evaluation.evaluate_job import Job
from pipeline.colorizer.evaluation.evaluation import ZERO, Painted, Pictures, drawn_z
from pipeline.colorizer.evaluation.figures import GridRow
from pipeline.colorizer.evaluation.page import PageFigure
from pipeline.colorizer.evaluation.scores import Score
from pipeline.colorizer.hints import overlay
from pipeline.colorizer.packed_pictures import HeldOut, Relatives
from pipeline.picture import encode_png

_DIMENSIONS = 6  # of z, in the sweep
_THICK = 3  # pictures
_SHIFTS = 5  # random z side by side
_CURVES = ("psnr", "ms_ssim", "hint_difference")


def draw_figures(
    pictures: Sequence[HeldOut],
    relatives: Relatives,
    colorizers: Mapping[str, Colorizer],
    scores: Sequence[Score],
    painted: Sequence[Painted],
    histories: Mapping[str, Sequence[Mapping[str, float]]],
    job: Job,
) -> dict[str, PageFigure]:
    """All figures, by the name of their file.

    Args:
        pictures: the first ones.
        relatives: their sketches and other line art.
        colorizers: by name; the first one is shown where only one is.
        scores: all of them.
        painted: what the methods painted of these pictures.
        histories: lines of metrics by colorizer.
        job: hints and seed.
    """
    first, colorizer = next(iter(colorizers.items()))
    patches = _middle(job.options.hints)
    drawn = {
        "samples": _figure(
            "Samples",
            f"Line art, {patches} hint patches, what {first} paints with z = 0, and the truth.",
            _samples(pictures, relatives, painted, first, patches, job),
        ),
        "comparison": _figure(
            "Side by side",
            f"The same line art with the same {patches} patches, painted by every method; z = 0.",
            _comparison(pictures, painted, patches, job),
        ),
        "hints": _figure(
            "What hints are worth",
            "Means over all test pictures with 95 % intervals; z = 0.",
            curves.hint_curves(scores, _CURVES),
        ),
        "number_of_hints": _figure(
            "From no hint to many",
            f"One row per picture: what {first} makes of more and more patches; z = 0.",
            _more_hints(pictures, painted, first, job),
        ),
        "shifts": _figure(
            "Drawn z",
            f"What {first} paints without hints from {_SHIFTS} random z.",
            _shifts(pictures, colorizer, job),
        ),
        "sweep": _figure(
            "Latent sweep",
            f"{first}, no hints: one dimension of z per row, from {figures.SWEEP[0]} to "
            f"{figures.SWEEP[-1]}, the others 0. A standard normal z stays within -3 and 3: this "
            "is far outside, as in the paper.",
            _sweep(pictures[0], colorizer),
        ),
        "thickness": _figure(
            "Thickness of lines",
            f"{first} with the same hints on line art "
            + ("of every variant." if len(relatives.lines) > 1 else "made thicker."),
            _thickness(pictures, relatives, colorizer, patches, job),
        ),
    }
    if any(histories.values()):
        drawn["losses"] = _figure(
            "Losses",
            "Before their weights, as moving averages, against the images seen.",
            curves.loss_curves(histories),
        )
    return drawn


def _figure(title: str, caption: str, picture: NDArray[np.uint8]) -> PageFigure:
    return PageFigure(title=title, caption=caption, png=encode_png(picture))


def _middle(hints: Sequence[int]) -> int:
    """The number of patches that most figures show: the paper's users put about ten."""
    return min(hints, key=lambda count: abs(count - 10))


def _results(
    painted: Sequence[Painted], method: str, z: str, hints: int
) -> list[NDArray[np.uint8]]:
    for one in painted:
        if (one.method, one.z, one.hints) == (method, z, hints):
            return list(one.results)
    return []


def _rows(pictures: Sequence[HeldOut], columns: Sequence[Pictures]) -> list[GridRow]:
    return [
        GridRow(label=str(picture.id), pictures=[column[number] for column in columns])
        for number, picture in enumerate(pictures)
    ]


def _hinted(pictures: Sequence[HeldOut], patches: int, job: Job) -> list[NDArray[np.uint8]]:
    put = [picture.hints(patches, job.hints, job.seed) for picture in pictures]
    return [overlay(one.line, hints) for one, hints in zip(pictures, put, strict=True)]


def _samples(
    pictures: Sequence[HeldOut],
    relatives: Relatives,
    painted: Sequence[Painted],
    name: str,
    patches: int,
    job: Job,
) -> NDArray[np.uint8]:
    columns: dict[str, Pictures] = {"sketch": relatives.sketches} if relatives.sketches else {}
    columns |= {
        "line art": [picture.line for picture in pictures],
        "hints": _hinted(pictures, patches, job),
        name: _results(painted, name, ZERO, patches),
        "truth": [picture.color for picture in pictures],
    }
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _comparison(
    pictures: Sequence[HeldOut], painted: Sequence[Painted], patches: int, job: Job
) -> NDArray[np.uint8]:
    names = dict.fromkeys(one.method for one in painted if one.z == ZERO)
    columns: dict[str, Pictures] = {"hints": _hinted(pictures, patches, job)}
    columns["nearest-hint fill"] = _results(painted, "nearest-hint fill", "", patches)
    columns |= {name: _results(painted, name, ZERO, patches) for name in reversed(names)}
    columns["truth"] = [picture.color for picture in pictures]
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _more_hints(
    pictures: Sequence[HeldOut], painted: Sequence[Painted], name: str, job: Job
) -> NDArray[np.uint8]:
    columns: dict[str, Pictures] = {
        str(count): _results(painted, name, ZERO, count) for count in job.options.hints
    }
    columns["truth"] = [picture.color for picture in pictures]
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _shifts(pictures: Sequence[HeldOut], colorizer: Colorizer, job: Job) -> NDArray[np.uint8]:
    columns: dict[str, Pictures] = {"line art": [picture.line for picture in pictures]}
    for shift in range(_SHIFTS):
        z = [drawn_z(colorizer.latent, job.seed, picture.id, shift) for picture in pictures]
        lines = [picture.line for picture in pictures]
        columns[f"z {shift + 1}"] = list(colorizer.paint(lines, [None] * len(lines), np.stack(z)))
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _sweep(picture: HeldOut, colorizer: Colorizer) -> NDArray[np.uint8]:
    dimensions = np.linspace(0, colorizer.latent - 1, min(_DIMENSIONS, colorizer.latent))
    count = len(figures.SWEEP)
    rows = []
    for dimension in dimensions.round().astype(int):
        z = np.zeros((count, colorizer.latent), np.float32)
        z[:, dimension] = figures.SWEEP
        painted = colorizer.paint([picture.line] * count, [None] * count, z)
        rows.append(GridRow(label=f"z[{dimension}]", pictures=list(painted)))
    return figures.latent_sweep(rows)


def _thickness(
    pictures: Sequence[HeldOut], relatives: Relatives, colorizer: Colorizer, patches: int, job: Job
) -> NDArray[np.uint8]:
    """On all variants of the line art; where there is one alone, on copies with wider strokes."""
    shown = pictures[:_THICK]
    variants: Mapping[str, Pictures] = relatives.lines
    if len(variants) == 1:
        variants = {
            name: [_thicker(picture.line, more) for picture in shown]
            for more, name in enumerate(("as it is", "1 px thicker", "2 px thicker"))
        }
    lines = [[variant[number] for variant in variants.values()] for number in range(len(shown))]
    hints = [picture.hints(patches, job.hints, job.seed) for picture in shown]
    results = [
        list(colorizer.paint(of_one, [put] * len(of_one)))
        for of_one, put in zip(lines, hints, strict=True)
    ]
    return figures.thickness(list(variants), lines, results)


def _thicker(line: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Line art whose strokes are wider by some pixels."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pixels + 1, pixels + 1))
    return np.asarray(cv2.erode(line, kernel), np.uint8)
