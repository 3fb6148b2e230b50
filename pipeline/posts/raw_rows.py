"""Rows of a table as text, before anything is known of what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from pipeline.posts.rows import Rejects


@dataclass(frozen=True)
class RawRows:
    """Some rows of a table.

    Attributes:
        rows: `line`, the number of the row in the table; and the wanted columns in their order,
            named `0`, `1` and so on: strings, empty where there is no value. Objects and lists
            are JSON.
        rejected: other rows, that could not be read.
        is_clean: whether the texts have no control characters.
    """

    rows: pl.DataFrame
    rejected: Rejects
    is_clean: bool = False


Part = Callable[[], RawRows]
"""Reads a part of a table; it may run on any thread."""


class TableReader(Protocol):
    """A reader of tables of one format."""

    @property
    def names(self) -> Sequence[str]:
        """The columns of the table."""
        ...

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Read some columns, part by part, in the order of the table.

        A column that the table lacks is empty.

        Raises:
            SengaError: if the table is damaged.
        """
        ...
