"""The ledger of sides: which post decides the side of another, once and for all.

The first id of a group changes when a post with a lower id joins it. So a split records, for every
post, the id whose hash decides its side; later splits of the same dataset and seed take it from
there. Rows are only added.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pipeline import store
from pipeline.damage import DamagedFileError
from pipeline.table import read_table, write_table
from sketch_models.errors import SengaError

_SCHEMA = {"id": pl.Int64, "first": pl.Int64}


def record(ledger: Mapping[int, int], groups: Mapping[int, int]) -> dict[int, int]:
    """Return a ledger with the posts of some groups that it lacks added at its end.

    A new post gets the recorded first id of that member of its group that was recorded first; if
    none was, the first id of the group.

    Args:
        ledger: the first id that decides, by post id, in the order in which they were recorded.
        groups: the first id of the group by post id, all posts of a split.
    """
    first_recorded: dict[int, int] = {}  # by the first id of the group
    for post_id, first in ledger.items():
        if post_id in groups:
            first_recorded.setdefault(groups[post_id], first)
    new = {
        post_id: first_recorded.get(groups[post_id], groups[post_id])
        for post_id in sorted(groups)
        if post_id not in ledger
    }
    return {**ledger, **new}


def read_ledger(path: Path) -> dict[int, int]:
    """Return the ledger at a path; an empty one if there is none.

    Raises:
        SengaError: if it is damaged.
    """
    if not path.exists():
        return {}
    try:
        return dict(read_table(path, list(_SCHEMA)).iter_rows())
    except DamagedFileError as error:
        raise SengaError(
            f"{path} is damaged: {error.fault}. Put back a copy of it, or run once with "
            "--split-fresh true; then old pictures may change between training set and test set."
        ) from error


def write_ledger(ledger: Mapping[int, int], path: Path, *, keep_old: bool = False) -> None:
    """Publish a ledger.

    Args:
        ledger: the ledger.
        path: of the file.
        keep_old: whether the file that it replaces stays, under another name.
    """
    columns = {"id": list(ledger), "first": list(ledger.values())}
    with store.publish(path) as temporary:
        write_table(pl.DataFrame(columns, schema=_SCHEMA), temporary)
        if keep_old and path.exists():
            _copy_aside(path)  # last, as nothing is set aside by a split that fails


def _copy_aside(path: Path) -> None:
    """Give a file a second name, such as `ledger-0.1.parquet`."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    try:
        os.link(path, aside)
    except OSError:  # of a file system without links
        shutil.copyfile(path, aside)
