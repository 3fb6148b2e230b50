"""Downloads from servers that misbehave end with a reason."""

import re
import socket
from pathlib import Path

import pytest

from benchmarks.harness.web import Web
from sketch_models.weights.download import DownloadError, download

CONTENT = bytes(range(256)) * 12_000  # 3 MB, three chunks


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "a.t7"


def get(url: str, target: Path, megabytes: float = 3.0, progress: bool = False) -> None:
    download(url, target, megabytes=megabytes, progress=progress)


def test_content_is_written(web: Web, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get(web.put("/a.t7", web.page(CONTENT)), target, progress=True)
    assert target.read_bytes() == CONTENT
    assert capsys.readouterr() == ("", "")  # a short download shows no progress


def test_redirect_is_followed(web: Web, target: Path) -> None:
    moved = web.put("/there.t7", web.page(CONTENT))
    get(web.put("/a.t7", web.page(b"moved", 302, Location=moved)), target)
    assert target.read_bytes() == CONTENT


def test_missing_content_length_is_accepted(web: Web, target: Path) -> None:
    # Many small chunks: the size is not their number times the chunk size.
    chunks = [CONTENT[start : start + 30_000] for start in range(0, len(CONTENT), 30_000)]
    get(web.put("/a.t7", web.chunked(*chunks)), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 410, 429, 500, 503])
def test_http_error_gives_its_status(web: Web, target: Path, status: int) -> None:
    with pytest.raises(DownloadError, match=f"^HTTP {status} [A-Z]"):
        get(web.put("/a.t7", web.page(b"sorry", status)), target)


def test_body_cut_short_is_an_error(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^connection lost$"):
        get(web.put("/a.t7", web.cut(CONTENT, len(CONTENT) + 1)), target)


def test_connection_reset_is_an_error(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^no connection$"):
        get(web.put("/a.t7", web.reset), target)


def test_refused_connection_is_an_error(target: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match="^no connection$"):
        get(f"http://127.0.0.1:{port}/a.t7", target)


def test_silent_server_times_out(web: Web, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sketch_models.weights.download._TIMEOUT", (1, 0.05))
    with pytest.raises(DownloadError, match="^timed out$"):
        get(web.put("/a.t7", web.silence), target)


def test_invalid_content_length_is_an_error(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^invalid response: ValueError$"):
        get(web.put("/a.t7", web.page(b"x", Content_Length="many", Connection="close")), target)


def test_endless_redirects_are_an_error(web: Web, target: Path) -> None:
    url = web.put("/a.t7", web.page(b"", 302, Location="/a.t7"))
    with pytest.raises(DownloadError, match="TooManyRedirects"):
        get(url, target)


def test_too_large_file_is_aborted(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^larger than 1 MB$"):
        get(web.put("/a.t7", web.page(CONTENT)), target, megabytes=0.25)
    assert target.stat().st_size < len(CONTENT)


def test_full_disk_raises_oserror(web: Web) -> None:
    with pytest.raises(OSError, match="No space left"):
        get(web.put("/a.t7", web.page(CONTENT)), Path("/dev/full"))


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_shown_on_stderr(
    web: Web,
    target: Path,
    terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sketch_models.progress_line._PLAIN_INTERVAL", 0.0)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    get(web.put("/a.t7", web.page(CONTENT)), target, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(r"a\.t7.* 3/3 MB, [\d.,]+ MB/s", captured.err.replace("\x1b", "")), (
        captured.err
    )
