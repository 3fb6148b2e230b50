"""One calm line that says how far a long piece of work is."""

from __future__ import annotations

import sys
import time

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TextColumn

from sketch_models.closing import Closing

_PLAIN_EVERY = 10.0  # seconds between lines where there is no terminal


class ProgressLine(Closing):
    """On a terminal a bar that is redrawn in place and vanishes at the end; else plain lines.

    It writes to the standard error, a plain line at most every ten seconds.

    Args:
        label: what is being done, such as `sketch`.
        total: of what is counted; None where nobody knows.
        live: whether this process may redraw the terminal.
    """

    def __init__(self, label: str, total: float | None = None, *, live: bool = True) -> None:
        self._label = label
        self._written = time.monotonic()
        console = Console(stderr=True)
        self._bar: rich.progress.Progress | None = None
        if live and console.is_terminal:
            columns = (
                TextColumn("{task.description:<9}"),
                BarColumn(28),
                TextColumn("{task.fields[text]}"),
            )
            self._bar = rich.progress.Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task(label, total=total, text="")
            self._bar.start()

    def update(self, done: float, text: str, total: float | None = None) -> None:
        """Show the present state.

        Args:
            done: of the total.
            text: what the line says after its label.
            total: a new one; None keeps the one before.
        """
        if self._bar is not None:
            self._bar.update(self._task, completed=done, text=text, total=total)
            return
        now = time.monotonic()
        if now - self._written > _PLAIN_EVERY:
            self._written = now
            sys.stderr.write(f"{self._label:<9} {text}\n")

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._bar is not None:
            self._bar.stop()
