"""Lists, fetches and verifies the weight files of the networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from sketch_models.errors import SengaError
from sketch_models.weights.cache import digests_of, published
from sketch_models.weights.weights import FILES, fetch, folder, is_ready

_HDF5 = b"\x89HDF\r\n\x1a\n"  # what such a file begins with


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 where all is well, else 1 and a sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m sketch_models.weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="which files there are, and which are here")
    fetching = commands.add_parser("fetch", help="download a file, unless it is here")
    fetching.add_argument("name", help=", ".join(FILES))
    verifying = commands.add_parser("verify", help="say what a file is")
    verifying.add_argument("path", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "list":
            said = table()
        elif chosen.command == "fetch":
            said = str(fetch(chosen.name))
        else:
            said = verify(chosen.path)
    except SengaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def table() -> str:
    """The published files, one per line, and the folder that they are kept in."""
    rows = [("name", "network", "MB", "licence", "here")]
    for name, file in FILES.items():
        here = "yes" if is_ready(name) else "no"
        rows.append((name, file.network, f"{file.megabytes:.0f}", file.licence, here))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, f"folder: {folder()} (SENGA_WEIGHTS names another)"])


def verify(path: Path) -> str:
    """What a file is: a published one by its digest, or else by its content.

    Raises:
        SengaError: where it is no weight file of any network, or there is no such file.
    """
    digests = digests_of(path)
    file = published(digests)
    if file:
        known = "as published" if file.digest else "as it was first seen"
        return f"{path}: {file.name}, weights of {file.network}, {known}; licence: {file.licence}"
    faults = []
    for network, read in _readers(path).items():
        fault = _fault(path, read)
        if not fault:
            unknown = f"sha256:{digests.sha256}, which is no published one"
            return f"{path}: weights of {network}, whole; {unknown}"
        faults.append(f"  {network}: {fault}")
    raise SengaError("\n".join([f"{path} is not a weight file of any network.", *faults]))


def _fault(path: Path, read: Callable[[Path], object]) -> str:
    try:
        read(path)
    except SengaError as error:
        return str(error)
    return ""


def _readers(path: Path) -> dict[str, Callable[[Path], object]]:
    """What could read a file, by network; some load PyTorch, which only strangers need."""
    sketchkeras = import_module("sketch_models.weights.keras_file").read
    with path.open("rb") as opened:
        if opened.read(len(_HDF5)) == _HDF5:
            return {"sketchkeras": sketchkeras}
    simo_serra = import_module("sketch_models.weights.simo_serra_file").read
    return {
        "simo_serra": lambda path: simo_serra(path, "gan"),
        "danbooru_resnet": import_module("sketch_models.perceptual.danbooru_resnet").load,
        "sketchkeras": sketchkeras,
    }


if __name__ == "__main__":
    sys.exit(main())
