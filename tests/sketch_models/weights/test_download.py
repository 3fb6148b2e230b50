"""One large file, from a server that misbehaves."""

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


def test_keeps_the_bytes(web: Web, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get(web.put("/a.t7", web.page(CONTENT)), target, progress=True)
    assert target.read_bytes() == CONTENT
    assert capsys.readouterr() == ("", "")  # a short download has nothing to say


def test_follows_where_the_file_was_moved(web: Web, target: Path) -> None:
    there = web.put("/there.t7", web.page(CONTENT))
    get(web.put("/a.t7", web.page(b"moved", 302, Location=there)), target)
    assert target.read_bytes() == CONTENT


def test_a_length_need_not_be_announced(web: Web, target: Path) -> None:
    # Many small pieces: their number says nothing about their size.
    pieces = [CONTENT[at : at + 30_000] for at in range(0, len(CONTENT), 30_000)]
    get(web.put("/a.t7", web.chunked(*pieces)), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 410, 429, 500, 503])
def test_a_refusal_says_its_status(web: Web, target: Path, status: int) -> None:
    with pytest.raises(DownloadError, match=f"^HTTP {status} [A-Z]"):
        get(web.put("/a.t7", web.page(b"sorry", status)), target)


def test_an_early_end(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^the connection broke off$"):
        get(web.put("/a.t7", web.cut(CONTENT, len(CONTENT) + 1)), target)


def test_a_torn_connection(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^no connection$"):
        get(web.put("/a.t7", web.reset), target)


def test_no_server(target: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match="^no connection$"):
        get(f"http://127.0.0.1:{port}/a.t7", target)


def test_silence(web: Web, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sketch_models.weights.download._TIMEOUT", (1, 0.05))
    with pytest.raises(DownloadError, match="^no answer in time$"):
        get(web.put("/a.t7", web.silence), target)


def test_a_length_that_is_no_number(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^its answer makes no sense: ValueError$"):
        get(web.put("/a.t7", web.page(b"x", Content_Length="many", Connection="close")), target)


def test_endless_moves(web: Web, target: Path) -> None:
    url = web.put("/a.t7", web.page(b"", 302, Location="/a.t7"))
    with pytest.raises(DownloadError, match="TooManyRedirects"):
        get(url, target)


def test_a_file_that_is_far_too_large(web: Web, target: Path) -> None:
    with pytest.raises(DownloadError, match="^more than 1 MB came$"):
        get(web.put("/a.t7", web.page(CONTENT)), target, megabytes=0.25)
    assert target.stat().st_size < len(CONTENT)


def test_a_full_disk_is_an_error_of_the_system(web: Web) -> None:
    with pytest.raises(OSError, match="No space left"):
        get(web.put("/a.t7", web.page(CONTENT)), Path("/dev/full"))


@pytest.mark.parametrize("terminal", [False, True])
def test_says_how_far_it_is(
    web: Web,
    target: Path,
    terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sketch_models.progress_line._PLAIN_EVERY", 0.0)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    get(web.put("/a.t7", web.page(CONTENT)), target, progress=True)
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(r"a\.t7.* 3/3 MB, [\d.,]+ MB/s", said.err.replace("\x1b", "")), said.err
