"""Run what `pipeline.pack.isolated` does in a child in a fork, which starts in no time.

For a process without threads, as that of a long run of random input.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Sequence

from pipeline.child_process import JsonLine, KilledError
from pipeline.pack import isolated_main


def run_module(
    module: str, arguments: Sequence[str], on_message: Callable[[JsonLine], None], processes: int
) -> None:
    """Run `isolated_main` like `pipeline.child_process.run_module`."""
    assert (module, processes) == (isolated_main.__name__, 1)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            sys.stdout = io.StringIO()
            isolated_main.main(list(arguments))
            with os.fdopen(writing, "w") as pipe:
                pipe.write(sys.stdout.getvalue())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        output = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        raise KilledError(module, -status, "")
    if status:
        raise RuntimeError(f"{module} failed")
    on_message(json.loads(output))
