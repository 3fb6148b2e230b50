"""How the process deals with the memory that pictures leave behind."""

from __future__ import annotations

_MOST = 2**25  # bytes; glibc learns from nothing larger


def keep_freed_memory() -> None:
    """Makes the C library keep what is freed, for the next picture, up to some 64 MB a thread.

    Pictures take a few MB each, thousands of times. Handing every one back to the system and
    faulting the next one in, page by page, takes as long as decoding and resizing it.

    glibc gives blocks back unless it has seen larger ones come and go (mallopt(3), "dynamic mmap
    threshold"), so it is shown one, whose pages are never touched. Elsewhere it does nothing.
    """
    bytes(_MOST - 2**16)
