"""A running demo, a browser, and pages of the demo in it."""

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

from tests.end_to_end.demo.demo_page import DemoPage

TOP = Path(__file__).parents[3]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SKIP_REASON = "needs Chromium: apt install chromium, or set SENGA_CHROMIUM to one"
LAPTOP = {"width": 1366, "height": 768}

OpenPage = Callable[..., DemoPage]


class Server:
    """A process of `python -m pipeline.demo`."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self.errors = errors

    @cached_property
    def output(self) -> str:
        """The standard output of the server until it serves."""
        assert self.process.stdout is not None
        output = ""
        while "The demo is at " not in output:
            line = self.process.stdout.readline()
            assert line, self.errors.read_text()
            output += line
        return output

    @cached_property
    def url(self) -> str:
        return self.output.partition("The demo is at ")[2].split()[0]

    def stop(self) -> int:
        """Stop the server; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Server]:
    """Start the demo on a free port, without this machine's weights."""
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
            assert errors.read_text() == ""  # no traceback, and nothing of the requests
        finally:
            process.kill()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    path = os.environ.get("SENGA_CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUM_NAMES)), None
    )
    if path is None:
        pytest.skip(SKIP_REASON)
    return path


@pytest.fixture(scope="session")
def demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:  # noqa: ARG001
    """The demo with the colorizer that comes with the project."""
    with running(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for one module: Playwright's event loop would disturb other tests."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, demo: Server) -> Iterator[OpenPage]:
    """Open pages; at the end, none of them may have had errors."""
    pages: list[DemoPage] = []

    def open_one(url: str = demo.url, *, load: bool = True, **options: Any) -> DemoPage:
        context = browser.new_context(**({"viewport": LAPTOP} | options))
        pages.append(DemoPage(context.new_page(), url))
        if load:
            pages[-1].load()
        return pages[-1]

    yield open_one
    assert [error for page in pages for error in page.close()] == []


@pytest.fixture
def page(open_page: OpenPage) -> DemoPage:
    """The page with the first sample, coloured."""
    return open_page()
