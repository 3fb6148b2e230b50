"""Cut a stream into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield items in lists of a number of them; the last has the rest."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
