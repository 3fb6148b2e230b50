"""Run tests on a copy of the repository, in forks of a process that has imported the libraries."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

TOP = Path(__file__).parents[2]

_LIBRARIES = (
    *("cv2", "flask", "h5py", "matplotlib.pyplot", "numpy", "pandas", "PIL.Image", "polars"),
    *("protego", "requests", "safetensors.torch", "scipy.ndimage", "skimage.morphology"),
    *("torch", "torch.nn.functional", "torch.utils.data"),
)
_OWN = ("benchmarks", "pipeline", "senga", "sketch_models", "tasks", "tests")

PASSED, FAILED, TIMED_OUT = "passed", "failed", "timed out"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one run of tests."""

    result: str  # PASSED, FAILED or TIMED_OUT
    failed: str  # the test that failed first; "" if none
    seconds: float
    ended: Sequence[str]  # the tests that ended, in their order
    called: dict[str, list[int]]  # for each test, the first lines of the functions that it called


def import_libraries() -> None:
    """Import what takes seconds, once; a fork has it at once."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # a module changes twice a second: so may its cache
    sys.dont_write_bytecode = True
    for name in _LIBRARIES:
        importlib.import_module(name)


class Copy:
    """A copy of the repository, as it is on disk, whose modules are changed one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self._scratch = folder / "scratch"
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=TOP, check=True, capture_output=True).stdout
        for name in filter(None, names.decode().split("\0")):
            if (TOP / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.folder / name)

    def run(
        self,
        tests: Sequence[str],
        *,
        module: str,
        source: str | None = None,
        first: Collection[str] = (),
        limit: float = 600.0,
    ) -> Run:
        """Run the tests with a module's source replaced, until one fails.

        Args:
            tests: the files, relative to the repository.
            module: the module's file, relative to the repository.
            source: its changed source; None to run the tests on the module as it is, and to note
                which of its functions each of them calls.
            first: the tests to begin with, in this order.
            limit: in seconds.
        """
        file = self.folder / module
        right = file.read_text(encoding="utf-8")
        try:
            if source is not None:
                file.write_text(source, encoding="utf-8")
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
            watch = _Watch(first, str(file) if source is None else None)
            return self._in_fork(tests, watch, limit)
        finally:
            file.write_text(right, encoding="utf-8")

    def _in_fork(self, tests: Sequence[str], watch: _Watch, limit: float) -> Run:
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            self._child(tests, watch)
        code = _wait(child, begun + limit)
        _kill_group(child)  # what the tests have left running
        report = self._scratch / "report.json"
        if not report.exists() or code is None:
            found: dict[str, Any] = {"failed": "", "ended": [], "called": {}}
        else:
            found = json.loads(report.read_text(encoding="utf-8"))
        if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
            raise RuntimeError((self._scratch / "output").read_text(encoding="utf-8"))
        result = TIMED_OUT if code is None else PASSED if code == 0 else FAILED
        return Run(result=result, seconds=time.monotonic() - begun, **found)

    def _child(self, tests: Sequence[str], watch: _Watch) -> None:
        """Be the process of the tests; does not return."""
        code = 70  # if what follows fails
        try:
            os.setsid()
            os.chdir(self.folder)
            output = os.open(self._scratch / "output", os.O_CREAT | os.O_WRONLY, 0o644)
            for stream, target in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
                os.dup2(stream, target)
            os.environ["PYTHONPATH"] = str(self.folder)
            sys.path[:] = [str(self.folder), *(p for p in sys.path if not _is_in_tree(p))]
            for name in [name for name in sys.modules if name.partition(".")[0] in _OWN]:
                del sys.modules[name]
            temporary = f"--basetemp={self._scratch / 'tmp'}"
            options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", temporary]
            code = pytest.main([*options, *tests], plugins=[watch])
            (self._scratch / "report.json").write_text(json.dumps(watch.report()), "utf-8")
        finally:
            os._exit(code)


def _is_in_tree(path: str) -> bool:
    return Path(path or ".").resolve() in (TOP, TOP / "benchmarks")


def _wait(child: int, until: float) -> int | None:
    """Return the exit status of a process, negative for a signal; None if the time was up."""
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    _kill_group(child)
    os.waitpid(child, 0)
    return None


def _kill_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # all have ended


class _Watch:
    """A plugin of pytest: sets the order of the tests, and notes what each of them calls."""

    def __init__(self, first: Collection[str], file: str | None) -> None:
        self._order = {name: place for place, name in enumerate(first)}
        self._file = file
        self._failed = ""
        self._ended: dict[str, float] = {}
        self._called: dict[str, list[int]] = {}

    def report(self) -> dict[str, Any]:
        ended = sorted(self._ended, key=self._ended.__getitem__)
        return {"failed": self._failed, "ended": ended, "called": self._called}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._order.get(item.nodeid, len(self._order)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._failed = self._failed or report.nodeid or "collection"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._ended[report.nodeid] = self._ended.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self._failed = self._failed or report.nodeid

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if self._file is None:
            return (yield)
        lines: set[int] = set()
        sys.settrace(self._noting(lines))
        threading.settrace(self._noting(lines))
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self._called[item.nodeid] = sorted(lines)

    def _noting(self, lines: set[int]) -> Callable[[FrameType, str, object], None]:
        def note(frame: FrameType, _: str, __: object) -> None:
            if frame.f_code.co_filename == self._file:
                lines.add(frame.f_code.co_firstlineno)

        return note
