"""How a stage says how far it is: one calm line, with its rate and the time left."""

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
    """An `OnProgress` for callers that do not watch."""


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


class Meter(Closing):
    """The progress line of a stage.

    Args:
        stage: what is being done, such as `sketch`.
        progress: how far the stage is.
        unit: what is counted.
        live: whether this process has the terminal for itself.
        on_fraction: called with the fraction done, 0 to 1, at most every two seconds.
    """

    def __init__(
        self,
        stage: str,
        progress: Progress,
        *,
        unit: str = "pictures",
        live: bool = True,
        on_fraction: Callable[[float], None] | None = None,
    ) -> None:
        self._total, self._unit = progress.total, unit
        self._done, self._before = progress.done, progress.seconds
        self._on_fraction = on_fraction
        self._lock = threading.Lock()
        self._started = self._reported = time.monotonic()
        self._line = ProgressLine(stage, self._total or None, live=live)

    def advance(self, done: int) -> None:
        """Counts `done` more; may be called from any thread."""
        with self._lock:
            self._done += done
            now = time.monotonic()
            self._line.update(self._done, self._text(now))
            if self._on_fraction is not None and self._total and now - self._reported > 2:
                self._reported = now
                self._on_fraction(min(1.0, self._done / self._total))

    def _text(self, now: float) -> str:
        rate = self._done / max(self._before + now - self._started, 1e-3)
        text = f"{self._done:,} {self._unit}, {rate:,.1f}/s"
        if not self._total:
            return text
        left = (self._total - self._done) / rate if rate > 0 else 0.0
        return f"{self._done:,}/{self._total:,} {self._unit}, {rate:,.1f}/s, {clock(left)} left"

    def close(self) -> None:
        """Takes the line off the terminal."""
        self._line.close()


def clock(seconds: float) -> str:
    """`0:07`, `12:30` or `3:05:00`."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
