"""Conversion of the stages' polars tables to pandas tables of fixed dtypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pandas as pd
import polars as pl

TEXT = pd.StringDtype()
TIME = pd.DatetimeTZDtype("ns", "UTC")

Dtype = str | pd.StringDtype | pd.DatetimeTZDtype | pd.CategoricalDtype


def to_pandas(frame: pl.DataFrame, dtypes: Mapping[str, Dtype]) -> pd.DataFrame:
    """Convert some columns of a polars table to a pandas table.

    Args:
        frame: the polars table; a column that becomes `TIME` holds seconds since 1970.
        dtypes: dtype by column, in the order of the result; they do not depend on the rows.
    """
    columns = {
        name: _times(frame[name])
        if dtype == TIME
        else pd.Series(frame[name].to_list(), dtype=object)
        for name, dtype in dtypes.items()
    }
    table: pd.DataFrame = pd.DataFrame(columns).astype(dict(dtypes))
    return table


def _times(seconds: pl.Series) -> pd.Series:
    """Convert seconds since 1970 to times; NaT if unknown, or beyond the range of the dtype."""
    values = pd.Series(seconds.to_list(), dtype="Int64")
    return cast("pd.Series", pd.to_datetime(values, unit="s", utc=True, errors="coerce"))
