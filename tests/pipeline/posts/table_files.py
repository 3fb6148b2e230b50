"""Write one table in every format that a table comes in."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

Row = dict[str, Any]

TEXT_FORMATS = ("csv", "tsv", "jsonl", "json")
FORMATS = (
    *TEXT_FORMATS,
    *(f"{name}.gz" for name in TEXT_FORMATS),
    *(f"{name}.zst" for name in TEXT_FORMATS),
    "parquet",
    "db",
)


def write_table(folder: Path, rows: Sequence[Row], form: str, name: str = "table") -> Path:
    """Write rows, all with the same keys, whose values are numbers, texts, lists or None."""
    path = folder / f"{name}.{form}"
    kind, _, packing = form.partition(".")
    if kind == "parquet":
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    elif kind == "db":
        write_database(path, {"posts": rows})
    else:
        write_text(path, rows, kind, packing)
    return path


def write_text(path: Path, rows: Sequence[Row], kind: str, packing: str) -> None:
    content = _to_text(rows, kind).encode()
    plain = path.with_name(path.name.removesuffix(f".{packing}")) if packing else path
    plain.write_bytes(content)
    if packing == "gz":
        path.write_bytes(gzip.compress(content))
    elif packing == "zst":
        frame = pl.DataFrame({"line": content.decode().removesuffix("\n").split("\n")})
        frame.write_csv(
            path,
            compression="zstd",
            include_header=False,
            quote_style="never",
            separator="\x1f",
            check_extension=False,
        )


def _to_text(rows: Sequence[Row], kind: str) -> str:
    if kind == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows)
    if kind == "json":
        return json.dumps(list(rows), indent=1)
    flat = [{name: _flat(value) for name, value in row.items()} for row in rows]
    frame = pl.DataFrame(flat, infer_schema_length=None)
    return frame.write_csv(separator="\t" if kind == "tsv" else ",")


def _flat(value: object) -> object:
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def write_database(path: Path, tables: dict[str, Sequence[Row]]) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        for name, rows in tables.items():
            columns = ", ".join(f'"{column}"' for column in rows[0])
            database.execute(f'create table "{name}" ({columns})')
            marks = ", ".join("?" * len(rows[0]))
            values = [[_flat(row[column]) for column in rows[0]] for row in rows]
            database.executemany(f'insert into "{name}" values ({marks})', values)
        database.commit()
