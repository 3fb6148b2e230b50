"""Freed memory of a training on a CPU: it is kept, unless the user says otherwise."""

import platform
import subprocess
import sys

import pytest

from tests.end_to_end.luigi import ENV, TOP

CODE = """
import resource
from pipeline.training.memory import keep_freed_tensors

def page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

keep_freed_tensors()
bytearray(64 << 20)
before = page_faults()
for _ in range(4):
    bytearray(64 << 20)
print(page_faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the parameters are glibc's")
@pytest.mark.parametrize(
    ("variables", "is_kept"),
    [
        ({}, True),
        ({"MALLOC_MMAP_MAX_": "65536", "MALLOC_TRIM_THRESHOLD_": "131072"}, False),
        ({"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1048576"}, False),
    ],
)
def test_freed_blocks_are_used_again(variables: dict[str, str], is_kept: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=TOP,
        env={**ENV, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (int(done.stdout) < 1000) == is_kept  # a block has 16,384 pages
