"""Scores the default sketches and lines against the known line art of the sample booru.

`python benchmarks/line_quality.py` prints a table; `--save` also writes it to
`results/line_quality.md`; `--worst FILE.png` draws the worst pictures: colour, known lines, and
what was found in black, what is missing in red and what is wrong in blue.

A pixel of a centre line counts as right where the other centre line is within 2 pixels, at a long
side of 768. The pictures are none of those that the defaults were chosen by (7000 to 7009).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from machine import describe
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from pipeline.draw.sketch import SketchOptions
from pipeline.picture import encode_png, fit
from pipeline.sample_booru.artist import draw
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions

NEAR = 2.0  # pixels
FIRST = 20_000  # post id
XDOG, CENTERLINE = Xdog(XdogOptions()), Centerline(CenterlineOptions())


@dataclass(frozen=True, kw_only=True)
class Score:
    """Of one style of one picture; all 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def centre(line: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Centre lines of line art, one pixel wide."""
    skeleton: NDArray[np.bool_] = skeletonize(line < 128)
    return skeleton


def away(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels from everywhere to the nearest one of the mask."""
    inverse = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inverse, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def score(found: NDArray[np.bool_], known: NDArray[np.bool_]) -> Score:
    if not found.any():
        return Score(precision=0.0, recall=0.0)
    return Score(
        precision=float((away(known)[found] <= NEAR).mean()),
        recall=float((away(found)[known] <= NEAR).mean()),
    )


def known_and_found(post_id: int) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.bool_]]]:
    """Centre lines as drawn, and as found by style."""
    drawing = draw(post_id)
    size = SketchOptions().size
    (ink,) = XDOG.extract_lines([fit(drawing.color, size)])
    lines = CENTERLINE.simplify([ink_to_sketch(ink, style) for style in STYLES])
    found = {style: centre(line) for style, line in zip(STYLES, lines, strict=True)}
    return centre(fit(drawing.line, size)), found


def scores(post_id: int) -> dict[str, Score]:
    known, found = known_and_found(post_id)
    return {style: score(mask, known) for style, mask in found.items()}


def picture(post_id: int) -> NDArray[np.uint8]:
    """Colour, known lines, and the `original` lines with what is missing and what is wrong."""
    known, found = known_and_found(post_id)
    drawing = draw(post_id)
    color = fit(drawing.color, SketchOptions().size)
    errors = np.full_like(color, 255)
    errors[away(found["original"]) <= 1] = (0, 0, 0)
    errors[(away(found["original"] & (away(known) > NEAR)) <= 1)] = (40, 90, 255)
    errors[(away(known & (away(found["original"]) > NEAR)) <= 1)] = (230, 30, 30)
    lines = np.repeat(fit(drawing.line, SketchOptions().size)[..., None], 3, axis=2)
    square = np.full((color.shape[0], 768 * 3, 3), 255, np.uint8)
    for column, pixels in enumerate((color, lines, errors)):
        square[:, 768 * column : 768 * column + pixels.shape[1]] = pixels
    return square


def table(results: Sequence[dict[str, Score]]) -> str:
    lines = ["| style | precision | recall | F1, median | F1, mean | F1, worst |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for style in STYLES:
        of_style = [result[style] for result in results]
        values = [
            statistics.median(score.precision for score in of_style),
            statistics.median(score.recall for score in of_style),
            statistics.median(score.f1 for score in of_style),
            statistics.mean(score.f1 for score in of_style),
            min(score.f1 for score in of_style),
        ]
        lines.append(f"| {style} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--save", action="store_true", help="write results/line_quality.md")
    parser.add_argument("--worst", type=Path, help="draw the worst four pictures")
    options = parser.parse_args()
    ids = range(FIRST, FIRST + options.pictures)
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(scores, ids))
    text = (
        f"# Line quality\n\n{options.pictures} pictures of the sample booru, from id {FIRST}; "
        f"within {NEAR:.0f} px at a long side of {SketchOptions().size}.\n"
        f"{describe(('numpy', 'opencv-python-headless', 'scikit-image'))}.\n\n{table(results)}\n"
    )
    sys.stdout.write(text)
    if options.save:
        target = Path(__file__).parent / "results" / "line_quality.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
    if options.worst:
        worst = sorted(zip(results, ids, strict=True), key=lambda row: row[0]["original"].f1)
        options.worst.write_bytes(encode_png(np.vstack([picture(i) for _, i in worst[:4]])))


if __name__ == "__main__":
    main()
