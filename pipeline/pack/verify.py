"""Check that files of a dataset are undamaged.

Packed files: `senga verify data/sample/train.h5 data/sample/test.h5`.
Everything in the folder of a dataset: `senga verify --data data/sample`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.pack.verify_data import verify_data
from pipeline.pack.verify_files import verify
from sketch_models.errors import DatasetError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was verified, or the faults; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="senga verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", type=Path, help="train.h5 and test.h5 of a dataset")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder of a dataset")
    chosen = parser.parse_args(arguments)
    if (chosen.data is None) == (not chosen.files):
        parser.error("give either packed files, or --data and the folder of a dataset")
    try:
        return _verify_folder(chosen.data) if chosen.data else _verify_files(chosen.files)
    except DatasetError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _verify_files(paths: Sequence[Path]) -> int:
    for summary in verify(paths):
        *groups, last = ["colour", "lines", *(["sketches"] * summary.sketches), *summary.extras]
        sys.stdout.write(
            f"{summary.path}: {summary.pictures:,} pictures of {summary.size} x "
            f"{summary.size}, {', '.join(groups)} and {last}: "
            f"valid, content {summary.content[:12]}\n"
        )
    return 0


def _verify_folder(folder: Path) -> int:
    result = verify_data(folder)
    for fault in result.faults:
        sys.stderr.write(f"{fault}\n")
    checked = ", ".join(f"{number:,} {name}" for name, number in result.checked.items())
    faults = f"{len(result.faults):,} faults" if result.faults else "no fault"
    sys.stdout.write(f"{folder}: {checked}: {faults}\n")
    for path in result.without_digests:
        sys.stdout.write(f"  {path}: without digests, as an earlier version made it\n")
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
