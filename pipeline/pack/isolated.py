"""Read packed files that others have made in a process of its own first.

Of a damaged file, the HDF5 library may read a collection of strings for ever, take 4 GB for a
string of 64 bytes, or end the process. Nothing in the process can end or survive that, so what it
is about to read of a file is read by a child before, with limits on the time of a processor and
on memory; see `pipeline.pack.isolated_main`. A file that this process has written itself, or that
a child has read already, is not read twice.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Literal

from pipeline.child_process import JsonLine, KilledError, run_module
from pipeline.damage import DamagedFileError
from pipeline.pack.parts import find_parts
from sketch_models.errors import DatasetError

_MODULE = "pipeline.pack.isolated_main"
MAX_CPU_SECONDS = 5  # without progress; all of a sound file but its pictures takes a tenth of one
MAX_MEGABYTES = 2048
_FAULTS = {
    signal.SIGXCPU: "the HDF5 library reads it without end",
    **dict.fromkeys(
        (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL),
        "the HDF5 library crashes as it reads it",
    ),
}

_State = tuple[tuple[int, int, int, int], ...]
_sound: set[_State] = set()


def trust(path: Path) -> None:
    """Note that a file need not be read by a child, as long as it does not change."""
    _sound.add(_state(path))


def _state(path: Path) -> _State:
    """Return what changes if the file, or a part of it, does."""
    states = (file.stat() for file in (path, *find_parts(path)))
    return tuple((each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns) for each in states)


def read_isolated(job: Literal["layout", "verify"], path: Path) -> JsonLine | None:
    """Read a packed file in a child, unless it is trusted.

    Args:
        job: `layout`, what `DatasetReader` reads as it begins; or `verify`.
        path: of the file.

    Returns:
        What the child found: nothing for the layout, else the fields of `DatasetSummary` but for
        the path; None for a trusted file.

    Raises:
        DatasetError: what is wrong with the file.
    """
    state = _state(path)
    if state in _sound:
        return None
    found: JsonLine = {}
    try:
        limits = [str(MAX_CPU_SECONDS), str(MAX_MEGABYTES)]
        run_module(_MODULE, [job, str(path), *limits], found.update, 1)
    except KilledError as error:
        if error.number not in _FAULTS:
            raise
        raise DamagedFileError(path, _FAULTS[signal.Signals(error.number)]) from error
    if fault := found.get("fault"):
        raise DamagedFileError(path, fault)
    if message := found.get("message"):
        raise DatasetError(message)
    _sound.add(state)
    return found
