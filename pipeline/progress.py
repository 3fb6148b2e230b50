"""The progress of a stage: a line on the terminal, with its rate and the time left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sketch_models.closing import Closing
from sketch_models.progress_line import ProgressLine

OnProgress = Callable[[int], None]
"""Called with the number of pictures (or posts) done since the last call, from any thread."""


def ignore(done: int) -> None:
    """An `OnProgress` that does nothing."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of a stage when one of its tasks begins.

    Attributes:
        total: number of pictures (or posts) in the stage, over all of its shards; 0 if unknown.
        done: number of those that earlier runs or other shards have done.
        seconds: seconds that these took.
    """

    total: int = 0
    done: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a stage is, as the process that does its work has measured.

    Attributes:
        rate: pictures per second.
        seconds_left: until the end of the stage.
    """

    rate: float
    seconds_left: float


class Meter(Closing):
    """The progress line of a stage.

    Args:
        stage: name of the stage, such as `sketch`.
        progress: the progress so far.
        unit: what is counted, such as `pictures`.
        live: whether to redraw the line in place; False if other processes write to the terminal.
        on_fraction: called with the fraction done, 0 to 1, at most every two seconds.
        pace: returns how fast the stage is; if None, or while it returns None, this follows from
            the progress.
    """

    def __init__(
        self,
        stage: str,
        progress: Progress,
        *,
        unit: str = "pictures",
        live: bool = True,
        on_fraction: Callable[[float], None] | None = None,
        pace: Callable[[], Pace | None] | None = None,
    ) -> None:
        self._total, self._unit = progress.total, unit
        self._done, self._seconds_before = progress.done, progress.seconds
        self._on_fraction, self._pace = on_fraction, pace
        self._lock = threading.Lock()
        self._started = self._reported_at = time.monotonic()
        self._line = ProgressLine(stage, self._total or None, live=live)

    def advance(self, done: int) -> None:
        """Count `done` more; may be called from any thread."""
        with self._lock:
            self._done += done
            now = time.monotonic()
            self._line.update(self._done, self._text(now))
            if self._on_fraction is not None and self._total and now - self._reported_at > 2:
                self._reported_at = now
                self._on_fraction(min(1.0, self._done / self._total))

    def _text(self, now: float) -> str:
        pace = self._pace() if self._pace is not None else None
        pace = pace or self._mean_pace(now)
        if not self._total:
            return f"{self._done:,} {self._unit}, {pace.rate:,.1f}/s"
        left = format_duration(pace.seconds_left)
        return f"{self._done:,}/{self._total:,} {self._unit}, {pace.rate:,.1f}/s, {left} left"

    def _mean_pace(self, now: float) -> Pace:
        """Return the pace over all shards, those of earlier runs included."""
        rate = self._done / max(self._seconds_before + now - self._started, 1e-3)
        seconds_left = (self._total - self._done) / rate if rate > 0 else 0.0
        return Pace(rate=rate, seconds_left=seconds_left)

    def close(self) -> None:
        """Remove the line from the terminal."""
        self._line.close()


def format_duration(seconds: float) -> str:
    """Format seconds for people: `0:07`, `12:30` or `3:05:00`."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
