"""Outcomes: the result of a picture in a stage is a row, never a crash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.table import read_table, write_table

OK = "ok"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one picture in one stage.

    Attributes:
        id: post id.
        code: `OK`, or a stable snake_case reason such as `truncated`.
        detail: what exactly is wrong, for people; may be empty.
    """

    id: int
    code: str
    detail: str = ""


@dataclass(frozen=True)
class DrawnOutcome(Outcome):
    """The outcome of one picture of a shard of drawings.

    Attributes:
        sha256: of each of its parts, 64 hex digits, in the order of the shard; empty unless `OK`.
    """

    sha256: tuple[str, ...] = ()


def count_codes(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return the number of outcomes by code, the most frequent code first."""
    return dict(Counter(outcome.code for outcome in outcomes).most_common())


_SCHEMA = {"id": pl.Int64, "code": pl.String, "detail": pl.String}
_DRAWN_SCHEMA: dict[str, Any] = {**_SCHEMA, "sha256": pl.List(pl.String)}


def write_outcomes(outcomes: Iterable[Outcome], path: Path) -> None:
    """Write a Parquet table with the columns `id`, `code` and `detail`."""
    rows = [(outcome.id, outcome.code, outcome.detail) for outcome in outcomes]
    write_table(pl.DataFrame(rows, schema=_SCHEMA, orient="row"), path)


def write_drawn_outcomes(outcomes: Iterable[DrawnOutcome], path: Path) -> None:
    """Write a Parquet table with the columns `id`, `code`, `detail` and `sha256`, a list."""
    rows = [(each.id, each.code, each.detail, list(each.sha256)) for each in outcomes]
    write_table(pl.DataFrame(rows, schema=_DRAWN_SCHEMA, orient="row"), path)


def read_ok_ids(path: Path) -> list[int]:
    """Return the post ids whose code is `OK`, in the order of the table.

    Args:
        path: a table with the columns `id` and `code`, of any stage.

    Raises:
        DamagedFileError: if it is missing, damaged or no such table.
    """
    rows = read_table(path, ["id", "code"])
    return rows.filter(pl.col("code") == OK)["id"].to_list()


def read_digests(path: Path) -> dict[int, list[str]]:
    """Return the sha256 of each part of a shard by post id, in the order of its parts.

    Args:
        path: the table of outcomes of a shard of pictures, sketches or lines; those of sketches
            and lines of an earlier version have no digests.

    Raises:
        DamagedFileError: if it is missing, damaged or no such table.
    """
    rows = read_table(path)
    if not {"id", "code", "sha256"} <= set(rows.columns):
        return {}
    rows = rows.filter(pl.col("code") == OK)
    if rows.schema["sha256"] == pl.String:  # of downloaded pictures, of one part each
        rows = rows.with_columns(pl.concat_list("sha256"))
    return dict(rows.select("id", "sha256").iter_rows())
