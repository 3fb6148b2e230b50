"""Feed readers with random input: `python -m tests.fuzz.readers pictures --cases 100000 --seed 0`.

Readers are pictures, headers, csv, board, packed and weights. What is wrong with an input must be
said by the errors that the reader documents; anything else escapes, and so does an end of the
process. Prints how many inputs had which outcome, what escaped, and the most seconds and megabytes
of one input.
"""

import argparse
import contextlib
import multiprocessing
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from pipeline.picture import PictureError
from sketch_models.errors import SengaError
from tests.fuzz import odd_files
from tests.fuzz.memory import Memory
from tests.fuzz.odd_pictures import FORMATS, broken, picture

Read = Callable[[Random, Path], object]
"""Makes an input and reads it; returns its outcome, or raises an error that it documents."""

CRASHED, TOO_SLOW = "the process ended", "no end"
_MAX_SECONDS = 120
_MAX_SHOWN = 50  # escapes


def read_picture(random: Random, _: Path) -> object:
    """Read a picture in every way in which stages do."""
    from pipeline.picture import decode, header_size, read_thumbnail

    format_ = random.choice(FORMATS)
    content = picture(random, format_, random.choice(("RGB", "RGBA", "L", "P", "1")))
    if random.random() < 0.9:
        content = broken(random, content)
    if random.random() < 0.3:
        content = odd_files.changed(random, content)
    for read in (header_size, read_thumbnail, _check):
        with contextlib.suppress(PictureError):
            read(content)
    try:
        decode(content)
    except PictureError as error:
        return error.code
    return "ok"


def _check(content: bytes) -> str:
    from pipeline.collect.check_picture import check_picture

    return check_picture(content, "http://x.example/a")


def read_headers(random: Random, _: Path) -> object:
    """Read the headers of a response and a robots.txt."""
    from urllib3 import HTTPHeaderDict

    from pipeline.collect.fetch_error import FetchError
    from pipeline.collect.headers import MAX_LENGTH, read_headers
    from pipeline.collect.robots import Robots, refuses_training

    headers = HTTPHeaderDict(odd_files.headers(random))
    found = read_headers(headers)
    assert found.length is None or 0 <= found.length <= MAX_LENGTH
    assert 0 <= found.retry_after < 1e9
    refused = refuses_training(headers)
    content = odd_files.robots(random)
    try:
        delay = Robots().check("https://x.example/a/" + "a" * 300, lambda _: content)
        assert delay >= 0
    except FetchError as error:
        return error.code
    return "noai" if refused else "ok"


def read_csv(random: Random, folder: Path) -> object:
    """Import a CSV."""
    from pipeline.posts.metadata import import_posts

    source = folder / "posts.csv"
    source.write_bytes(odd_files.csv(random))
    counts = import_posts(source, folder / "posts.parquet", folder / "quarantine.csv")
    return "posts" if counts.get("posts") else "no post"


def read_board(random: Random, folder: Path) -> object:
    """Collect the pages of a board, and import them."""
    from pipeline.posts.board_api import collect, read_store
    from pipeline.posts.boards.known import BOARDS, find_board
    from pipeline.posts.metadata import import_rows

    name = random.choice([name for name in BOARDS if name != "auto"])
    board = find_board(name, "https://x.example/index.php")
    pages = iter([odd_files.board_page(random), odd_files.board_page(random)])
    store = folder / "store.jsonl"
    store.unlink(missing_ok=True)
    collect(store, board, ["solo"], lambda _: next(pages, b"[]"))
    targets = folder / "posts.parquet", folder / "quarantine.csv"
    counts = import_rows(read_store(store, board), *targets)
    return "posts" if counts.get("posts") else "no post"


def read_packed(random: Random, folder: Path) -> object:
    """Read all pictures of a packed file, and verify it."""
    from pipeline.pack.verify_files import verify

    path = folder / "t.h5"
    content = odd_files.packed_file()
    path.write_bytes(content if random.random() < 0.1 else odd_files.changed(random, content))
    with contextlib.suppress(SengaError):  # its pictures are noise, also outside of their boxes
        verify([path])
    _read_pictures(path)
    return "read"


def _read_pictures(path: Path) -> None:
    from pipeline.pack.dataset_reader import DatasetReader

    reader = DatasetReader(path)
    for name in ("color", *(f"line/{each}" for each in reader.line_names)):
        for row in range(len(reader)):
            reader.picture(name, row)


