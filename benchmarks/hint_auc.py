"""The hints of Hint-AUC, against the package hintauc 0.3.3 on the same pictures.

`python benchmarks/hint_auc.py` prints a table; `--save` also writes it to `results/hint_auc.md`.

The package runs in an environment of its own. Both find the hints of pages of the artbook, of
drawings of the sample booru, and of noise, at 512 px; they take turns, picture by picture.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from benchmarks.harness.clock import median_ratio, seconds_of
from benchmarks.harness.report import make_parser, page, publish, table
from benchmarks.line_art import fetch
from pipeline.artbook.page import draw_page
from pipeline.colorizer.evaluation.region_hints import KINDS, RATIOS, RegionHints, find_region_hints
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import draw

SIZE = 512
_SCRIPT = """
import sys, time
import cv2, numpy as np
from hintauc.hints import generate_hints
from skimage.segmentation import felzenszwalb

RATIOS = [float(ratio) for ratio in sys.argv[1].split(",")]
for line in sys.stdin:
    source, target = line.split()
    picture = cv2.imread(source)
    started = time.perf_counter()
    hints = generate_hints(picture, path_method="geodesic")
    seconds = time.perf_counter() - started
    found = {"segments": felzenszwalb(picture, scale=100, sigma=0.5, min_size=100)}
    for ratio in RATIOS:
        for kind in ("scribble", "dot"):
            color, mask = hints.at_ratio(ratio, kind, tie_break="stable")
            found[f"{kind}s {ratio} color"] = color[..., ::-1]
            found[f"{kind}s {ratio} mask"] = mask > 0
    np.savez(target, **found)
    print(seconds, flush=True)
"""


def pictures(count: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield pictures and what they show, (512, 512, 3) uint8 RGB."""
    yield "noise", np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    for number in range(count // 2):
        yield "artbook", draw_page(1 << 41 | number, SIZE).color
    for number in range(count - count // 2 - 1):
        color = draw(30_000 + number).color
        top, left = ((side - SIZE) // 2 for side in color.shape[:2])
        yield "sample booru", color[max(0, top) :, max(0, left) :][:SIZE, :SIZE]


class Package:
    """The package, in a process of its own that ends with this one."""

    def __init__(self, python: Path, folder: Path) -> None:
        ratios = ",".join(map(str, RATIOS))
        self._folder = folder
        self._child = subprocess.Popen(
            [str(python), "-c", _SCRIPT, ratios],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hints(self, picture: NDArray[np.uint8]) -> tuple[dict[str, NDArray[Any]], float]:
        """Return everything that it finds in a picture, and its seconds."""
        assert self._child.stdin
        assert self._child.stdout
        source, target = self._folder / "picture.png", self._folder / "hints.npz"
        source.write_bytes(encode_png(picture))
        self._child.stdin.write(f"{source} {target}\n")
        self._child.stdin.flush()
        seconds = float(self._child.stdout.readline())
        with np.load(target) as found:
            return dict(found), seconds


def differing(hints: RegionHints, found: dict[str, NDArray[Any]]) -> int:
    """Return how many pixels of all ratios and kinds have another hint."""
    count = 0
    for ratio in RATIOS:
        for kind in KINDS:
            own = hints.at(ratio, kind, *hints.regions.shape)
            color, mask = found[f"{kind} {ratio} color"], found[f"{kind} {ratio} mask"]
            count += int(((own.mask != mask) | (own.color != color).any(axis=2)).sum())
    return count


def main() -> None:
    """Run the command."""
    parser = make_parser(__doc__, "hint_auc.md")
    parser.add_argument("--pictures", type=int, default=20, help="how many; 20 if not given")
    arguments = parser.parse_args()
    rows: dict[str, list[tuple[int, int, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        package = Package(fetch.hintauc(), Path(folder))
        for kind, picture in pictures(arguments.pictures):
            found, theirs = package.hints(picture)
            kept: list[RegionHints] = []
            ours = seconds_of(lambda: kept.append(find_region_hints(picture)))  # noqa: B023
            segments = felzenszwalb(picture[..., ::-1], scale=100, sigma=0.5, min_size=100)
            same = picture.shape[:2] == (SIZE, SIZE) and (segments == found["segments"]).all()
            off = differing(kept[0], found)
            rows.setdefault(kind, []).append((off, int(same), theirs, ours))
            sys.stderr.write(f"{kind}: {off} pixels differ, {theirs:.2f} and {ours:.2f} s\n")
    text = page(
        "Hint-AUC",
        f"Scribbles and dots of {len(RATIOS)} ratios on a grid of 64 x 64, of pictures of 512 px; "
        "both ways take turns. The segmentation is scikit-image's in both, and its last bits "
        "differ between builds.",
        ["numpy", "opencv-python-headless", "scikit-image", "scipy"],
        table(
            [
                ("pictures", "s"),
                ("of them", "d"),
                ("equally segmented", "d"),
                ("of these, all hints equal", "d"),
                ("s a picture, hintauc", ".2f"),
                ("s a picture, Senga", ".2f"),
                ("ratio", ".2f"),
            ],
            [
                (
                    kind,
                    len(found),
                    sum(same for _, same, _, _ in found),
                    sum(same and off == 0 for off, same, _, _ in found),
                    statistics.median(theirs for *_, theirs, _ in found),
                    statistics.median(ours for *_, ours in found),
                    median_ratio([r[2] for r in found], [r[3] for r in found]),
                )
                for kind, found in rows.items()
            ],
        ),
    )
    publish(text, "hint_auc.md", save=arguments.save)


if __name__ == "__main__":
    main()
