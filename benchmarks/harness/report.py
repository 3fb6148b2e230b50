"""What every benchmark has: its options, and a page of Markdown that it prints and saves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.harness.machine import describe

RESULTS = Path(__file__).parents[1] / "results"

Column = tuple[str, str]
"""Its head, and the format of its numbers; `s`: it holds text, and stands to the left."""


def options(description: str | None, saved: str) -> argparse.ArgumentParser:
    """The parser of a benchmark's command line, with `--save`.

    Args:
        description: the docstring of the script.
        saved: name of the file in `results/`, for the help.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--save", action="store_true", help=f"write results/{saved}")
    return parser


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown; a cell that is a string stays as it is, whatever its column."""
    heads = " | ".join(head for head, _ in columns)
    rules = "|".join("---" if form == "s" else "---:" for _, form in columns)
    lines = [f"| {heads} |", f"|{rules}|"]
    for row in rows:
        cells = [
            cell if isinstance(cell, str) else format(cell, form)
            for cell, (_, form) in zip(row, columns, strict=True)
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page(title: str, conditions: str, libraries: Sequence[str], *parts: str) -> str:
    """A page of Markdown: title, what was measured on what machine, then tables and notes.

    Args:
        title: without the number sign.
        conditions: sentences before the line about the machine.
        libraries: whose versions that line has.
        parts: tables and paragraphs.
    """
    head = f"{conditions}\n{describe(libraries)}."
    return "\n\n".join([f"# {title}", head, *parts]) + "\n"


def publish(text: str, name: str, *, save: bool) -> None:
    """Prints a page, and writes it to `results/` if it is to be saved."""
    sys.stdout.write(text)
    if save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / name).write_text(text, encoding="utf-8")
