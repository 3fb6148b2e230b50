"""Read a packed file within limits, for `pipeline.pack.isolated`.

Prints a line of JSON: what `verify` finds, or what is wrong.
"""

from __future__ import annotations

import dataclasses
import json
import math
import resource
import sys
import time
from pathlib import Path

from pipeline.child_process import run_main
from pipeline.damage import DamagedFileError
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.isolated import trust
from pipeline.pack.verify_files import DatasetSummary, verify_file
from sketch_models.errors import DatasetError


def main(arguments: list[str]) -> None:
    """Read the layout of a file, or verify it: `layout` or `verify`, its path, and the limits."""
    job, path, seconds, megabytes = arguments[0], Path(arguments[1]), *map(int, arguments[2:])
    _limit_memory(megabytes << 20)
    _limit_time(seconds)
    trust(path)  # or it would have a child read it
    found: dict[str, object] = {}
    try:
        if job == "verify":
            found = _fields(verify_file(path, lambda _: _limit_time(seconds)))
        else:
            DatasetReader(path)
    except DamagedFileError as error:
        found = {"fault": error.fault}
    except DatasetError as error:
        found = {"message": str(error)}
    except MemoryError:
        found = {"fault": f"it takes more than {megabytes:,} MB to read it"}
    sys.stdout.write(json.dumps(found) + "\n")


def _fields(summary: DatasetSummary) -> dict[str, object]:
    fields = {**dataclasses.asdict(summary), "ids": summary.ids.tolist()}
    del fields["path"]
    return fields


def _limit_time(seconds: int) -> None:
    """End the process once it has used a processor for more seconds than these from now on.

    Not by the clock: a slow disk, or a busy machine, is no damage.
    """
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds)


def _limit_memory(size: int) -> None:
    """Refuse more bytes than these from now on, where the system keeps such a limit."""
    _limit(resource.RLIMIT_CORE, 0)
    statm = Path("/proc/self/statm")
    if statm.exists():
        pages = int(statm.read_text().split()[0])
        _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + size)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


if __name__ == "__main__":
    sys.exit(run_main(main, sys.argv[1:]))
