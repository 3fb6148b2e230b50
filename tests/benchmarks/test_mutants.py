"""Which changes are drawn, and which run once more."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks.mutants import MODULES, TOP, Module, not_noticed, sample
from benchmarks.mutation.changes import mutants
from benchmarks.mutation.mirror import mirrored_tests
from benchmarks.mutation.records import Records, record
from benchmarks.mutation.runner import FAILED, PASSED, Run

SOURCE = "".join(f"a{number} < {number}\n" for number in range(20))


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "records")


def module() -> Module:
    return cast(Module, SimpleNamespace(name="a.py", mutants=mutants(SOURCE)))


def note(records: Records, seed: int, keys: list[str], result: str = PASSED) -> None:
    run = Run(result=result, failed="", durations={}, called={})
    for mutant in module().mutants:
        if mutant.key in keys:
            records.add(record(seed, "a.py", mutant, run))


def keys(records: Records, seed: int, each: int) -> list[str]:
    return [mutant.key for mutant in sample(module(), records, seed, each)]


def test_sample_is_of_its_seed(records: Records) -> None:
    assert len(keys(records, 1, 8)) == 8
    assert keys(records, 1, 8) == keys(records, 1, 8)
    assert keys(records, 1, 8) != keys(records, 2, 8)
    assert keys(records, 1, 5) == keys(records, 1, 8)[:5]


def test_sample_that_was_stopped_goes_on(records: Records) -> None:
    whole = keys(records, 1, 8)
    note(records, 1, whole[:3])
    assert keys(records, 1, 8) == whole[3:]
    note(records, 1, whole[3:])
    assert keys(records, 1, 8) == []


def test_no_seed_draws_the_changes_of_another(records: Records) -> None:
    first = keys(records, 1, 8)
    note(records, 1, first)
    assert not set(keys(records, 2, 100)) & set(first)
    assert len(keys(records, 2, 100)) == len(mutants(SOURCE)) - 8


def test_changes_that_no_test_noticed_run_again(records: Records) -> None:
    one, two, three = keys(records, 1, 3)
    note(records, 1, [one, two])
    note(records, 1, [three], FAILED)
    note(records, 2, [two], FAILED)
    assert [mutant.key for mutant in not_noticed(module(), records)] == [one]


def test_every_key_module_is_there_and_has_tests() -> None:
    assert len(set(MODULES)) == len(MODULES) > 40
    for name in MODULES:
        assert (TOP / name).is_file(), name
        assert mirrored_tests(name), name
