"""The memory of trainings on a CPU; this module loads no PyTorch."""

from __future__ import annotations

from pipeline.malloc import set_malloc

_PARAMETERS = {
    "MALLOC_MMAP_MAX_": (-4, 0),  # no block has a mapping of its own
    "MALLOC_TRIM_THRESHOLD_": (-1, -1),  # nothing at the end of the heap goes back
    "MALLOC_TOP_PAD_": (-2, 2**28),  # bytes by which the heap grows at least
}


def keep_freed_tensors() -> None:
    """Make the C library keep the memory of freed tensors for the next ones of this process.

    Each step allocates and frees tensors of many MB, hundreds of times. glibc takes each block
    above 32 MB from the system, and gives it back; that clears it anew, page by page, which takes a
    tenth to a half of the time of a step. Memory then stays at the highest that a step has needed.

    With other C libraries this has no effect; parameters that the user has set stay.
    """
    set_malloc(_PARAMETERS)
