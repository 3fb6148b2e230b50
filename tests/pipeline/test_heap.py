"""Freed pictures do not go back to the system page by page."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, threading
from pipeline.heap import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()

def work():
    for _ in range(100):
        blocks = [bytes([1]) * 1_000_000 * size for size in (4, 3, 4, 3)]
        del blocks

thread = threading.Thread(target=work)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators do as they like")
def test_a_thread_gets_its_own_memory_back() -> None:
    command = [sys.executable, "-c", FAULTS]
    kept, given_back = (
        int(subprocess.run([*command, way], check=True, stdout=subprocess.PIPE).stdout)
        for way in ("keep", "give back")
    )
    assert kept < given_back / 5
