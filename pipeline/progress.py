"""How a stage says how far it is: one calm line, with its rate and the time left."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn

Advance = Callable[[int], None]
"""Called with the number of pictures (or posts) done since the last call, from any thread."""

_PLAIN_EVERY = 10.0  # seconds between lines where there is no terminal


def ignore(done: int) -> None:
    """An `Advance` for callers that do not watch."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is before a part of it begins.

    Attributes:
        total: pictures in the stage, over all of its shards; 0 where nobody knows.
        done: those that earlier runs or other shards have done.
        seconds: that these took.
    """

    total: int = 0
    done: int = 0
    seconds: float = 0.0


class Meter:
    """The progress line of a stage.

    On a terminal it is a bar that is redrawn in place and vanishes at the end; elsewhere a plain
    line every ten seconds.

    Args:
        stage: what is being done, such as `sketch`.
        progress: how far the stage is.
        unit: what is counted.
        live: whether this process has the terminal for itself.
        report: told the share done, 0 to 1, at most every two seconds.
    """

    def __init__(
        self,
        stage: str,
        progress: Progress,
        *,
        unit: str = "pictures",
        live: bool = True,
        report: Callable[[float], None] | None = None,
    ) -> None:
        self._stage, self._total, self._unit = stage, progress.total, unit
        self._done, self._before = progress.done, progress.seconds
        self._report = report
        self._lock = threading.Lock()
        self._started = self._said = self._reported = time.monotonic()
        self._console = Console(stderr=True)
        self._bar: rich.progress.Progress | None = None
        self._task: TaskID | None = None
        if live and self._console.is_terminal:
            columns = (
                TextColumn("{task.description:<9}"),
                BarColumn(28),
                TextColumn("{task.fields[text]}"),
            )
            self._bar = rich.progress.Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task(
                stage, total=self._total or None, completed=self._done, text=""
            )

    def advance(self, done: int) -> None:
        """Counts `done` more; may be called from any thread."""
        with self._lock:
            self._done += done
            now = time.monotonic()
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=self._done, text=self._text(now))
            elif now - self._said > _PLAIN_EVERY:
                self._said = now
                sys.stderr.write(f"{self._stage:<9} {self._text(now)}\n")
            if self._report is not None and self._total and now - self._reported > 2:
                self._reported = now
                self._report(min(1.0, self._done / self._total))

    def _text(self, now: float) -> str:
        rate = self._done / max(self._before + now - self._started, 1e-3)
        text = f"{self._done:,} {self._unit}, {rate:,.1f}/s"
        if not self._total:
            return text
        left = (self._total - self._done) / rate if rate > 0 else 0.0
        return f"{self._done:,}/{self._total:,} {self._unit}, {rate:,.1f}/s, {clock(left)} left"

    def __enter__(self) -> Meter:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def clock(seconds: float) -> str:
    """`0:07`, `12:30` or `3:05:00`."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
