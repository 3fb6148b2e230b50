"""What the demo's threads have freed is used again by others, unless the user says otherwise."""

import platform
import subprocess
import sys

import pytest

from tests.end_to_end.luigi import ENV, TOP

CODE = """
import threading
from pathlib import Path
from pipeline.demo.memory import share_heaps

def megabytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20

def use():
    for _ in range(3):
        b"x" * (16 << 20)
    used.release()
    end.wait()

share_heaps()
before, used, end = megabytes(), threading.Semaphore(0), threading.Event()
for _ in range(8):  # one after another, and all of them stay
    threading.Thread(target=use, daemon=True).start()
    used.acquire()
print(megabytes() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the parameters are glibc's")
@pytest.mark.parametrize(
    ("variables", "is_shared"), [({}, True), ({"MALLOC_ARENA_MAX": "16"}, False)]
)
def test_threads_share_what_they_have_freed(variables: dict[str, str], is_shared: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=TOP,
        env={**ENV, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (float(done.stdout) < 64) == is_shared, done.stdout
