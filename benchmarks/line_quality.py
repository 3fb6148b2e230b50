"""Score ways to find lines on pictures whose lines are known, and that nothing was trained on.

`python benchmarks/line_quality.py` prints a table; `--save` also writes it to
`results/line_quality.md`; `--sheets FOLDER` draws the best, the median and the worst picture of
every row, and sprites of two games, with the lines that are found. `--only TEXT` takes the rows
whose name has that text, and `--pictures N` fewer pictures of each: a look takes a minute so.

A pixel of a centre line counts as right if the other centre line is within 2 pixels, at a long
side of 768. Test art and rivals are fetched once, into `data/benchmark_art/`; without npm, apt or
pip, what needs them is left out.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks.harness.report import make_parser, publish
from benchmarks.line_art import fetch, judge
from benchmarks.line_art.methods import Needs
from benchmarks.line_art.pictures import SOURCES
from benchmarks.line_art.sprites import SPRITES
from benchmarks.line_art.table import Scores, report
from sketch_models import line_weights
from sketch_models.errors import WeightsError

T = TypeVar("T")
PICTURES = 32


def or_nothing(make: Callable[[], T]) -> T | None:
    """Return what is fetched, or None after a sentence that says why not."""
    try:
        return make()
    except fetch.NotFetchedError as error:
        sys.stderr.write(f"{error}\n")
        return None


def networks(tracer: str, inker: str) -> tuple[str, str] | None:
    """Return the weights of both networks, or None after a sentence if one is missing."""
    try:
        line_weights.find(tracer, "tracer")
        line_weights.find(inker, "inker")
    except WeightsError as error:
        sys.stderr.write(f"{error}\n")
        return None
    return tracer, inker


def rows(only: str) -> list[str]:
    """Return the names of the rows whose pictures are there."""
    names = [name for name in SOURCES if only in name]
    needed = dict.fromkeys(make for name in names if (make := SOURCES[name].fetch))
    missing = {make for make in needed if or_nothing(make) is None}
    return [name for name in names if SOURCES[name].fetch not in missing]


def numbers(row: str, pictures: int) -> range:
    return range(min(pictures, SOURCES[row].pictures or pictures))


def score_rows(pool: Executor, names: Sequence[str], pictures: int) -> dict[str, Scores]:
    """Return the F1 of every picture by method, by row."""
    futures = {
        name: [pool.submit(judge.scores, name, i) for i in numbers(name, pictures)]
        for name in names
    }
    results: dict[str, Scores] = {}
    for name, of_row in futures.items():
        results[name] = [future.result() for future in of_row]
        sys.stderr.write(f"{len(results)}/{len(names)} {name}\n")
    return results


def draw_sheets(pool: Executor, folder: Path, results: Mapping[str, Scores]) -> None:
    """Draw the best, the median and the worst picture of every row by our lines; and sprites."""
    folder.mkdir(parents=True, exist_ok=True)
    work = [
        pool.submit(judge.row_sheet, folder, row, _typical(scores), _best_other(scores))
        for row, scores in results.items()
    ]
    work += [
        pool.submit(judge.sprite_sheet, folder, package)
        for package in SPRITES
        if or_nothing(partial(fetch.debian, package))
    ]
    for future in work:
        future.result()


def _typical(scores: Scores) -> list[int]:
    """Return the numbers of the best, the median and the worst picture."""
    ours = next(iter(scores[0]))
    order = sorted(range(len(scores)), key=lambda i: -scores[i][ours])
    return list(dict.fromkeys((order[0], order[len(order) // 2], order[-1])))


def _best_other(scores: Scores) -> str:
    """Return the best method that is none of ours."""
    others = [name for name in scores[0] if not judge.is_ours(name)]
    return max(others, key=lambda name: statistics.mean(f1[name] for f1 in scores))


def main() -> None:
    parser = make_parser(__doc__, "line_quality.md")
    parser.add_argument("--only", default="", help="take the rows whose name has this text")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="of each row, at most")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets")
    for network in ("tracer", "inker"):
        parser.add_argument(f"--{network}", default=line_weights.SHIPPED, help="its weights")
    args = parser.parse_args()
    names = rows(args.only)
    if not names or args.pictures < 1:
        parser.error(f"no row or no picture is left; the rows are: {', '.join(SOURCES)}")
    weights = networks(args.tracer, args.inker)
    with ProcessPoolExecutor(
        mp_context=multiprocessing.get_context("spawn"),
        initializer=judge.prepare,
        initargs=(Needs(weights=weights, lineartization=or_nothing(fetch.lineartization)),),
    ) as pool:
        results = score_rows(pool, names, args.pictures)
        publish(report(results), "line_quality.md", save=args.save)
        if args.sheets:
            draw_sheets(pool, args.sheets, results)


if __name__ == "__main__":
    main()
