"""Gets one large file from the web, with a line that says how far it is."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn

_CHUNK = 1 << 20  # bytes
_TIMEOUT = (10, 60)  # seconds to connect, and without a byte
_TOO_LARGE = 4  # times the expected size: it is something else
_PLAIN_EVERY = 10.0  # seconds between lines where there is no terminal


class DownloadError(Exception):
    """A file did not come; the message is the reason, in a few words."""


def download(url: str, target: Path, *, megabytes: float, progress: bool) -> None:
    """Writes what is at `url` to `target`, which may be left half-written where it fails.

    Args:
        url: http or https.
        target: the file to write.
        megabytes: its expected size; one that is several times as large is given up.
        progress: whether to say on stderr how far it is.

    Raises:
        DownloadError: where the whole file did not come.
        OSError: where it cannot be written.
    """
    import pooch
    import requests

    name = url.rpartition("/")[2]
    with ExitStack() as answers, _Meter(name, target, megabytes, progress) as meter:
        get = pooch.HTTPDownloader(
            progressbar=meter,
            chunk_size=_CHUNK,
            timeout=_TIMEOUT,
            # No compression on the way: the announced length is then that of the file.
            headers={"Accept-Encoding": "identity"},
            # pooch does not close what it opened where it fails.
            hooks={"response": lambda answer, **_: answers.enter_context(answer)},
        )
        try:
            get(url, str(target), None)
        except requests.HTTPError as error:
            answer = error.response
            raise DownloadError(f"HTTP {answer.status_code} {answer.reason}".strip()) from error
        except requests.Timeout as error:
            raise DownloadError("no answer in time") from error
        except requests.exceptions.SSLError as error:
            raise DownloadError("its certificate was not accepted") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise DownloadError("the connection broke off") from error
        except requests.ConnectionError as error:
            raise DownloadError("no connection") from error
        except (requests.RequestException, ValueError) as error:
            raise DownloadError(f"its answer makes no sense: {type(error).__name__}") from error


class _Meter:
    """The progress line: a bar on a terminal, elsewhere a plain line every ten seconds.

    pooch sets `total` and calls `update`, `reset` and `close`. What it counts are the chunks that
    it asked for, so the size of the file is taken instead.

    Attributes:
        total: bytes to come, 0 where the server did not say.
    """

    def __init__(self, name: str, target: Path, megabytes: float, visible: bool) -> None:
        self.total = 0
        self._name, self._target, self._visible = name, target, visible
        self._limit = _TOO_LARGE * megabytes
        self._started = self._said = time.monotonic()
        console = Console(stderr=True)
        self._bar: rich.progress.Progress | None = None
        self._task: TaskID | None = None
        if visible and console.is_terminal:
            columns = (
                TextColumn("{task.description:<9}"),
                BarColumn(28),
                TextColumn("{task.fields[text]}"),
            )
            self._bar = rich.progress.Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task(name, total=None, text="")

    def update(self, _: int) -> None:
        """More of the file was written."""
        done = self._target.stat().st_size / 1e6
        if done > self._limit:
            raise DownloadError(f"more than {self._limit:,.0f} MB came")
        now = time.monotonic()
        total = f"/{self.total / 1e6:,.0f}" if self.total else ""
        rate = done / max(now - self._started, 1e-3)
        text = f"{done:,.0f}{total} MB, {rate:,.1f} MB/s"
        if self._bar is not None and self._task is not None:
            share = self.total / 1e6 or None
            self._bar.update(self._task, total=share, completed=done, text=text)
        elif self._visible and now - self._said > _PLAIN_EVERY:
            self._said = now
            sys.stderr.write(f"{self._name} {text}\n")

    def reset(self) -> None:
        """Nothing is counted here."""

    def close(self) -> None:
        """The line ends with the block."""

    def __enter__(self) -> _Meter:
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
