"""Run tests on a copy of the repository, in forks of a process that has imported the libraries."""

from __future__ import annotations

import compileall
import gc
import importlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]

_LIBRARIES = (
    *("cv2", "flask", "h5py", "matplotlib.pyplot", "numpy", "pandas", "PIL.Image", "polars"),
    *("protego", "requests", "safetensors.torch", "scipy.ndimage", "skimage.morphology"),
    *("torch", "torch.nn.functional", "torch.utils.data"),
)
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
_OWN = ("benchmarks", "pipeline", "senga", "sketch_models", "tasks", "tests")

PASSED, FAILED, TIMED_OUT = "passed", "failed", "timed out"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one run of tests."""

    result: str  # PASSED, FAILED or TIMED_OUT
    failed: str  # the test that failed first; "" if none
    durations: dict[str, float]  # of the tests that ended, in seconds, the quickest first
    called: dict[str, list[int]]  # for each test, the first lines of the functions that it called


def import_libraries() -> None:
    """Import what takes seconds, once; a fork has it at once."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in _LIBRARIES:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as empty, redirect_stdout(io.StringIO()):
        pytest.main([*_OPTIONS, "--rootdir", empty, empty])  # which imports its plugins
    gc.freeze()  # so that forks share what is imported


class Copy:
    """A copy of the repository, as it is on disk, whose modules are changed one at a time.

    Its bytecode is written once and for all, and not that of changed modules: it could be taken for
    that of another, which was written in the same second and has the same size.
    """

    def __init__(self, folder: Path, top: Path = TOP) -> None:
        self.folder = folder / "repository"
        self._scratch = folder / "scratch"
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=top, check=True, capture_output=True).stdout
        for name in filter(None, names.decode().split("\0")):
            if (top / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(top / name, self.folder / name)
        compileall.compile_dir(self.folder, quiet=2)

    def run(
        self,
        tests: Sequence[str],
        *,
        module: str,
        source: str,
        chosen: Sequence[str] = (),
        limit: float = 600.0,
    ) -> Run:
        """Run the tests with a module's source replaced, until one fails.

        Args:
            tests: the files, relative to the repository.
            module: the module's file, relative to the repository.
            source: its changed source; that of `with_notes` tells which functions tests call.
            chosen: the tests to run, in this order; none: all.
            limit: in seconds.
        """
        file = self.folder / module
        right = file.read_text(encoding="utf-8")
        files = [name for name in tests if not chosen or any(c.startswith(name) for c in chosen)]
        try:
            Path(cache_from_source(str(file))).unlink(missing_ok=True)
            file.write_text(source, encoding="utf-8")
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
            return self._in_fork(files, _Watch(chosen), limit)
        finally:
            file.write_text(right, encoding="utf-8")

    def _in_fork(self, tests: Sequence[str], watch: _Watch, limit: float) -> Run:
        child = os.fork()
        if child == 0:
            self._child(tests, watch)
        code = _wait(child, time.monotonic() + limit)
        _kill_group(child)  # what the tests have left running
        report = self._scratch / "report.json"
        found: dict[str, Any] = {"failed": "", "durations": {}, "called": {}}
        ended_itself = report.exists()
        if ended_itself:
            found = json.loads(report.read_text(encoding="utf-8"))
        if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
            raise RuntimeError((self._scratch / "output").read_text(encoding="utf-8"))
        result = PASSED if code == 0 and ended_itself else FAILED
        result = TIMED_OUT if code is None else result
        return Run(result=result, **found)

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
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # of the processes that tests start
            sys.dont_write_bytecode = True
            sys.path[:] = [str(self.folder), *(p for p in sys.path if not _is_in_tree(p))]
            for name in [name for name in sys.modules if name.partition(".")[0] in _OWN]:
                del sys.modules[name]
            temporary = f"--basetemp={self._scratch / 'tmp'}"
            code = pytest.main([*_OPTIONS, temporary, *tests], plugins=[watch])
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
    """A plugin of pytest: chooses the tests, and notes what each of them calls."""

    def __init__(self, chosen: Sequence[str]) -> None:
        self._order = {name: place for place, name in enumerate(chosen)}
        self._failed = ""
        self._durations: dict[str, float] = {}
        self._called: dict[str, list[int]] = {}

    def report(self) -> dict[str, Any]:
        durations = dict(sorted(self._durations.items(), key=lambda item: item[1]))
        return {"failed": self._failed, "durations": durations, "called": self._called}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._order:
            chosen = [item for item in items if item.nodeid in self._order]
            items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._failed = self._failed or report.nodeid or "collection"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        earlier = self._durations.get(report.nodeid, 0.0)
        self._durations[report.nodeid] = earlier + report.duration
        if report.failed:
            self._failed = self._failed or report.nodeid

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        lines: set[int] = set()
        sys.called_lines = lines  # type: ignore[attr-defined]  # see `with_notes`
        try:
            return (yield)
        finally:
            self._called[item.nodeid] = sorted(lines)
