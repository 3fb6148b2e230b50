"""The parameters of glibc's malloc, which a process sets that knows what it will allocate."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Mapping


def set_malloc(parameters: Mapping[str, tuple[int, int]]) -> None:
    """Set parameters of malloc for this process, but none that the user has set.

    With other C libraries this has no effect.

    Args:
        parameters: number and value for mallopt(3), by the environment variable that sets the same.
    """
    if platform.libc_ver()[0] != "glibc" or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return
    libc = ctypes.CDLL(None)
    for variable, (parameter, value) in parameters.items():
        if variable not in os.environ:
            libc.mallopt(parameter, value)
