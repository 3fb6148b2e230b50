"""The paper's figures, from the results of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation import curves, figures
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.evaluation.evaluation import MethodResults
from pipeline.colorizer.evaluation.figures import GridRow
from pipeline.colorizer.evaluation.methods import Pictures, random_z
from pipeline.colorizer.evaluation.page import PageFigure
from pipeline.colorizer.evaluation.scores import ZERO, Score, typical_hint_count
from pipeline.colorizer.hints import overlay
from pipeline.colorizer.packed_pictures import PackedPicture, Variants
from pipeline.picture import encode_png

_SWEEP_DIMENSIONS = 6  # of z
_THICKNESS_PICTURES = 3
_RANDOM_Z_COUNT = 5  # side by side
_PLOTTED_METRICS = ("psnr", "ms_ssim", "hint_difference")


def draw_figures(
    pictures: Sequence[PackedPicture],
    variants: Variants,
    colorizers: Mapping[str, Colorizer],
    scores: Sequence[Score],
    results: Sequence[MethodResults],
    logs: Mapping[str, Sequence[Mapping[str, float]]],
    job: EvaluateJob,
) -> dict[str, PageFigure]:
    """Return all figures, by the name of their file.

    Args:
        pictures: the first test pictures.
        variants: their sketches, and all variants of their line art.
        colorizers: by name; figures of a single colorizer show the first.
        scores: all scores.
        results: of all methods, for these pictures.
        logs: lines of the training's log, by colorizer.
        job: hints and seed.
    """
    first, colorizer = next(iter(colorizers.items()))
    patches = typical_hint_count(job.options.hint_counts)
    page_figures = {
        "samples": _figure(
            "Samples",
            f"Line art, {patches} hint patches, the result of {first} with z = 0, and the truth.",
            _samples(pictures, variants, results, first, patches, job),
        ),
        "comparison": _figure(
            "Side by side",
            f"The results of every method for the same line art with the same {patches} "
            "hints; z = 0.",
            _comparison(pictures, results, patches, job),
        ),
        "hints": _figure(
            "Metrics by number of hints",
            "Means over all test pictures with 95 % intervals; z = 0.",
            curves.plot_metrics(scores, _PLOTTED_METRICS),
        ),
        "number_of_hints": _figure(
            "Results by number of hints",
            f"One row per picture: the results of {first} with more and more hints; z = 0.",
            _more_hints(pictures, results, first, job),
        ),
        "shifts": _figure(
            "Random z",
            f"The results of {first} without hints for {_RANDOM_Z_COUNT} random z.",
            _random_z(pictures, colorizer, job),
        ),
        "sweep": _figure(
            "Latent sweep",
            f"{first}, no hints: one dimension of z per row, from {figures.SWEEP[0]} to "
            f"{figures.SWEEP[-1]}, the others 0. This is the paper's range; a standard normal z "
            "stays within -3 and 3.",
            _sweep(pictures[0], colorizer),
        ),
        "thickness": _figure(
            "Line thickness",
            f"The results of {first} with the same hints for "
            + ("all variants of the line art." if len(variants.lines) > 1 else "thicker line art."),
            _thickness(pictures, variants, colorizer, patches, job),
        ),
    }
    if any(logs.values()):
        page_figures["losses"] = _figure(
            "Losses",
            "Losses before their weights, as logged and smoothed, against the images seen.",
            curves.plot_losses(logs),
        )
    return page_figures


def _figure(title: str, caption: str, picture: NDArray[np.uint8]) -> PageFigure:
    return PageFigure(title=title, caption=caption, png=encode_png(picture))


def _find_results(
    results: Sequence[MethodResults], method: str, z: str, hints: int
) -> list[NDArray[np.uint8]]:
    for each in results:
        if (each.method, each.z, each.hints) == (method, z, hints):
            return list(each.results)
    return []


def _rows(pictures: Sequence[PackedPicture], columns: Sequence[Pictures]) -> list[GridRow]:
    return [
        GridRow(label=str(picture.id), pictures=[column[number] for column in columns])
        for number, picture in enumerate(pictures)
    ]


def _overlays(
    pictures: Sequence[PackedPicture], patches: int, job: EvaluateJob
) -> list[NDArray[np.uint8]]:
    return [
        overlay(picture.line, picture.hints(patches, job.hints, job.seed)) for picture in pictures
    ]


def _samples(
    pictures: Sequence[PackedPicture],
    variants: Variants,
    results: Sequence[MethodResults],
    name: str,
    patches: int,
    job: EvaluateJob,
) -> NDArray[np.uint8]:
    columns: dict[str, Pictures] = {"sketch": variants.sketches} if variants.sketches else {}
    columns |= {
        "line art": [picture.line for picture in pictures],
        "hints": _overlays(pictures, patches, job),
        name: _find_results(results, name, ZERO, patches),
        "truth": [picture.color for picture in pictures],
    }
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _comparison(
    pictures: Sequence[PackedPicture],
    results: Sequence[MethodResults],
    patches: int,
    job: EvaluateJob,
) -> NDArray[np.uint8]:
    names = dict.fromkeys(each.method for each in results if each.z == ZERO)
    columns: dict[str, Pictures] = {"hints": _overlays(pictures, patches, job)}
    for name in ("nearest-hint fill", "geodesic fill"):
        columns[name] = _find_results(results, name, "", patches)
    columns |= {name: _find_results(results, name, ZERO, patches) for name in reversed(names)}
    columns["truth"] = [picture.color for picture in pictures]
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _more_hints(
    pictures: Sequence[PackedPicture], results: Sequence[MethodResults], name: str, job: EvaluateJob
) -> NDArray[np.uint8]:
    columns: dict[str, Pictures] = {
        str(count): _find_results(results, name, ZERO, count) for count in job.options.hint_counts
    }
    columns["truth"] = [picture.color for picture in pictures]
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _random_z(
    pictures: Sequence[PackedPicture], colorizer: Colorizer, job: EvaluateJob
) -> NDArray[np.uint8]:
    columns: dict[str, Pictures] = {"line art": [picture.line for picture in pictures]}
    for number in range(_RANDOM_Z_COUNT):
        z = [random_z(colorizer.latent_dim, job.seed, picture.id, number) for picture in pictures]
        lines = [picture.line for picture in pictures]
        columns[f"z {number + 1}"] = colorizer.colorize_batch(lines, z=np.stack(z))
    return figures.picture_grid(list(columns), _rows(pictures, list(columns.values())))


def _sweep(picture: PackedPicture, colorizer: Colorizer) -> NDArray[np.uint8]:
    dimensions = np.linspace(
        0, colorizer.latent_dim - 1, min(_SWEEP_DIMENSIONS, colorizer.latent_dim)
    )
    count = len(figures.SWEEP)
    rows = []
    for dimension in dimensions.round().astype(int):
        z = np.zeros((count, colorizer.latent_dim), np.float32)
        z[:, dimension] = figures.SWEEP
        results = colorizer.colorize_batch([picture.line] * count, z=z)
        rows.append(GridRow(label=f"z[{dimension}]", pictures=results))
    return figures.latent_sweep(rows)


def _thickness(
    pictures: Sequence[PackedPicture],
    variants: Variants,
    colorizer: Colorizer,
    patches: int,
    job: EvaluateJob,
) -> NDArray[np.uint8]:
    """Draw the results for all variants of the line art, or for thicker copies of a single one."""
    shown = pictures[:_THICKNESS_PICTURES]
    by_name: Mapping[str, Pictures] = variants.lines
    if len(by_name) == 1:
        by_name = {
            name: [_thicken(picture.line, pixels) for picture in shown]
            for pixels, name in enumerate(("unchanged", "1 px thicker", "2 px thicker"))
        }
    lines = [[column[number] for column in by_name.values()] for number in range(len(shown))]
    hints = [picture.hints(patches, job.hints, job.seed) for picture in shown]
    results = [
        colorizer.colorize_batch(
            of_picture, [each] * len(of_picture), boxes=[picture.box] * len(of_picture)
        )
        for of_picture, each, picture in zip(lines, hints, shown, strict=True)
    ]
    return figures.thickness_grid(list(by_name), lines, results)


def _thicken(line: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Return line art with strokes that are wider by some pixels."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pixels + 1, pixels + 1))
    return np.asarray(cv2.erode(line, kernel), np.uint8)
