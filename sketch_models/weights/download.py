"""The download of one large file, with a progress line."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from sketch_models.closing import Closing
from sketch_models.progress_line import ProgressLine

_CHUNK_SIZE = 1 << 20  # bytes
_TIMEOUT = (10, 60)  # seconds to connect, and without a byte
_MAX_SIZE_RATIO = 4  # to the expected size; what is larger is another file


class DownloadError(Exception):
    """The error of a failed download; the message is the reason, in a few words."""


def download(url: str, target: Path, *, megabytes: float, progress: bool) -> None:
    """Download the file at `url` to `target`, which may be left incomplete on failure.

    Args:
        url: http or https.
        target: the file to write.
        megabytes: expected size; if the file is four times as large, the download is aborted.
        progress: whether to show a progress line on stderr.

    Raises:
        DownloadError: If the whole file could not be downloaded.
        OSError: If it cannot be written.
    """
    import pooch
    import requests

    name = url.rpartition("/")[2]
    with ExitStack() as responses, _PoochProgress(name, target, megabytes, progress) as bar:
        get = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=_CHUNK_SIZE,
            timeout=_TIMEOUT,
            # No compression on the way: Content-Length is then the size of the file.
            headers={"Accept-Encoding": "identity"},
            # pooch does not close the response if it fails.
            hooks={"response": lambda response, **_: responses.enter_context(response)},
        )
        try:
            get(url, str(target), None)
        except requests.HTTPError as error:
            response = error.response
            status = f"HTTP {response.status_code} {response.reason}".strip()
            raise DownloadError(status) from error
        except requests.Timeout as error:
            raise DownloadError("timed out") from error
        except requests.exceptions.SSLError as error:
            raise DownloadError("TLS certificate not accepted") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise DownloadError("connection lost") from error
        except requests.ConnectionError as error:
            raise DownloadError("no connection") from error
        except (requests.RequestException, ValueError) as error:
            raise DownloadError(f"invalid response: {type(error).__name__}") from error


class _PoochProgress(Closing):
    """A progress bar with the interface that pooch expects, drawn as a `ProgressLine`.

    pooch sets `total` and calls `update`, `reset` and `close`. It counts requested chunks, not
    received bytes, so the size of the file is shown instead.

    Attributes:
        total: bytes of the whole file, 0 if the server did not send its size.
    """

    def __init__(self, name: str, target: Path, megabytes: float, visible: bool) -> None:
        self.total = 0
        self._target = target
        self._limit = _MAX_SIZE_RATIO * megabytes
        self._started = time.monotonic()
        self._line = ProgressLine(name) if visible else None

    def update(self, _: int) -> None:
        """Show how much of the file is written; raise DownloadError if it is too large."""
        done = self._target.stat().st_size / 1e6
        if done > self._limit:
            raise DownloadError(f"larger than {self._limit:,.0f} MB")
        if self._line is not None:
            total = f"/{self.total / 1e6:,.0f}" if self.total else ""
            rate = done / max(time.monotonic() - self._started, 1e-3)
            text = f"{done:,.0f}{total} MB, {rate:,.1f} MB/s"
            self._line.update(done, text, self.total / 1e6 or None)

    def reset(self) -> None:
        """Do nothing: there is no count to reset."""

    def close(self) -> None:
        """Remove the line; pooch calls this too."""
        if self._line is not None:
            self._line.close()
