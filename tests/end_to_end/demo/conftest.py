"""A running demo, a browser, and pages of the one in the other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.end_to_end.demo.demo_page import Desk

TOP = Path(__file__).parents[3]
NAMES = ("chromium", "chromium-browser", "google-chrome")
NEEDS = "needs Chromium: apt install chromium, or set SENGA_CHROMIUM to one"
LAPTOP = {"width": 1366, "height": 768}

OpenDesk = Callable[..., Desk]


class Server:
    """A process of `python -m pipeline.demo`."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self.errors = errors

    @cached_property
    def said(self) -> str:
        """What its terminal shows once it serves."""
        assert self.process.stdout is not None
        said = ""
        while "The demo is at " not in said:
            line = self.process.stdout.readline()
            assert line, self.errors.read_text()
            said += line
        return said

    @cached_property
    def address(self) -> str:
        return self.said.partition("The demo is at ")[2].split()[0]

    def stop(self) -> int:
        """Ends it; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Server]:
    """The demo, starting on a free port, without this machine's weights."""
    errors = folder / "stderr"
    command = [sys.executable, "-m", "pipeline.demo", "--port", "0", "--no-browser"]
    with (
        errors.open("w") as log,
        subprocess.Popen(
            [*command, "--device", "cpu", *arguments],
            cwd=TOP,
            env={**os.environ, "SENGA_WEIGHTS": str(folder / "weights"), "OMP_NUM_THREADS": "2"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            server = Server(process, errors)
            yield server
            assert server.stop() == 0
            assert errors.read_text() == ""  # nothing of what was sent, and no traceback
        finally:
            process.kill()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    path = os.environ.get("SENGA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(NEEDS)
    return path


@pytest.fixture(scope="session")
def demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:  # noqa: ARG001
    """With the colorizer that comes with the project."""
    with running(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """For one module: Playwright keeps an event loop, which other tests should not meet."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=root)
        yield browser
        browser.close()


@pytest.fixture
def open_desk(browser: Browser, demo: Server) -> Iterator[OpenDesk]:
    """Opens pages; in the end, none of them may have had troubles."""
    desks: list[Desk] = []

    def open_one(address: str = demo.address, *, start: bool = True, **options: Any) -> Desk:
        context = browser.new_context(**({"viewport": LAPTOP} | options))
        desks.append(Desk(context.new_page(), address))
        if start:
            desks[-1].start()
        return desks[-1]

    yield open_one
    troubles = [trouble for desk in desks for trouble in desk.end()]
    assert troubles == []


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """The page as it opens: with the first sample, coloured."""
    return open_desk()
