"""The measures of the screen as a pandas table."""

from pathlib import Path

from pipeline.store import Dataset
from pipeline.tables.measures import read_measures
from pipeline.tables.newest import Lineage
from tests.pipeline.tables.conftest import IDS, LATE, NO_PICTURE, SCREEN, TOO_SMALL, write


def test_every_downloaded_picture_is_one_row(built: Path) -> None:
    measures = read_measures(built)
    assert measures["id"].tolist() == [i for i in IDS if i not in (NO_PICTURE, LATE)]
    assert measures.set_index("id")["code"][TOO_SMALL] == "too_small"
    assert measures["chroma"].mean() == 0.5


def test_columns_are_those_of_the_screen(built: Path) -> None:
    measures = read_measures(built)
    assert set(measures) == set(SCREEN)
    assert all(dtype != "object" for dtype in measures.dtypes)


def test_pictures_that_cannot_be_decoded_have_no_measures(built: Path, lineage: Lineage) -> None:
    table = Dataset(built).screen(lineage.screen, 0)
    write(table, [{"id": 1, "code": "truncated", "sha256": "ab"}], SCREEN)  # type: ignore[arg-type]
    row = read_measures(built).iloc[:1]
    assert row[["width", "chroma", "phash"]].isna().all(axis=None)
