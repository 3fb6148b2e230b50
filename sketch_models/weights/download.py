"""Gets one large file from the web, with a line that says how far it is."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from sketch_models.closing import Closing
from sketch_models.progress_line import ProgressLine

_CHUNK = 1 << 20  # bytes
_TIMEOUT = (10, 60)  # seconds to connect, and without a byte
_TOO_LARGE = 4  # times the expected size: it is something else


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
    with ExitStack() as answers, _Progress(name, target, megabytes, progress) as meter:
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


class _Progress(Closing):
    """How far the download is, as pooch tells it.

    pooch sets `total` and calls `update`, `reset` and `close`. What it counts are the chunks that
    it asked for, so the size of the file is taken instead.

    Attributes:
        total: bytes to come, 0 where the server did not say.
    """

    def __init__(self, name: str, target: Path, megabytes: float, visible: bool) -> None:
        self.total = 0
        self._target = target
        self._limit = _TOO_LARGE * megabytes
        self._started = time.monotonic()
        self._line = ProgressLine(name) if visible else None

    def update(self, _: int) -> None:
        """More of the file was written."""
        done = self._target.stat().st_size / 1e6
        if done > self._limit:
            raise DownloadError(f"more than {self._limit:,.0f} MB came")
        if self._line is not None:
            of = f"/{self.total / 1e6:,.0f}" if self.total else ""
            rate = done / max(time.monotonic() - self._started, 1e-3)
            self._line.update(
                done, f"{done:,.0f}{of} MB, {rate:,.1f} MB/s", self.total / 1e6 or None
            )

    def reset(self) -> None:
        """Nothing is counted here."""

    def close(self) -> None:
        """The line ends here; pooch calls this too."""
        if self._line is not None:
            self._line.close()
