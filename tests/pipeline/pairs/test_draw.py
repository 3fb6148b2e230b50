"""Drawing files: valid, the same with any number of processes, in the order of their ids."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.verify_files import verify
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


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    job = DrawJob(**{**JOB.__dict__, "pictures": 10_000})
    (tmp_path / "job.json").write_text(job.to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "pipeline.pairs.draw", str(tmp_path / "job.json")]
    with subprocess.Popen(
        [*command, str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it draws
        process.kill()
    deadline = time.monotonic() + 30
    while _group_is_alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _group_is_alive(process.pid)


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SengaError, match=r"usage: .* JOB\.json FOLDER"):
        main(["job.json"])
