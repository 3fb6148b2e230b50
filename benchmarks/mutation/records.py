"""What became of every change: a file of JSON lines, and the reasons that a person has written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.mutation.changes import Mutant
from benchmarks.mutation.runner import PASSED, Run


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run of the tests of a module with one change."""

    seed: int
    module: str
    key: str  # of the mutant
    line: int
    result: str  # of the run
    test: str  # which failed first; "" if none

    @property
    def is_noticed(self) -> bool:
        return self.result != PASSED


def record(seed: int, module: str, mutant: Mutant, run: Run) -> Record:
    """Return the record of a run."""
    return Record(
        seed=seed,
        module=module,
        key=mutant.key,
        line=mutant.line,
        result=run.result,
        test=run.failed,
    )


@dataclass(frozen=True)
class Fate:
    """All runs of one change: at first, and after tests were written or code was changed."""

    first: Record
    last: Record


class Records:
    """The records of all runs, in the order in which they were made."""

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self._fates: dict[tuple[str, str], Fate] = {}
        for line in lines:
            self._note(Record(**json.loads(line)))

    def add(self, new: Record) -> None:
        """Append a record to the file."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(new), ensure_ascii=False) + "\n")
        self._note(new)

    def _note(self, new: Record) -> None:
        known = self._fates.get((new.module, new.key))
        self._fates[new.module, new.key] = Fate(known.first if known else new, new)

    def fates(self, seed: int | None = None, module: str | None = None) -> list[Fate]:
        """Return what became of the changes of a seed or of a module, or of all."""
        return [
            fate
            for fate in self._fates.values()
            if seed in (None, fate.first.seed) and module in (None, fate.first.module)
        ]

    def seeds(self) -> list[int]:
        """Return the seeds of all samples, the first sample first."""
        return list(dict.fromkeys(fate.first.seed for fate in self._fates.values()))


def unseen(mutants: Iterable[Mutant], fates: Sequence[Fate]) -> list[Mutant]:
    """Return the mutants that have not run yet."""
    keys = {fate.first.key for fate in fates}
    return [mutant for mutant in mutants if mutant.key not in keys]


def read_reasons(file: Path) -> dict[str, dict[str, str]]:
    """Return why changes need not be noticed: for each module, the keys of changes and reasons.

    Under `samples` it has a remark on each seed instead.
    """
    if not file.exists():
        return {}
    reasons: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return reasons
