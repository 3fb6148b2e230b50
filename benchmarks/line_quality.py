"""Score the default sketches and lines against the true line art of the sample booru.

`python benchmarks/line_quality.py` prints a table; `--save` also writes it to
`results/line_quality.md`; `--worst FILE.png` draws the worst pictures: colour, true lines, and
predicted lines in black, missing ones in red and wrong ones in blue.

A pixel of a centre line counts as right if the other centre line is within 2 pixels, at a long
side of 768. The pictures are none of those that the defaults were chosen by (7000 to 7009).
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from benchmarks.harness.drawings import SIZE, line_maps
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.picture import encode_png, resize_long_side
from pipeline.sample_booru.artist.draw import draw
from sketch_models.styles import STYLES

MAX_DISTANCE = 2.0  # pixels
FIRST_ID = 20_000


@dataclass(frozen=True, kw_only=True)
class Score:
    """Precision and recall of one style of one picture, 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def centre_lines(line: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the centre lines of line art, one pixel wide."""
    skeleton: NDArray[np.bool_] = skeletonize(line < 128)
    return skeleton


def distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of every pixel to the nearest one of the mask, in pixels."""
    inverse = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inverse, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def score(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Score:
    if not predicted.any():
        return Score(precision=0.0, recall=0.0)
    return Score(
        precision=float((distance_to(truth)[predicted] <= MAX_DISTANCE).mean()),
        recall=float((distance_to(predicted)[truth] <= MAX_DISTANCE).mean()),
    )


def true_and_predicted(post_id: int) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.bool_]]]:
    """Return the centre lines as drawn, and the predicted ones by style."""
    drawing = draw(post_id)
    predicted = {style: centre_lines(line) for style, line in line_maps(drawing.color).items()}
    return centre_lines(resize_long_side(drawing.line, SIZE)), predicted


def scores(post_id: int) -> dict[str, Score]:
    truth, predicted = true_and_predicted(post_id)
    return {style: score(mask, truth) for style, mask in predicted.items()}


def picture(post_id: int) -> NDArray[np.uint8]:
    """Draw colour, true lines, and the predicted `original` lines with the errors marked."""
    truth, predicted = true_and_predicted(post_id)
    drawing = draw(post_id)
    color = resize_long_side(drawing.color, SIZE)
    errors = np.full_like(color, 255)
    lines = predicted["original"]
    wrong = lines & (distance_to(truth) > MAX_DISTANCE)
    missing = truth & (distance_to(lines) > MAX_DISTANCE)
    for mask, mask_color in ((lines, (0, 0, 0)), (wrong, (40, 90, 255)), (missing, (230, 30, 30))):
        errors[distance_to(mask) <= 1] = mask_color
    true_lines = np.repeat(resize_long_side(drawing.line, SIZE)[..., None], 3, axis=2)
    square = np.full((color.shape[0], 768 * 3, 3), 255, np.uint8)
    for column, pixels in enumerate((color, true_lines, errors)):
        square[:, 768 * column : 768 * column + pixels.shape[1]] = pixels
    return square


def report(results: Sequence[dict[str, Score]]) -> str:
    """Return the page of results."""
    columns = [
        ("style", "s"),
        ("precision", ".3f"),
        ("recall", ".3f"),
        ("F1, median", ".3f"),
        ("F1, mean", ".3f"),
        ("F1, worst", ".3f"),
    ]
    rows = []
    for style in STYLES:
        of_style = [result[style] for result in results]
        precision = statistics.median(score.precision for score in of_style)
        recall = statistics.median(score.recall for score in of_style)
        f1 = [score.f1 for score in of_style]
        rows.append((style, precision, recall, statistics.median(f1), statistics.mean(f1), min(f1)))
    return page(
        "Line quality",
        f"{len(results)} pictures of the sample booru, from id {FIRST_ID}; within "
        f"{MAX_DISTANCE:.0f} px at a long side of {SIZE}.",
        ("numpy", "opencv-python-headless", "scikit-image"),
        table(columns, rows),
    )


def main() -> None:
    parser = make_parser(__doc__, "line_quality.md")
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--worst", type=Path, help="draw the worst four pictures")
    args = parser.parse_args()
    ids = range(FIRST_ID, FIRST_ID + args.pictures)
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(scores, ids))
    publish(report(results), "line_quality.md", save=args.save)
    if args.worst:
        worst = sorted(zip(results, ids, strict=True), key=lambda row: row[0]["original"].f1)
        args.worst.write_bytes(encode_png(np.vstack([picture(i) for _, i in worst[:4]])))


if __name__ == "__main__":
    main()
