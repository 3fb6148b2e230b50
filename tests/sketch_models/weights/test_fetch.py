"""What the folder holds at the end is what was published, whatever the server sends."""

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
from sketch_models.weights.digests import DigestBook
from sketch_models.weights.fetch import fetch
from sketch_models.weights.table import FILES, WeightFile

Publish = Callable[..., WeightFile]

TOP = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 4000  # 1 MB
PAGE = b"\n <!DOCTYPE html><html>File not found</html>" + b" " * len(CONTENT)


def visible(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def temporary(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("name", ["gan", "resnet18", "sketchkeras"])
def test_fetches_once(web: Web, kept: Path, publish: Publish, name: str) -> None:
    file = publish(name, CONTENT)
    for _ in range(2):
        path = fetch(name, progress=False)
        assert path == kept / file.file
        assert path.read_bytes() == CONTENT
    assert web.asked == [f"/data/{file.file}"]
    assert not temporary(kept)


def test_an_unknown_name_is_one_sentence() -> None:
    with pytest.raises(SengaError, match="no weights called best: expected one of sketchkeras, g"):
        fetch("best")


@pytest.mark.parametrize("name", ["gan", "resnet18"])
def test_another_digest_is_refused(web: Web, kept: Path, publish: Publish, name: str) -> None:
    file = publish(name, CONTENT, web.page(CONTENT[:-1] + b"!"))
    with pytest.raises(SengaError, match="is not .* as published: expected .*, found ") as raised:
        fetch(name, progress=False)
    assert file.url in str(raised.value)
    assert file.digest in str(raised.value)
    assert not (kept / file.file).exists()
    assert not temporary(kept)


@pytest.mark.parametrize("name", ["gan", "resnet18", "sketchkeras"])
def test_a_web_page_is_refused(web: Web, kept: Path, publish: Publish, name: str) -> None:
    file = publish(name, CONTENT, web.page(PAGE, Content_Type="text/html"))
    with pytest.raises(SengaError, match=f"sent is a web page, expected {file.file}"):
        fetch(name, progress=False)
    assert not (kept / file.file).exists()
    assert DigestBook(kept).first(name) == ""


@pytest.mark.parametrize("name", ["gan", "sketchkeras"])
def test_an_early_end_is_refused(web: Web, kept: Path, publish: Publish, name: str) -> None:
    file = publish(name, CONTENT, web.cut(CONTENT[:5000], len(CONTENT)))
    with pytest.raises(SengaError, match="could not be fetched from .* .the connection broke off"):
        fetch(name, progress=False)
    assert not (kept / file.file).exists()
    assert not temporary(kept)


@pytest.mark.parametrize(("name", "says"), [("gan", "as published"), ("sketchkeras", "cut short")])
def test_a_short_file_of_unknown_length_is_refused(
    web: Web, kept: Path, publish: Publish, name: str, says: str
) -> None:
    publish(name, CONTENT, web.chunked(CONTENT[: len(CONTENT) // 2]))
    with pytest.raises(SengaError, match=says):
        fetch(name, progress=False)
    assert DigestBook(kept).first(name) == ""


def test_a_refusal_says_what_to_do(web: Web, kept: Path, publish: Publish) -> None:
    file = publish("gan", CONTENT, web.page(b"", 404))
    with pytest.raises(SengaError) as raised:
        fetch("gan", progress=False)
    assert str(raised.value) == (
        f"sketch_gan.t7 could not be fetched from {file.url} (HTTP 404 Not Found): fetch it on a "
        f"machine with a network and set [simo_serra] weights to its path, or put it into {kept}."
    )


def test_no_network_says_what_to_do(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/r.pth"
    monkeypatch.setitem(FILES, "resnet18", replace(FILES["resnet18"], url=url))
    with pytest.raises(SengaError) as raised:
        fetch("resnet18", progress=False)
    assert str(raised.value) == (
        f"r.pth could not be fetched from {url} (no connection): fetch it on a machine with a "
        f"network and put it into {kept}."
    )


def test_a_failure_does_not_last(web: Web, publish: Publish) -> None:
    publish("gan", CONTENT, web.page(b"", 503), web.page(CONTENT))
    with pytest.raises(SengaError, match="HTTP 503"):
        fetch("gan", progress=False)
    assert fetch("gan", progress=False).read_bytes() == CONTENT


def test_a_file_put_there_by_hand_needs_no_network(
    web: Web, kept: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.mkdir()
    for name in ("gan", "resnet18", "sketchkeras"):
        file = publish(name, CONTENT, web.page(b"", 404))
        (kept / file.file).write_bytes(CONTENT)
        assert fetch(name) == kept / file.file
    assert web.asked == []
    assert capsys.readouterr().err == ""  # it is not fetched: whoever put it there has read it
    assert DigestBook(kept).first("sketchkeras") == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("name", ["gan", "sketchkeras"])
def test_a_folder_that_cannot_be_written_may_hold_the_file(
    kept: Path, publish: Publish, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    file = publish(name, CONTENT)
    kept.mkdir()
    (kept / file.file).write_bytes(CONTENT)
    monkeypatch.setattr(digests, "locked", refuse)
    monkeypatch.setattr("sketch_models.weights.fetch.locked", refuse)
    assert fetch(name) == kept / file.file
    assert visible(kept) == [file.file]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gan", CONTENT + b"!", "sketch_gan.t7 is not sketch_gan.t7 as published: expected md5:"),
        ("gan", PAGE, "sketch_gan.t7 is a web page"),
        ("gan", b"", "expected md5:.*found md5:d41d8cd98f00b204e9800998ecf8427e"),
        ("resnet18", CONTENT + b"!", "expected sha256:"),
        ("sketchkeras", CONTENT[:1000], "mod.h5 is cut short: expected the 1.0 MB"),
    ],
)
def test_a_wrong_file_put_there_by_hand_is_refused_and_kept(
    web: Web, kept: Path, publish: Publish, name: str, content: bytes, says: str
) -> None:
    file = publish(name, CONTENT)
    kept.mkdir()
    (kept / file.file).write_bytes(content)
    with pytest.raises(SengaError, match=f"{says}.*: delete it and run again"):
        fetch(name)
    assert (kept / file.file).read_bytes() == content
    assert web.asked == []


def test_the_first_file_without_a_digest_is_the_one(web: Web, kept: Path, publish: Publish) -> None:
    changed = CONTENT[::-1]
    publish("sketchkeras", CONTENT, web.page(CONTENT), web.page(changed), web.page(CONTENT))
    path = fetch("sketchkeras", progress=False)
    path.unlink()
    with pytest.raises(SengaError, match="not the mod.h5 that was first seen") as raised:
        fetch("sketchkeras", progress=False)
    for part in (hashlib.sha256(CONTENT), hashlib.sha256(changed)):
        assert part.hexdigest() in str(raised.value)
    assert str(raised.value).endswith(f"delete sketchkeras from {kept / 'digests.json'}.")
    assert not path.exists()
    assert fetch("sketchkeras", progress=False).read_bytes() == CONTENT
    path.write_bytes(changed)
    with pytest.raises(SengaError, match="not the mod.h5 that was first seen"):
        fetch("sketchkeras", progress=False)


def test_the_licence_is_noted_once(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("gan", "mse", "resnet18", "sketchkeras"):
        publish(name, CONTENT + name.encode())
    fetch("resnet18", progress=False)
    fetch("sketchkeras", progress=False)
    assert capsys.readouterr().err == ""
    fetch("gan", progress=False)
    said = capsys.readouterr().err
    assert said == "The published weights of simo_serra are for non-commercial research only.\n"
    fetch("mse", progress=False).unlink()
    fetch("mse", progress=False)
    assert capsys.readouterr().err == ""


def test_a_file_in_the_way_of_the_folder_is_one_sentence(kept: Path, publish: Publish) -> None:
    publish("gan", CONTENT)
    kept.write_text("")
    with pytest.raises(SengaError, match="sketch_gan.t7 could not be written into .*SENGA_WEIGHTS"):
        fetch("gan", progress=False)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_a_closed_or_full_disk_is_one_sentence(
    kept: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch, error: OSError, says: str
) -> None:
    publish("gan", CONTENT)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("sketch_models.weights.fetch._download", fail)
    with pytest.raises(SengaError) as raised:
        fetch("gan", progress=False)
    assert str(raised.value) == (
        f"sketch_gan.t7 could not be written into {kept} ({says}): set SENGA_WEIGHTS to a folder "
        "that can be written and has 1 MB free, or [simo_serra] weights to the path of a copy."
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
def test_processes_and_threads_fetch_a_file_once(
    web: Web, kept: Path, publish: Publish, name: str
) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)  # so that the others come meanwhile
        web.page(CONTENT)(handler)

    file = publish(name, CONTENT, slow)
    child = [sys.executable, "-c", _CHILD, name, file.url, file.digest]
    # Not a pipe: what they say shows where they fail.
    workers = [subprocess.Popen(child, cwd=TOP) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        paths = list(threads.map(lambda _: fetch(name, progress=False), range(3)))
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert web.asked == [f"/data/{file.file}"]
    marks = ["digests.json", "licences.txt"] if file.non_commercial else ["digests.json"]
    assert visible(kept) == sorted([*marks, file.file])
    assert not temporary(kept)
