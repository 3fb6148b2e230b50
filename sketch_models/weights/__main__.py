"""List, download and verify the weight files of the networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from sketch_models.errors import SengaError, WeightsError
from sketch_models.weights.cache import digests_of, find_published
from sketch_models.weights.weights import FILES, cache_folder, fetch, is_available

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 after a message on stderr."""
    parser = argparse.ArgumentParser(prog="senga weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the published files, and whether they are downloaded")
    fetching = commands.add_parser("fetch", help="download a file, unless it is downloaded already")
    fetching.add_argument("name", help=", ".join(FILES))
    verifying = commands.add_parser(
        "verify", help="print which weights a file holds, and whether it is whole"
    )
    verifying.add_argument("path", type=Path)
    args = parser.parse_args(arguments)
    try:
        if args.command == "list":
            output = format_table()
        elif args.command == "fetch":
            output = str(fetch(args.name))
        else:
            output = verify(args.path)
    except SengaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 1
    sys.stdout.write(f"{output}\n")
    return 0


def format_table() -> str:
    """Return the published files, one per line, and the cache folder."""
    rows = [("name", "network", "MB", "licence", "downloaded")]
    for name, file in FILES.items():
        downloaded = "yes" if is_available(name) else "no"
        rows.append((name, file.network, f"{file.megabytes:.0f}", file.licence, downloaded))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, f"folder: {cache_folder()} (set SENGA_WEIGHTS to use another)"])


def verify(path: Path) -> str:
    """Return a line that names the weights in a file, by its digest, or else by its content.

    Raises:
        WeightsError: If it is not a weight file of any network, or there is no such file.
    """
    digests = digests_of(path)
    file = find_published(digests)
    if file:
        check = "as published" if file.digest else "as first seen"
        return f"{path}: {file.name}, weights of {file.network}, {check}; licence: {file.licence}"
    problems = []
    for network, read in _readers(path).items():
        problem = _read_error(path, read)
        if not problem:
            digest = f"sha256:{digests.sha256}, not a published file"
            return f"{path}: weights of {network}, whole; {digest}"
        problems.append(f"  {network}: {problem}")
    raise WeightsError("\n".join([f"{path}: not a weight file of any network.", *problems]))


def _read_error(path: Path, read: Callable[[Path], object]) -> str:
    try:
        read(path)
    except WeightsError as error:
        return str(error)
    return ""


def _readers(path: Path) -> dict[str, Callable[[Path], object]]:
    """Return the functions that may read a file, by network; PyTorch is only imported if needed."""
    sketchkeras = import_module("sketch_models.weights.keras_file").read
    with path.open("rb") as file:
        if file.read(len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE:
            return {"sketchkeras": sketchkeras}
    simo_serra = import_module("sketch_models.weights.simo_serra_file").read
    line_weights = import_module("sketch_models.line_weights").read
    return {
        "tracer": lambda path: line_weights(path, "tracer"),
        "inker": lambda path: line_weights(path, "inker"),
        "simo_serra": lambda path: simo_serra(path, "gan"),
        "danbooru_resnet": import_module("sketch_models.perceptual.danbooru_resnet").load,
        "sketchkeras": sketchkeras,
    }


if __name__ == "__main__":
    sys.exit(main())
