"""The progress line of a long task."""

from __future__ import annotations

import sys
import time

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TextColumn

from sketch_models.closing import Closing

_PLAIN_INTERVAL = 10.0  # seconds between lines without a terminal


class ProgressLine(Closing):
    """A bar on a terminal, redrawn in place and removed at the end; plain lines elsewhere.

    It is written to stderr, a plain line at most every ten seconds. Notebooks and the logs of CI
    get plain lines: what they set to have colours, such as FORCE_COLOR, makes no terminal of them.

    Args:
        label: start of the line, such as `sketch`.
        total: number of items; None if unknown.
        live: whether this process may redraw the terminal.
    """

    def __init__(self, label: str, total: float | None = None, *, live: bool = True) -> None:
        self._label = label
        self._last_written = time.monotonic()
        console = Console(stderr=True)
        self._bar: rich.progress.Progress | None = None
        if live and console.is_terminal and sys.stderr.isatty():
            columns = (
                TextColumn("{task.description:<9}"),
                BarColumn(28),
                TextColumn("{task.fields[text]}"),
            )
            self._bar = rich.progress.Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task(label, total=total, text="")
            self._bar.start()

    def update(self, done: float, text: str, total: float | None = None) -> None:
        """Show the current state.

        Args:
            done: number of items done.
            text: text after the label.
            total: new number of items; None keeps the one before.
        """
        if self._bar is not None:
            self._bar.update(self._task, completed=done, text=text, total=total)
            return
        now = time.monotonic()
        if now - self._last_written > _PLAIN_INTERVAL:
            self._last_written = now
            sys.stderr.write(f"{self._label:<9} {text}\n")

    def close(self) -> None:
        """Remove the bar from the terminal."""
        if self._bar is not None:
            self._bar.stop()
