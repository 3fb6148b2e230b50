"""A short run of random input for readers; `python -m tests.fuzz.readers` is a long one."""

import os
import signal
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import readers
from tests.fuzz.memory import Memory
from tests.fuzz.readers import CRASHED, READERS, fuzz, report, run_case

CASES = {"pictures": 200, "headers": 100, "csv": 40, "board": 40, "packed": 12, "weights": 10}


@pytest.mark.parametrize("name", READERS)
def test_nothing_escapes(name: str, tmp_path: Path) -> None:
    memory = Memory(os.getpid())
    cases = [run_case(name, 0, number, tmp_path, memory) for number in range(CASES[name])]
    assert not [escape for _, escape, _, _ in cases if escape]
    assert len({outcome for outcome, _, _, _ in cases}) > 1


def test_what_escapes_and_what_ends_the_process_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(random: Random, _: Path) -> object:
        return 1 // (random.randrange(2) if random.random() < 0.5 else 1)

    monkeypatch.setitem(READERS, "headers", fail)
    memory = Memory(os.getpid())
    cases = [run_case("headers", 0, number, tmp_path, memory) for number in range(50)]
    assert {outcome for outcome, _, _, _ in cases} == {"1", "escaped"}
    assert {escape.partition(":")[0] for _, escape, _, _ in cases} == {"", "ZeroDivisionError"}

    results = readers.Results()
    results.outcomes["ok"], results.slowest, results.largest = 1200, (0.5, 3), (12.4, 9)
    assert report("csv", results) == "| csv | 1,200 | 0 | 0.50 | 12 | ok 1,200 |"


def test_process_that_ends_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_work", _dying_work)
    results = fuzz("headers", 4, 0)
    assert results.outcomes == {"ok": 3, f"{CRASHED} ({-signal.SIGSEGV})": 1}
    assert results.escapes == [f"case 2 of seed 0: {CRASHED} ({-signal.SIGSEGV})"]


def _dying_work(_name: str, _seed: int, first: int, cases: int, results: object) -> None:
    for number in range(first, cases):
        if number == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        results.send(("ok", "", 0.0, 0.0))  # type: ignore[attr-defined]
