"""Where the characters stand that split text into lines and fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_PIECE = 1 << 18  # bytes: what is compared stays in the processor's cache


class Marks:
    """The places of line ends and quotes in some lines, in ascending order; found when asked for.

    Args:
        content: whole lines, each with its end.

    Attributes:
        content: as above.
        characters: its bytes.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.characters = np.frombuffer(content, np.uint8)
        self._quotes: NDArray[np.intp] | None = None

    @property
    def ends(self) -> NDArray[np.intp]:
        """The ends of the lines."""
        return self._ends_and_more[0]

    @property
    def has_controls(self) -> bool:
        """Whether there are control characters besides line ends."""
        return self._ends_and_more[1]

    @property
    def quotes(self) -> NDArray[np.intp]:
        """The quotation marks; if they take more memory than the lines, found anew each time."""
        if self._quotes is not None:
            return self._quotes
        quotes = self._find(lambda piece: piece == ord('"'))
        if quotes.nbytes <= len(self.content):
            self._quotes = quotes
        return quotes

    @cached_property
    def _ends_and_more(self) -> tuple[NDArray[np.intp], bool]:
        controls = self._find(lambda piece: piece < ord(" "))
        is_end = self.characters[controls] == ord("\n")
        has_controls = not is_end.all()
        return controls[is_end] if has_controls else controls, has_controls

    def _find(
        self, is_wanted: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
    ) -> NDArray[np.intp]:
        found = [
            np.flatnonzero(is_wanted(self.characters[start : start + _PIECE])) + start
            for start in range(0, len(self.content), _PIECE)
        ]
        return np.concatenate([np.empty(0, np.intp), *found])
