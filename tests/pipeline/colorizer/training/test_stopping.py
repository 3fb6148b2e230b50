"""The training's own command, alone and under torchrun: a signal saves a checkpoint."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.colorizer.training.test_train import make_job

TOP = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("processes", "workers", "number"), [(1, 1, signal.SIGTERM), (2, 0, signal.SIGINT)]
)
def test_signal_saves_one_checkpoint_and_says_so_once(
    processes: int,
    workers: int,
    number: signal.Signals,
    write_packed: Callable[..., Path],
    tmp_path: Path,
) -> None:
    packed = write_packed(range(1, 9), size=64, box=(0, 0, 64, 64))
    job, run = tmp_path / "job.json", tmp_path / "run"
    options = {"epochs": 1000, "num_workers": workers, "sample_every": 10_000}
    job.write_text(make_job(packed, **options).to_json())
    program = ["-m", "pipeline.colorizer.training.train", str(job), str(run)]
    if processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        program = [*torchrun, *program]
    with subprocess.Popen(
        [sys.executable, *program],
        cwd=TOP,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while not (run / "train_log.jsonl").exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, number)  # as a terminal does
        _, errors = process.communicate()
    assert process.returncode == (128 + number if processes == 1 else 1)  # torchrun's own
    said = [line for line in errors.splitlines() if "senga: " in line]
    assert len(said) == 1, errors
    images = int(said[0].partition("Stopped after ")[2].split()[0].replace(",", ""))
    assert (run / "checkpoints" / f"step-{images // 4:08d}.pt").exists()
    if processes == 1:
        assert errors.splitlines() == said
