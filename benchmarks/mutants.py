"""Make small wrong changes to the key modules, one at a time; count those that tests notice.

`python benchmarks/mutants.py --each 8` draws that many changes for each module and runs the tests
that mirror it on a copy of the repository. What came of each change is appended to
`results/mutants.jsonl`, so that a run that was stopped goes on; `--save` writes
`results/mutants.md`. Another `--seed` draws other changes. `--again` also runs those that were
not noticed once more, after tests were written. Why a change need not be noticed is written by hand
into `results/mutants_looked_at.json`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.report import RESULTS, make_parser, publish
from benchmarks.mutation.changes import Mutant, mutants, with_notes
from benchmarks.mutation.mirror import mirrored_tests
from benchmarks.mutation.page import results_page
from benchmarks.mutation.records import Records, read_reasons, record, unseen
from benchmarks.mutation.runner import PASSED, TOP, Copy, Run, import_libraries

_NAMES = {
    "pipeline": (
        *("damage", "manifest", "memory_budget", "picture", "picture_parts", "shard", "store"),
        "table",
    ),
    "pipeline/posts": ("filter", "kaggle_csv"),
    "pipeline/collect": (
        *("address", "check_picture", "fetch", "fetch_many", "headers", "host", "journal"),
        *("robots", "schedule"),
    ),
    "pipeline/screen": ("duplicates", "picture_stats", "screen"),
    "pipeline/pack": (
        *("bounds", "dataset_file", "ledger", "pack", "split", "verify_data", "verify_files"),
    ),
    "pipeline/colorizer": ("hints",),
    "pipeline/colorizer/evaluation": ("metrics", "scores"),
    "pipeline/colorizer/networks": ("generator",),
    "pipeline/colorizer/training": ("losses", "trainer"),
    "pipeline/demo": ("connections", "fields", "guard", "worker"),
    "sketch_models": ("centerline", "runner", "styles", "xdog"),
    "sketch_models/weights": ("torch7",),
}
MODULES = [f"{folder}/{name}.py" for folder, names in _NAMES.items() for name in names]

RECORDS = RESULTS / "mutants.jsonl"
REASONS = RESULTS / "mutants_looked_at.json"


class Module:
    """A module, its mutants, and the tests that are to notice them."""

    def __init__(self, copy: Copy, name: str, *, near: bool) -> None:
        self._copy, self.name = copy, name
        self._tests = mirrored_tests(name, near=near)
        self._source = (TOP / name).read_text(encoding="utf-8")
        self.mutants = mutants(self._source)
        self._right: Run | None = None

    def run(self, mutant: Mutant) -> Run:
        """Run the tests that call the changed function, the quickest first; all if none does."""
        right = self._right or self._run_unchanged()
        calling = [name for name in right.durations if mutant.first in right.called[name]]
        chosen = calling or [*right.durations]
        return self._copy.run(
            self._tests,
            module=self.name,
            source=mutant.source,
            chosen=chosen,
            limit=30 + 4 * sum(right.durations[name] for name in chosen),
        )

    def _run_unchanged(self) -> Run:
        source = with_notes(self._source)
        self._right = self._copy.run(self._tests, module=self.name, source=source)
        if self._right.result != PASSED:
            raise SystemExit(f"{self.name}: fails as it is: {self._right.failed}")
        return self._right


def sample(module: Module, records: Records, seed: int, each: int) -> list[Mutant]:
    """Return the changes that still have to run: no seed draws those of another."""
    known = records.fates(module=module.name)
    order = list(module.mutants)
    random.Random(f"{seed} {module.name}").shuffle(order)
    return unseen(order, known)[: max(0, each - sum(fate.first.seed == seed for fate in known))]


def not_noticed(module: Module, records: Records) -> list[Mutant]:
    """Return the changes of all samples that were not noticed in their last run."""
    fates = records.fates(module=module.name)
    keys = {fate.last.key for fate in fates if not fate.last.is_noticed}
    return [mutant for mutant in module.mutants if mutant.key in keys]


def run(names: Sequence[str], args: argparse.Namespace, records: Records) -> None:
    """Run what is left of a sample, and what was not noticed if that is wanted."""
    import_libraries()
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        for number, name in enumerate(names, 1):
            module = Module(copy, name, near=args.near)
            again = not_noticed(module, records) if args.again else []
            todo = [*again, *sample(module, records, args.seed, args.each)]
            for place, mutant in enumerate(todo, 1):
                records.add(record(args.seed, name, mutant, module.run(mutant)))
                line = f"{number}/{len(names)} {name} {place}/{len(todo)}: {_count(records, args)}"
                print(f"\r{line:<100}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _count(records: Records, args: argparse.Namespace) -> str:
    fates = records.fates(args.seed)
    return f"{sum(fate.last.is_noticed for fate in fates)} of {len(fates)} noticed"


def main() -> None:
    parser = make_parser(__doc__, "mutants.md")
    parser.add_argument(
        "--each", type=int, default=0, help="changes of each module; 0: no new ones"
    )
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--modules", nargs="+", default=MODULES, help="files")
    parser.add_argument("--again", action="store_true", help="also those not noticed, once more")
    parser.add_argument("--near", action="store_true", help="also tests beside the mirrored ones")
    args = parser.parse_args()
    records = Records(RECORDS)
    if args.each or args.again:
        run(args.modules, args, records)
    publish(results_page(records, read_reasons(REASONS)), "mutants.md", save=args.save)


if __name__ == "__main__":
    main()
