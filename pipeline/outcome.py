"""Outcomes: the result of a picture in a stage is a row, never a crash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

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


def count_codes(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return the number of outcomes by code, the most frequent code first."""
    return dict(Counter(outcome.code for outcome in outcomes).most_common())


def write_outcomes(outcomes: Iterable[Outcome], path: Path) -> None:
    """Write a Parquet table with the columns `id`, `code` and `detail`."""
    rows = [(outcome.id, outcome.code, outcome.detail) for outcome in outcomes]
    schema = {"id": pl.Int64, "code": pl.String, "detail": pl.String}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)


def read_ok_ids(path: Path) -> list[int]:
    """Return the post ids whose code is `OK`, in the order of the table.

    Args:
        path: a table with the columns `id` and `code`, of any stage.
    """
    rows = pl.read_parquet(path, columns=["id", "code"], glob=False)
    return rows.filter(pl.col("code") == OK)["id"].to_list()
