"""The commands list, fetch and verify."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.harness.web import Web
from sketch_models.errors import WeightsError
from sketch_models.weights.__main__ import main
from sketch_models.weights.table import FILES, WeightFile

Publish = Callable[..., WeightFile]

TOP = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 400
HDF5 = b"\x89HDF\r\n\x1a\n"


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The first bytes of each network's files, for fake readers that check nothing else."""
    first_bytes = {"sketchkeras": HDF5, "simo_serra": b"T7", "danbooru_resnet": b"PK"}
    first_bytes |= {"tracer": b"tracer", "inker": b"inker"}

    def reader(network: str) -> Callable[..., None]:
        def read(path: Path, *_: str) -> None:
            if not path.read_bytes().startswith(first_bytes[network]):
                raise WeightsError(f"{path} is not of {network}.")

        return read

    def module(name: str) -> SimpleNamespace:
        if name == "sketch_models.line_weights":
            return SimpleNamespace(read=lambda path, network: reader(network)(path))
        names = {"keras_file": "sketchkeras", "simo_serra_file": "simo_serra"}
        read = reader(names.get(name.rpartition(".")[2], "danbooru_resnet"))
        return SimpleNamespace(read=read, load=read)

    monkeypatch.setattr("sketch_models.weights.__main__.import_module", module)
    return first_bytes


def test_list_shows_which_files_are_downloaded(
    cache_folder: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    file = publish("mse", CONTENT)
    cache_folder.mkdir()
    (cache_folder / file.filename).write_bytes(CONTENT)
    assert main(["list"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert captured.err == ""
    assert len(lines) == len(FILES) + 2
    assert [line.split()[-1] for line in lines[1:4]] == ["no", "no", "yes"]
    assert all(name in line for name, line in zip(FILES, lines[1:], strict=False))
    assert str(cache_folder) in lines[-1]
    assert max(len(line) for line in lines[:-1]) < 80


def test_fetch_prints_path_and_licence(
    cache_folder: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    file = publish("gan", CONTENT)
    assert main(["fetch", "gan"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{cache_folder / file.filename}\n"
    assert "non-commercial research only" in captured.err


def test_failed_fetch_prints_one_line(
    web: Web, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish("sketchkeras", CONTENT, web.page(b"", 404))
    for name in ("sketchkeras", "nothing"):
        assert main(["fetch", name]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1


def test_keyboard_interrupt_stops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: str) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("sketch_models.weights.__main__.fetch", interrupt)
    assert main(["fetch", "gan"]) == 1
    assert capsys.readouterr().err == "Stopped.\n"


def test_verify_identifies_published_files_by_digest(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, check in (("gan", "as published"), ("sketchkeras", "as first seen")):
        publish(name, CONTENT + name.encode())
        assert main(["fetch", name]) == 0
        path = capsys.readouterr().out.strip()
        assert main(["verify", path]) == 0
        file = FILES[name]
        assert capsys.readouterr().out == (
            f"{path}: {name}, weights of {file.network}, {check}; licence: {file.licence}\n"
        )


@pytest.mark.parametrize(
    "network", ["tracer", "inker", "sketchkeras", "simo_serra", "danbooru_resnet"]
)
def test_verify_identifies_other_files_by_content(
    tmp_path: Path,
    readers: dict[str, bytes],
    network: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "mine"
    path.write_bytes(readers[network] + CONTENT)
    assert main(["verify", str(path)]) == 0
    assert f"weights of {network}, whole; sha256:" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "tried"), [(b"<html>", 5), (b"", 5), (HDF5, 1)])
def test_verify_lists_why_no_reader_accepts_a_file(
    tmp_path: Path,
    readers: dict[str, bytes],
    content: bytes,
    tried: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    readers["sketchkeras"] = b"no file begins like this"
    path = tmp_path / "mine"
    path.write_bytes(content)
    assert main(["verify", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == f"{path}: not a weight file of any network."
    assert len(lines) == 1 + tried


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_verify_of_missing_file_or_folder_is_refused(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", path]) == 1
    message = capsys.readouterr().err
    assert "cannot be read" in message
    assert message.count("\n") == 1


def test_module_runs_without_warnings() -> None:
    command = [sys.executable, "-W", "error", "-m", "sketch_models.weights"]
    done = subprocess.run([*command, "list"], capture_output=True, text=True, cwd=TOP)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["name", "network", "MB", "licence", "downloaded"]
    done = subprocess.run([*command, "fetch", "x"], capture_output=True, text=True, cwd=TOP)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Weights x: unknown name. Use one of ")
