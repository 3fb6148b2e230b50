"""Drawing files: valid, the same with any number of processes, in the order of their ids."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.verify import verify
from pipeline.pairs.draw import draw_all, main
from pipeline.pairs.draw_job import FILES, DrawJob
from sketch_models.errors import SengaError

JOB = DrawJob(
    seed=0,
    size=48,
    pictures=3,
    test_pictures=1,
    processes=1,
    attributes={"dataset": "drawn", "fingerprint": "0", "config": "{}"},
)


def test_the_command_draws_valid_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "job.json").write_text(JOB.to_json(), encoding="utf-8")
    main([str(tmp_path / "job.json"), str(tmp_path)])
    assert capfd.readouterr().out.splitlines()[-1] == '{"images": 6}'
    summaries = verify([tmp_path / f"{name}.h5" for name in FILES])
    assert [summary.pictures for summary in summaries] == [3, 1, 1, 1]
    reader = DatasetReader(tmp_path / "train.h5")
    assert reader.ids.tolist() == [1, 2, 3]
    assert reader.attributes["split"] == "train"
    assert len(reader.line_names) == 9
    again = tmp_path / "again"
    again.mkdir()
    other = DrawJob(**{**JOB.__dict__, "processes": 2})
    done: list[int] = []
    draw_all(other, again, done.append)
    assert sum(done) == 6
    repeated = DatasetReader(again / "train.h5")
    for row in range(3):
        for name in ("color", *(f"line/{line}" for line in reader.line_names)):
            np.testing.assert_array_equal(reader.picture(name, row), repeated.picture(name, row))


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SengaError, match=r"usage: .* JOB\.json FOLDER"):
        main(["job.json"])
