"""The command line of a benchmark, and the page of Markdown that it prints and saves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.harness.machine import describe

RESULTS = Path(__file__).parents[1] / "results"

Column = tuple[str, str]
"""Heading of a column, and the format of its numbers; `s` for text, which is left-aligned."""


def make_parser(description: str | None, file_name: str) -> argparse.ArgumentParser:
    """Return the parser of a benchmark's command line, with `--save`.

    Args:
        description: the docstring of the script.
        file_name: name of the file in `results/`, for the help.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--save", action="store_true", help=f"write results/{file_name}")
    return parser


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of Markdown; a cell that is a string stays as it is, whatever its column."""
    headings = " | ".join(heading for heading, _ in columns)
    rules = "|".join("---" if spec == "s" else "---:" for _, spec in columns)
    lines = [f"| {headings} |", f"|{rules}|"]
    for row in rows:
        cells = [
            cell if isinstance(cell, str) else format(cell, spec)
            for cell, (_, spec) in zip(row, columns, strict=True)
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page(title: str, conditions: str, libraries: Sequence[str], *parts: str) -> str:
    """Return a page of Markdown: title, conditions, machine, then tables and notes.

    Args:
        title: the heading, without the number sign.
        conditions: sentences before the line about the machine.
        libraries: the libraries whose versions that line has.
        parts: tables and paragraphs.
    """
    head = f"{conditions}\n{describe(libraries)}."
    return "\n\n".join([f"# {title}", head, *parts]) + "\n"


def publish(text: str, name: str, *, save: bool) -> None:
    """Print a page, and write it to `results/` if it is to be saved."""
    sys.stdout.write(text)
    if save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / name).write_text(text, encoding="utf-8")
