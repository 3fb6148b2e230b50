"""The outcome of every post, as a pandas table."""

from pathlib import Path

import pytest

from pipeline.store import Dataset
from pipeline.tables.newest import Lineage
from pipeline.tables.outcomes import read_outcomes
from tests.pipeline.tables.conftest import (
    IDS,
    LATE,
    MISALIGNED,
    NO_LINES,
    NO_PICTURE,
    NO_SKETCH,
    TOO_SMALL,
    TWIN,
    write_manifest,
)


def test_every_post_is_one_row(built: Path) -> None:
    outcomes = read_outcomes(built)
    assert outcomes["id"].tolist() == list(IDS)
    assert list(outcomes)[:4] == ["id", "stage", "code", "split"]
    assert all(dtype != "object" for dtype in outcomes.dtypes)


@pytest.mark.parametrize(
    ("post_id", "stage", "code", "detail"),
    [
        (1, "pack", "ok", ""),
        (2, "pack", "ok", ""),
        (NO_PICTURE, "download", "http_404", "Not Found"),
        (TOO_SMALL, "screen", "too_small", ""),
        (NO_SKETCH, "sketch", "broken", ""),
        (NO_LINES, "simplify", "no_lines", "the pured line art is blank"),
        (TWIN, "split", "duplicate", "shows the same as 1"),
        (MISALIGNED, "pack", "misaligned", "line/pured is 4 x 5"),
        (LATE, "download", "missing", ""),
    ],
)
def test_stage_is_the_last_that_the_post_reached(
    built: Path, post_id: int, stage: str, code: str, detail: str
) -> None:
    row = read_outcomes(built).set_index("id").loc[post_id]
    assert (row["stage"], row["code"], row["detail"]) == (stage, code, detail)


def test_only_packed_pictures_have_a_split(built: Path) -> None:
    outcomes = read_outcomes(built).set_index("id")
    assert outcomes["split"].dropna().to_dict() == {1: "train", 2: "test"}


def test_http_status_and_size_are_columns(built: Path) -> None:
    outcomes = read_outcomes(built).set_index("id")
    assert outcomes["status"][NO_PICTURE] == 404
    assert not outcomes["transient"][NO_PICTURE]
    assert outcomes["bytes"][1] == 1000
    assert outcomes["status"].isna()[LATE]


def test_duplicates_of_test_pictures_have_the_code_beside_the_test(
    built: Path, lineage: Lineage
) -> None:
    write_manifest(Dataset(built).split(lineage.split), inputs={"settings": {"duplicates": "keep"}})
    assert read_outcomes(built).set_index("id")["code"][TWIN] == "beside_the_test"
