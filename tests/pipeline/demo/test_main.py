"""The command, as a process of its own: what it says, serves, refuses, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[3]
WAIT = 60  # seconds


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Without weights, and with a browser that writes down what it is told to open."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path / "opened"}\n', encoding="utf-8")
    browser.chmod(0o755)
    own = {"SENGA_WEIGHTS": str(tmp_path / "weights"), "BROWSER": str(browser)}
    return {**os.environ, **own, "PYTHONPATH": str(TOP)}


def start(environment: dict[str, str], *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.demo", "--device=cpu", *map(str, arguments)],
        cwd=TOP,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextmanager
def running(
    environment: dict[str, str], *arguments: object
) -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """The process, its address, and all that it has said."""
    with start(environment, "--port=0", *arguments) as process:
        try:
            assert process.stdout is not None
            said = ""
            while not (found := re.search(r"http://\S+", said)):
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                said += line
            yield process, found[0], said
        finally:
            process.kill()


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=WAIT) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(
    environment: dict[str, str], colorizer_file: Path, number: int
) -> None:
    with running(environment, "--colorizer", colorizer_file, "--no-browser") as (
        process, address, said,
    ):  # fmt: skip
        assert get(f"{address}/healthz") == (200, {"status": "ok", "queue": 0, "device": "cpu"})
        assert f"Colorizer: {colorizer_file.parent.name} (netl_spade, 64 px" in said
        assert "xdog, on cpu" in said
        assert "sketchkeras, not loaded: " in said
        assert "Everybody" not in said
        started = time.monotonic()
        process.send_signal(number)
        out, errors = process.communicate(timeout=WAIT)
        assert time.monotonic() - started < 3
        assert (process.returncode, out, errors) == (0, "", "")
    assert not (Path(environment["BROWSER"]).parent / "opened").exists()


def test_it_can_be_ended_while_it_loads(environment: dict[str, str]) -> None:
    with start(environment, "--port=0", "--no-browser") as process:
        time.sleep(0.7)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WAIT)
    assert process.returncode in (0, -signal.SIGTERM)  # before or after it has heard of signals
    assert errors == ""


def test_it_opens_the_page(environment: dict[str, str], colorizer_file: Path) -> None:
    with running(environment, "--colorizer", colorizer_file, "--host=0.0.0.0") as (
        _,
        address,
        said,
    ):
        opened = Path(environment["BROWSER"]).parent / "opened"
        end = time.monotonic() + WAIT
        while not (opened.exists() and opened.read_text(encoding="utf-8").strip()):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert opened.read_text(encoding="utf-8").strip() == address
        assert "Everybody who can reach this machine can use the demo" in said


def test_pytorch_is_loaded_when_all_else_is_well(environment: dict[str, str]) -> None:
    """It reads its environment then, and takes seconds."""
    code = "import pipeline.demo.__main__, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    assert done.stdout.strip() == b"False"


@pytest.mark.parametrize("kind", ["missing", "broken"])
def test_it_starts_without_a_colorizer(
    environment: dict[str, str], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "colorizer.safetensors"
    if kind == "broken":
        path.write_bytes(b"\xff" * 99)
    with running(environment, "--colorizer", path, "--no-browser") as (process, address, said):
        assert get(f"{address}/healthz")[0] == 503
        described = get(f"{address}/api/models")[1]["colorizer"]
        assert str(path) in described["reason"]
        assert f"No colorizer: {described['reason']}" in said
        process.terminate()
        assert process.communicate(timeout=WAIT)[1] == ""
        assert process.returncode == 0


@pytest.mark.parametrize("arguments", [["--port=70000"], ["--queue=0"], ["--host=nowhere.invalid"]])
def test_what_cannot_work_is_one_sentence(
    environment: dict[str, str], arguments: list[str]
) -> None:
    said = refused(environment, *arguments)
    name, _, value = arguments[0].partition("=")
    assert said.startswith(f"senga: {name} = {value}: ")


def test_a_taken_port(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(environment, f"--port={port}")
    assert said.startswith(f"senga: --port = {port}: something listens there already")


def refused(environment: dict[str, str], *arguments: str) -> str:
    with start(environment, "--no-browser", *arguments) as process:
        out, errors = process.communicate(timeout=WAIT)
    assert (process.returncode, out) == (3, "")
    assert len(errors.splitlines()) == 1
    return errors
