"""The page of results: for each module what was made and noticed, and why the rest was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.harness.report import page, table
from benchmarks.mutation.records import Fate, Records

_BY_HAND = """## Changes made by hand

52 changes that no test of their module had noticed, made by hand, one at a time or several in \
different files; the tests are those that mirror the changed module.

| | changes |
|---|--:|
| noticed before the tests were written | 9 |
| noticed now | 48 |
| change nothing that matters | 3 |
| of a line that is no longer there | 1 |

The three: the case of a host, which urllib3 lowers itself; a null score, which the rule drops as \
it drops 0; and too-long rows on the fast path of CSVs, which fail its count of bytes and take the \
slow path. Three further kinds, found later, are noticed too: the margins of a packed picture, a \
discriminator that never steps, and a version that is missing from a stage's inputs."""

_CONDITIONS = """Small wrong changes to whole modules, drawn at random by \
`python benchmarks/mutants.py`, one at a time; a change is noticed if a test fails that mirrors \
the module, or if the tests do not end. No change is in two samples. *At first* is how a sample \
came; then tests were written for what it showed, and what was not noticed ran again."""

Reasons = Mapping[str, Mapping[str, str]]
"""By module, then by change; under `samples` what the tests were when a seed ran."""


def results_page(records: Records, reasons: Reasons) -> str:
    """Return the page of results."""
    return page(
        "Small wrong changes",
        _CONDITIONS,
        ["pytest"],
        _samples(records, reasons),
        _modules(records),
        "## Not noticed",
        _not_noticed(records, reasons),
        _BY_HAND,
    )


def _samples(records: Records, reasons: Reasons) -> str:
    columns = [("seed", "d"), ("ran on", "s"), ("made", "d"), ("noticed at first", "s")]
    columns += [("noticed now", "s"), ("the rest explained", "s")]
    remarks = reasons.get("samples", {})
    rows = []
    for seed in records.seeds():
        fates = records.fates(seed)
        rest = [fate for fate in fates if not fate.last.is_noticed]
        explained = sum(bool(_reason(fate, reasons)) for fate in rest)
        at_first, now = _share(fates, first=True), _share(fates, first=False)
        tests = remarks.get(str(seed), "")
        rows.append((seed, tests, len(fates), at_first, now, f"{explained} of {len(rest)}"))
    return table(columns, rows)


def _share(fates: Sequence[Fate], *, first: bool) -> str:
    noticed = sum((fate.first if first else fate.last).is_noticed for fate in fates)
    return f"{noticed} ({noticed / len(fates):.1%})"


def _modules(records: Records) -> str:
    names = sorted({fate.first.module for fate in records.fates()})
    columns = [("module", "s"), ("made", "d"), ("noticed at first", "d"), ("noticed now", "d")]
    rows = []
    for name in names:
        fates = records.fates(module=name)
        at_first = sum(fate.first.is_noticed for fate in fates)
        rows.append(
            (f"`{name}`", len(fates), at_first, sum(fate.last.is_noticed for fate in fates))
        )
    return table(columns, rows)


def _not_noticed(records: Records, reasons: Reasons) -> str:
    rows = [
        (f"`{fate.last.module}`", _code(fate.last.key), _reason(fate, reasons) or "not explained")
        for fate in sorted(records.fates(), key=lambda fate: (fate.last.module, fate.last.line))
        if not fate.last.is_noticed
    ]
    return table([("module", "s"), ("change", "s"), ("why", "s")], rows)


def _reason(fate: Fate, reasons: Reasons) -> str:
    return reasons.get(fate.last.module, {}).get(fate.last.key, "")


def _code(key: str) -> str:
    text = key.replace("|", "\\|")
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"
