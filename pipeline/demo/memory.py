"""The memory of the demo; this module loads no PyTorch."""

from __future__ import annotations

from pipeline.malloc import set_malloc

_PARAMETERS = {"MALLOC_ARENA_MAX": (-8, 2)}  # heaps of all threads together


def share_heaps() -> None:
    """Let threads that this process starts from now on share two of the C library's heaps.

    The pictures of a request are decoded and enlarged in whichever of the server's threads takes
    it. glibc gives threads heaps of their own, eight for each core, and each of them keeps what its
    largest request has freed: the demo grew with every large picture.

    With other C libraries this has no effect; parameters that the user has set stay.
    """
    set_malloc(_PARAMETERS)
