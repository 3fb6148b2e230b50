"""The command line: a table, a fetch, and what a file is."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.harness.web import Web
from sketch_models.errors import SengaError
from sketch_models.weights.__main__ import main
from sketch_models.weights.table import FILES, WeightFile

Publish = Callable[..., WeightFile]

TOP = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 400
HDF5 = b"\x89HDF\r\n\x1a\n"


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What each network's files begin with, for readers that look at nothing else."""
    begins = {"sketchkeras": HDF5, "simo_serra": b"T7", "danbooru_resnet": b"PK"}

    def reader(network: str) -> Callable[..., None]:
        def read(path: Path, *_: str) -> None:
            if not path.read_bytes().startswith(begins[network]):
                raise SengaError(f"{path} is not of {network}.")

        return read

    def module(name: str) -> SimpleNamespace:
        names = {"keras_file": "sketchkeras", "simo_serra_file": "simo_serra"}
        read = reader(names.get(name.rpartition(".")[2], "danbooru_resnet"))
        return SimpleNamespace(read=read, load=read)

    monkeypatch.setattr("sketch_models.weights.__main__.import_module", module)
    return begins


def test_lists_what_there_is(
    kept: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    file = publish("mse", CONTENT)
    kept.mkdir()
    (kept / file.file).write_bytes(CONTENT)
    assert main(["list"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert said.err == ""
    assert len(lines) == len(FILES) + 2
    assert [line.split()[-1] for line in lines[1:4]] == ["no", "no", "yes"]
    assert all(name in line for name, line in zip(FILES, lines[1:], strict=False))
    assert str(kept) in lines[-1]
    assert max(len(line) for line in lines[:-1]) < 80


def test_fetches(kept: Path, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    file = publish("gan", CONTENT)
    assert main(["fetch", "gan"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{kept / file.file}\n"
    assert "non-commercial research only" in said.err


def test_what_cannot_be_fetched_is_one_sentence(
    web: Web, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish("sketchkeras", CONTENT, web.page(b"", 404))
    for name in ("sketchkeras", "nothing"):
        assert main(["fetch", name]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1


def test_stops_when_asked_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: str) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("sketch_models.weights.__main__.fetch", interrupt)
    assert main(["fetch", "gan"]) == 1
    assert capsys.readouterr().err == "Stopped.\n"


def test_knows_published_files_by_their_digest(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, known in (("gan", "as published"), ("sketchkeras", "as it was first seen")):
        publish(name, CONTENT + name.encode())
        assert main(["fetch", name]) == 0
        path = capsys.readouterr().out.strip()
        assert main(["verify", path]) == 0
        file = FILES[name]
        assert capsys.readouterr().out == (
            f"{path}: {name}, weights of {file.network}, {known}; licence: {file.licence}\n"
        )


@pytest.mark.parametrize("network", ["sketchkeras", "simo_serra", "danbooru_resnet"])
def test_knows_other_files_by_their_content(
    tmp_path: Path,
    readers: dict[str, bytes],
    network: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "mine"
    path.write_bytes(readers[network] + CONTENT)
    assert main(["verify", str(path)]) == 0
    assert f"weights of {network}, whole; sha256:" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "tried"), [(b"<html>", 3), (b"", 3), (HDF5, 1)])
def test_a_stranger_is_refused_with_reasons(
    tmp_path: Path,
    readers: dict[str, bytes],
    content: bytes,
    tried: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    readers["sketchkeras"] = b"none is like this"
    path = tmp_path / "mine"
    path.write_bytes(content)
    assert main(["verify", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0] == f"{path} is not a weight file of any network."
    assert len(lines) == 1 + tried


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_what_is_no_file_is_one_sentence(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", path]) == 1
    said = capsys.readouterr().err
    assert "cannot be read" in said
    assert said.count("\n") == 1


def test_runs_as_a_module() -> None:
    command = [sys.executable, "-W", "error", "-m", "sketch_models.weights"]
    done = subprocess.run([*command, "list"], capture_output=True, text=True, cwd=TOP)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["name", "network", "MB", "licence", "here"]
    done = subprocess.run([*command, "fetch", "x"], capture_output=True, text=True, cwd=TOP)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There are no weights called x")
