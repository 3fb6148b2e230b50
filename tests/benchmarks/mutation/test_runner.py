"""Tests of a module with a changed source, in a copy of a small repository."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutation.changes import with_notes

MODULE, TESTS = "pipeline/small.py", "tests/test_small.py"
SOURCE = "def less(a, b):\n    return a < b\n\n\ndef other():\n    return True\n"
TEST = """import threading

from pipeline.small import less, other

def test_other(): assert other()
def test_less(): assert less(1, 2)
def test_both(): assert less(1, 2) and other()
def test_thread():
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
"""
# In a process of its own: with threads, a fork is a warning since Python 3.12.
DRIVER = """import json, sys
from dataclasses import asdict
from pathlib import Path
from benchmarks.mutation.runner import Copy

copy = Copy(Path(sys.argv[1]) / "copy", top=Path(sys.argv[1]) / "small")
runs = [asdict(copy.run(["tests/test_small.py"], **wanted)) for wanted in json.loads(sys.argv[2])]
print(json.dumps([runs, (copy.folder / "pipeline/small.py").read_text()]))
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    files = {MODULE: SOURCE, TESTS: TEST, "pipeline/__init__.py": "", "pytest.ini": "[pytest]"}
    for name, text in files.items():
        file = tmp_path / "small" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "copy").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path / "small", check=True)
    return tmp_path


def run(small: Path, *wanted: dict[str, object]) -> list[dict[str, Any]]:
    """Return the runs, after checking that neither the copy nor the repository stays changed."""
    requests = json.dumps([{"module": MODULE} | one for one in wanted])
    command = [sys.executable, "-c", DRIVER, str(small), requests]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    runs, left = json.loads(done.stdout)
    assert left == SOURCE == (small / "small" / MODULE).read_text()
    return list(runs)


def test_which_tests_call_which_functions(small: Path) -> None:
    (right,) = run(small, {"source": with_notes(SOURCE)})
    other, less, both, thread = (f"{TESTS}::test_{n}" for n in ("other", "less", "both", "thread"))
    assert (right["result"], right["failed"]) == ("passed", "")
    assert right["called"] == {other: [5], less: [1], both: [1, 5], thread: [5]}
    assert set(right["durations"]) == {other, less, both, thread}


def test_a_test_that_notices_and_those_that_are_chosen(small: Path) -> None:
    wrong = SOURCE.replace("a < b", "a > b")
    other, both = f"{TESTS}::test_other", f"{TESTS}::test_both"
    everything, ordered, blind, right = run(
        small,
        {"source": wrong},
        {"source": wrong, "chosen": [both, other]},
        {"source": wrong, "chosen": [other]},
        {"source": SOURCE},
    )
    assert (everything["result"], everything["failed"]) == ("failed", f"{TESTS}::test_less")
    assert (ordered["result"], ordered["failed"], [*ordered["durations"]]) == (
        "failed",
        both,
        [both],
    )
    assert (blind["result"], [*blind["durations"]]) == ("passed", [other])
    assert (right["result"], len(right["durations"])) == ("passed", 4)


@pytest.mark.parametrize(
    ("end", "limit", "result"),
    [
        ("1 / 0", 60.0, "failed"),
        ("import os; os._exit(0)", 60.0, "failed"),
        ("while True: pass", 3.0, "timed out"),
    ],
)
def test_a_module_that_cannot_be_imported_ends_its_process_or_hangs(
    small: Path, end: str, limit: float, result: str
) -> None:
    (wrong,) = run(small, {"source": SOURCE + end, "limit": limit})
    assert wrong["result"] == result


def test_tests_that_cannot_run_are_an_error(small: Path) -> None:
    (small / "small" / TESTS).write_text("")
    with pytest.raises(AssertionError, match="no tests ran"):
        run(small, {"source": SOURCE})
