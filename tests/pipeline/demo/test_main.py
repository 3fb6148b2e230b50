"""The command, as a process of its own: its output, its page, its errors and its end."""

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[3]
TIMEOUT = 60  # seconds; only a failing test waits for so long
LOADING = """
import runpy, threading
from pipeline.demo.models import Models

def load(options):
    print("loading", flush=True)
    threading.Event().wait()

Models.load = load
runpy.run_module("pipeline.demo", run_name="__main__")
"""  # the command, which never finishes loading its models


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment variables without weights, and with a browser that records the page it opens."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path / "opened"}\n', encoding="utf-8")
    browser.chmod(0o755)
    own = {"SENGA_WEIGHTS": str(tmp_path / "weights"), "BROWSER": str(browser)}
    return {**os.environ, **own, "PYTHONPATH": str(TOP)}


def start(
    environment: dict[str, str],
    *arguments: object,
    program: Sequence[str] = ("-m", "pipeline.demo"),
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *program, "--device=cpu", *map(str, arguments)],
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
    """The process, its URL, and its output until then."""
    with start(environment, "--port=0", *arguments) as process:
        try:
            assert process.stdout is not None
            output = ""
            while not (match := re.search(r"http://\S+", output)):
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                output += line
            yield process, match[0], output
        finally:
            process.kill()


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_demo_is_served_until_a_signal(
    environment: dict[str, str], colorizer_file: Path, signal_number: int
) -> None:
    with running(environment, "--colorizer", colorizer_file, "--no-browser") as (
        process, url, output,
    ):  # fmt: skip
        assert get(f"{url}/healthz") == (200, {"status": "ok", "queue": 0, "device": "cpu"})
        assert f"Colorizer: {colorizer_file.parent.name} (netl_spade, 64 px" in output
        assert "Sketch model: tracer, on cpu\nSketch model: xdog, on cpu" in output
        assert "Line model: inker, on cpu\n" in output
        assert "Sketch model: sketchkeras, not loaded: " in output
        assert "Everybody" not in output
        process.send_signal(signal_number)
        out, errors = process.communicate(timeout=TIMEOUT)
        assert (process.returncode, out, errors) == (0, "", "")
    assert not (Path(environment["BROWSER"]).parent / "opened").exists()


def test_demo_can_be_stopped_while_it_loads(environment: dict[str, str]) -> None:
    with start(environment, "--port=0", "--no-browser", program=("-c", LOADING)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, errors) == (0, "")


def test_page_is_opened_in_the_browser(environment: dict[str, str], colorizer_file: Path) -> None:
    with running(environment, "--colorizer", colorizer_file, "--host=0.0.0.0") as (
        _,
        url,
        output,
    ):
        opened = Path(environment["BROWSER"]).parent / "opened"
        end = time.monotonic() + TIMEOUT
        while not (opened.exists() and opened.read_text(encoding="utf-8").strip()):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert opened.read_text(encoding="utf-8").strip() == url
        assert "Everybody who can reach this machine can use the demo" in output


def test_pytorch_is_not_imported_before_the_options_are_checked(
    environment: dict[str, str],
) -> None:
    """Importing PyTorch takes seconds, and it reads its environment then."""
    code = "import pipeline.demo.__main__, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    assert done.stdout.strip() == b"False"


@pytest.mark.parametrize("broken", [False, True], ids=["missing", "broken"])
def test_demo_starts_without_a_colorizer(
    environment: dict[str, str], tmp_path: Path, broken: bool
) -> None:
    path = tmp_path / "colorizer.safetensors"
    if broken:
        path.write_bytes(b"\xff" * 99)
    with running(environment, "--colorizer", path, "--no-browser") as (process, url, output):
        assert get(f"{url}/healthz")[0] == 503
        reason = get(f"{url}/api/models")[1]["colorizer"]["reason"]
        assert str(path) in reason
        assert f"No colorizer: {reason}" in output
        process.terminate()
        assert process.communicate(timeout=TIMEOUT)[1] == ""
        assert process.returncode == 0


@pytest.mark.parametrize("arguments", [["--port=70000"], ["--queue=0"], ["--host=nowhere.invalid"]])
def test_wrong_option_is_one_line_on_stderr(
    environment: dict[str, str], arguments: list[str]
) -> None:
    message = error_line(environment, *arguments)
    name, _, value = arguments[0].partition("=")
    assert message.startswith(f"senga: {name} = {value}: ")


def test_taken_port_is_one_line_on_stderr(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = error_line(environment, f"--port={port}")
    assert message.startswith(f"senga: --port = {port}: another program listens there already")


def error_line(environment: dict[str, str], *arguments: str) -> str:
    with start(environment, "--no-browser", *arguments) as process:
        out, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out) == (3, "")
    assert len(errors.splitlines()) == 1
    return errors
