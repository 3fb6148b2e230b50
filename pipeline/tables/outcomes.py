"""The table of the outcome of every post."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl

from pipeline.outcome import OK
from pipeline.tables.newest import NewestBuild, newest_build
from pipeline.tables.to_pandas import TEXT, Dtype, to_pandas

STAGES = ("download", "screen", "sketch", "simplify", "split", "pack")
"""The stages that a post goes through, in their order."""

MISSING = "missing"
"""The code of a post without a row in a stage: it was added after the newest finished build."""

_DTYPES: dict[str, Dtype] = {
    "id": "int64",
    "stage": TEXT,
    "code": TEXT,
    "split": TEXT,
    "detail": TEXT,
    "url": TEXT,
    "status": "Int16",
    "bytes": "Int64",
    "transient": "boolean",
    "sha256": TEXT,
}


def read_outcomes(folder: str | Path) -> pd.DataFrame:
    """Read the outcome of every post that the filter of the newest build kept.

        >>> outcomes = read_outcomes("data/sample")
        >>> counts = outcomes.value_counts(["stage", "code"])

    Args:
        folder: of the dataset, such as `data/sample`.

    Returns:
        A row per post, ascending by id:

        | column | dtype | |
        |---|---|---|
        | id | int64 | post id, each once |
        | stage | string | the last stage that the post reached, one of `STAGES` |
        | code | string | `ok` if the picture is in train.h5 or test.h5, else the reason |
        | split | string | train or test; NA unless `code` is `ok` |
        | detail | string | more about the reason; may be empty |
        | url | string | of the picture |
        | status | Int16 | of the last HTTP response; NA if there was none |
        | bytes | Int64 | length of the response |
        | transient | boolean | whether downloading the picture again may succeed |
        | sha256 | string | of the downloaded file, 64 hex digits; empty if there is none |

    Raises:
        DatasetError: If there is no such dataset, or no finished build of it.
    """
    build = newest_build(folder)
    rows = build.posts().select(
        "id",
        "url",
        stage=pl.lit(None, pl.String),
        code=pl.lit(None, pl.String),
        detail=pl.lit(None, pl.String),
    )
    for stage, outcomes in _stages(build):
        rows = _mark_stopped(rows, stage, outcomes)
    rows = rows.with_columns(
        pl.col("stage").fill_null(STAGES[-1]),
        pl.col("code").fill_null(OK),
        pl.col("detail").fill_null(""),
    )
    downloads = build.downloads().select("id", "status", "bytes", "transient", "sha256")
    rows = rows.join(downloads, on="id", how="left").join(build.split(), on="id", how="left")
    part = pl.when(pl.col("code") == OK).then("part")
    return to_pandas(rows.with_columns(split=part).sort("id"), _DTYPES)


def _stages(build: NewestBuild) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the outcomes of every stage and variant in their order: id, code, detail."""
    yield "download", build.downloads()
    yield "screen", build.screens().with_columns(detail=pl.lit(""))
    for sketches in build.sketches():
        yield "sketch", sketches
    for lines in build.lines():
        yield "simplify", lines
    yield "split", _split_outcomes(build)
    yield "pack", build.packed()


def _split_outcomes(build: NewestBuild) -> pl.DataFrame:
    """Return the outcomes of the split, with the codes that its manifest counts."""
    keeps_first = build.split_settings().get("duplicates") == "first"
    duplicate = pl.lit(keeps_first) & (pl.col("first") != pl.col("id"))
    code = (
        pl.when(pl.col("part").is_not_null())
        .then(pl.lit(OK))
        .when(duplicate)
        .then(pl.lit("duplicate"))
        .otherwise(pl.lit("beside_the_test"))
    )
    detail = (
        pl.when(duplicate).then(pl.format("shows the same as {}", "first")).otherwise(pl.lit(""))
    )
    pictures = build.groups().join(build.split(), on="id", how="left")
    return pictures.select("id", code=code, detail=detail)


def _mark_stopped(rows: pl.DataFrame, stage: str, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Set the columns stage, code and detail of the posts that stopped at a stage."""
    of_stage = outcomes.select("id", stage_code="code", stage_detail="detail")
    stage_code = pl.col("stage_code").fill_null(MISSING)
    stopped = pl.col("code").is_null() & (stage_code != OK)
    return (
        rows.join(of_stage, on="id", how="left")
        .with_columns(
            stage=pl.when(stopped).then(pl.lit(stage)).otherwise("stage"),
            code=pl.when(stopped).then(stage_code).otherwise("code"),
            detail=pl.when(stopped).then("stage_detail").otherwise("detail"),
        )
        .drop("stage_code", "stage_detail")
    )