def read_weights(random: Random, folder: Path) -> object:
    """Load a colorizer and the weights of a line network."""
    from pipeline.colorizer.colorizer_file import read_colorizer
    from sketch_models import line_weights

    path = folder / "w.safetensors"
    if random.random() < 0.5:
        path.write_bytes(odd_files.changed(random, odd_files.colorizer_file()))
        read_colorizer(path)
        return "colorizer"
    path.write_bytes(odd_files.changed(random, odd_files.line_weights_file()))
    line_weights.read(path, "inker")
    return "inker"


READERS: dict[str, Read] = {
    "pictures": read_picture,
    "headers": read_headers,
    "csv": read_csv,
    "board": read_board,
    "packed": read_packed,
    "weights": read_weights,
}


@dataclass
class Results:
    """What came of the inputs.

    Attributes:
        outcomes: number of inputs by outcome.
        escapes: what should not have been, a line each.
        slowest: seconds of the slowest input, and its number.
        largest: megabytes of the input that took the most, and its number.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    escapes: list[str] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    largest: tuple[float, int] = (0.0, 0)


def fuzz(name: str, cases: int, seed: int) -> Results:
    """Feed a reader, in a process of its own that is started again whenever it has ended."""
    results, number = Results(), 0
    context = multiprocessing.get_context("spawn")
    while number < cases:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(name, seed, number, cases, theirs))
        worker.start()
        theirs.close()
        try:
            while number < cases:
                if not ours.poll(_MAX_SECONDS):
                    worker.kill()
                    raise EOFError
                outcome, escape, seconds, megabytes = ours.recv()
                results.outcomes[outcome] += 1
                results.slowest = max(results.slowest, (seconds, number))
                results.largest = max(results.largest, (megabytes, number))
                if escape:
                    results.escapes.append(f"case {number} of seed {seed}: {escape}")
                number += 1
        except EOFError:
            worker.join()
            said = TOO_SLOW if worker.exitcode == -9 else f"{CRASHED} ({worker.exitcode})"
            results.outcomes[said] += 1
            results.escapes.append(f"case {number} of seed {seed}: {said}")
            number += 1
        worker.join()
    return results


def _work(name: str, seed: int, first: int, cases: int, results: Connection) -> None:
    from pipeline.pack import isolated
    from tests.fuzz import forked

    isolated.run_module = forked.run_module
    memory = Memory(os.getpid())
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, cases):
            results.send(run_case(name, seed, number, Path(folder), memory))


def run_case(
    name: str, seed: int, number: int, folder: Path, memory: Memory
) -> tuple[str, str, float, float]:
    """Return the outcome of an input, what escaped, its seconds and its megabytes."""
    random = Random(f"{name} {seed} {number}")
    memory.reset_peak()
    before, started = memory.now(), time.perf_counter()
    escape = ""
    try:
        outcome = str(READERS[name](random, folder))
    except SengaError as error:
        outcome, text = type(error).__name__, str(error)
        if "\n" in text or len(text) > 2000:
            escape = f"a message of {len(text)} characters: {text[:200]!r}"
    except Exception as error:  # noqa: BLE001, RUF100 - whatever escapes
        outcome, escape = "escaped", f"{type(error).__name__}: {error}"[:300]
    return outcome, escape, time.perf_counter() - started, memory.peak() - before


def report(name: str, results: Results) -> str:
    """Return a row of a table, and the outcomes."""
    outcomes = ", ".join(f"{code} {count:,}" for code, count in results.outcomes.most_common())
    return (
        f"| {name} | {results.outcomes.total():,} | {len(results.escapes)} | "
        f"{results.slowest[0]:.2f} | {results.largest[0]:.0f} | {outcomes} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("readers", nargs="+", choices=READERS, metavar="READER")
    parser.add_argument("--cases", type=int, default=1000, help="inputs of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs (%(default)s)")
    args = parser.parse_args()
    print(
        "| reader | inputs | escapes | s, most | MB, most | outcomes |\n|---|--:|--:|--:|--:|---|"
    )
    escapes = []
    for name in args.readers:
        results = fuzz(name, args.cases, args.seed)
        print(report(name, results), flush=True)
        escapes += [f"{name}, {escape}" for escape in results.escapes]
    print("\n".join(escapes[:_MAX_SHOWN]))
    raise SystemExit(1 if escapes else 0)


if __name__ == "__main__":
    main()
