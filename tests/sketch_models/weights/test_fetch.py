"""Only published files get into the cache folder, whatever the server sends."""

import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from benchmarks.harness.web import Web
from sketch_models.errors import SengaError
from sketch_models.weights import digests
from sketch_models.weights.digests import DigestCache
from sketch_models.weights.fetch import fetch
from sketch_models.weights.table import FILES, WeightFile

Publish = Callable[..., WeightFile]

TOP = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 4000  # 1 MB
PAGE = b"\n <!DOCTYPE html><html>File not found</html>" + b" " * len(CONTENT)


def visible_files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def temporary_files(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("name", ["gan", "resnet18", "sketchkeras"])
def test_file_is_downloaded_once(web: Web, cache_folder: Path, publish: Publish, name: str) -> None:
    file = publish(name, CONTENT)
    for _ in range(2):
        path = fetch(name, progress=False)
        assert path == cache_folder / file.filename
        assert path.read_bytes() == CONTENT
    assert web.requested == [f"/data/{file.filename}"]
    assert not temporary_files(cache_folder)


def test_unknown_name_is_refused() -> None:
    with pytest.raises(SengaError, match="Weights best: unknown name. Use one of sketchkeras, g"):
        fetch("best")


@pytest.mark.parametrize("name", ["gan", "resnet18"])
def test_file_with_another_digest_is_refused(
    web: Web, cache_folder: Path, publish: Publish, name: str
) -> None:
    file = publish(name, CONTENT, web.page(CONTENT[:-1] + b"!"))
    with pytest.raises(SengaError, match="not the published .*: expected .*, found ") as raised:
        fetch(name, progress=False)
    assert file.url in str(raised.value)
    assert file.digest in str(raised.value)
    assert not (cache_folder / file.filename).exists()
    assert not temporary_files(cache_folder)


@pytest.mark.parametrize("name", ["gan", "resnet18", "sketchkeras"])
def test_web_page_is_refused(web: Web, cache_folder: Path, publish: Publish, name: str) -> None:
    file = publish(name, CONTENT, web.page(PAGE, Content_Type="text/html"))
    with pytest.raises(SengaError, match=f"a web page instead of {file.filename}"):
        fetch(name, progress=False)
    assert not (cache_folder / file.filename).exists()
    assert DigestCache(cache_folder).first_seen(name) == ""


@pytest.mark.parametrize("name", ["gan", "sketchkeras"])
def test_interrupted_download_leaves_nothing(
    web: Web, cache_folder: Path, publish: Publish, name: str
) -> None:
    file = publish(name, CONTENT, web.cut(CONTENT[:5000], len(CONTENT)))
    with pytest.raises(SengaError, match="the download from .* failed .connection lost"):
        fetch(name, progress=False)
    assert not (cache_folder / file.filename).exists()
    assert not temporary_files(cache_folder)


@pytest.mark.parametrize(
    ("name", "message"), [("gan", "not the published"), ("sketchkeras", "cut short")]
)
def test_short_file_without_content_length_is_refused(
    web: Web, cache_folder: Path, publish: Publish, name: str, message: str
) -> None:
    publish(name, CONTENT, web.chunked(CONTENT[: len(CONTENT) // 2]))
    with pytest.raises(SengaError, match=message):
        fetch(name, progress=False)
    assert DigestCache(cache_folder).first_seen(name) == ""


def test_http_error_message_names_option_and_folder(
    web: Web, cache_folder: Path, publish: Publish
) -> None:
    file = publish("gan", CONTENT, web.page(b"", 404))
    with pytest.raises(SengaError) as raised:
        fetch("gan", progress=False)
    assert str(raised.value) == (
        f"sketch_gan.t7: the download from {file.url} failed (HTTP 404 Not Found). Download it "
        "on a machine with a network and set [simo_serra] weights to its path, or put it into "
        f"{cache_folder}."
    )


def test_no_network_message_names_folder(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/r.pth"
    monkeypatch.setitem(FILES, "resnet18", replace(FILES["resnet18"], url=url))
    with pytest.raises(SengaError) as raised:
        fetch("resnet18", progress=False)
    assert str(raised.value) == (
        f"r.pth: the download from {url} failed (no connection). Download it on a machine with a "
        f"network and put it into {cache_folder}."
    )


def test_download_is_retried_after_failure(web: Web, publish: Publish) -> None:
    publish("gan", CONTENT, web.page(b"", 503), web.page(CONTENT))
    with pytest.raises(SengaError, match="HTTP 503"):
        fetch("gan", progress=False)
    assert fetch("gan", progress=False).read_bytes() == CONTENT


def test_file_put_there_by_hand_needs_no_network(
    web: Web, cache_folder: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    cache_folder.mkdir()
    for name in ("gan", "resnet18", "sketchkeras"):
        file = publish(name, CONTENT, web.page(b"", 404))
        (cache_folder / file.filename).write_bytes(CONTENT)
        assert fetch(name) == cache_folder / file.filename
    assert web.requested == []
    assert capsys.readouterr().err == ""  # whoever put it there has read the licence
    assert (
        DigestCache(cache_folder).first_seen("sketchkeras") == hashlib.sha256(CONTENT).hexdigest()
    )


@pytest.mark.parametrize("name", ["gan", "sketchkeras"])
def test_file_in_read_only_folder_is_used(
    cache_folder: Path, publish: Publish, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    file = publish(name, CONTENT)
    cache_folder.mkdir()
    (cache_folder / file.filename).write_bytes(CONTENT)
    monkeypatch.setattr(digests, "locked", refuse)
    monkeypatch.setattr("sketch_models.weights.fetch.locked", refuse)
    assert fetch(name) == cache_folder / file.filename
    assert visible_files(cache_folder) == [file.filename]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gan", CONTENT + b"!", "sketch_gan.t7: not the published sketch_gan.t7: expected md5:"),
        ("gan", PAGE, "sketch_gan.t7: a web page instead"),
        ("gan", b"", "expected md5:.*found md5:d41d8cd98f00b204e9800998ecf8427e"),
        ("resnet18", CONTENT + b"!", "expected sha256:"),
        ("sketchkeras", CONTENT[:1000], "mod.h5: cut short: expected the 1.0 MB"),
    ],
)
def test_wrong_file_put_there_by_hand_is_refused_and_kept(
    web: Web, cache_folder: Path, publish: Publish, name: str, content: bytes, message: str
) -> None:
    file = publish(name, CONTENT)
    cache_folder.mkdir()
    (cache_folder / file.filename).write_bytes(content)
    with pytest.raises(SengaError, match=f"{message}.*Delete it and run again"):
        fetch(name)
    assert (cache_folder / file.filename).read_bytes() == content
    assert web.requested == []


def test_file_without_published_digest_must_stay_the_first_seen(
    web: Web, cache_folder: Path, publish: Publish
) -> None:
    changed = CONTENT[::-1]
    publish("sketchkeras", CONTENT, web.page(CONTENT), web.page(changed), web.page(CONTENT))
    path = fetch("sketchkeras", progress=False)
    path.unlink()
    with pytest.raises(SengaError, match="not the mod.h5 that was first seen") as raised:
        fetch("sketchkeras", progress=False)
    for part in (hashlib.sha256(CONTENT), hashlib.sha256(changed)):
        assert part.hexdigest() in str(raised.value)
    assert str(raised.value).endswith(f"delete sketchkeras from {cache_folder / 'digests.json'}.")
    assert not path.exists()
    assert fetch("sketchkeras", progress=False).read_bytes() == CONTENT
    path.write_bytes(changed)
    with pytest.raises(SengaError, match="not the mod.h5 that was first seen"):
        fetch("sketchkeras", progress=False)


def test_licence_is_printed_once(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("gan", "mse", "resnet18", "sketchkeras"):
        publish(name, CONTENT + name.encode())
    fetch("resnet18", progress=False)
    fetch("sketchkeras", progress=False)
    assert capsys.readouterr().err == ""
    fetch("gan", progress=False)
    assert (
        capsys.readouterr().err
        == "The published weights of simo_serra are for non-commercial research only.\n"
    )
    fetch("mse", progress=False).unlink()
    fetch("mse", progress=False)
    assert capsys.readouterr().err == ""


def test_file_in_place_of_the_folder_is_refused(cache_folder: Path, publish: Publish) -> None:
    publish("gan", CONTENT)
    cache_folder.write_text("")
    with pytest.raises(SengaError, match="sketch_gan.t7 cannot be written there .*SENGA_WEIGHTS"):
        fetch("gan", progress=False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_write_error_message_names_folder_and_size(
    cache_folder: Path,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    reason: str,
) -> None:
    publish("gan", CONTENT)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("sketch_models.weights.fetch._download", fail)
    with pytest.raises(SengaError) as raised:
        fetch("gan", progress=False)
    assert str(raised.value) == (
        f"{cache_folder}: sketch_gan.t7 cannot be written there ({reason}). Set SENGA_WEIGHTS to a "
        "writable folder with 1 MB free, or [simo_serra] weights to the path of a copy."
    )


_CHILD = """
import sys
from dataclasses import replace
from sketch_models.weights.fetch import fetch
from sketch_models.weights.table import FILES

name, url, digest = sys.argv[1:]
FILES[name] = replace(FILES[name], url=url, digest=digest, megabytes=1.0)
fetch(name)
"""


@pytest.mark.parametrize("name", ["gan", "sketchkeras"])
def test_concurrent_processes_and_threads_download_once(
    web: Web, cache_folder: Path, publish: Publish, name: str
) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)  # so that the others start meanwhile
        web.page(CONTENT)(handler)

    file = publish(name, CONTENT, slow)
    child = [sys.executable, "-c", _CHILD, name, file.url, file.digest]
    # Not a pipe: their stderr is shown if they fail.
    workers = [subprocess.Popen(child, cwd=TOP) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        paths = list(threads.map(lambda _: fetch(name, progress=False), range(3)))
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert web.requested == [f"/data/{file.filename}"]
    marks = ["digests.json", "licences.txt"] if file.non_commercial else ["digests.json"]
    assert visible_files(cache_folder) == sorted([*marks, file.filename])
    assert not temporary_files(cache_folder)
