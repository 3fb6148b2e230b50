"""Processes that run networks share the cores, and know whether there may be a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import cores

VARIABLES = ("OMP_WAIT_POLICY", "OMP_NUM_THREADS")


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(cores, "available_cores", lambda: 12)


@pytest.mark.parametrize(
    ("processes", "threads"), [(1, None), (2, "6"), (5, "2"), (12, "1"), (50, "1")]
)
def test_each_process_has_its_share_of_the_cores(processes: int, threads: str | None) -> None:
    cores.share_cores(processes)
    assert [os.environ.get(name) for name in VARIABLES] == ["passive", threads]


def test_what_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict.fromkeys(VARIABLES, "7"))
    cores.share_cores(2)
    assert set(os.environ.values()) == {"7"}


@pytest.mark.parametrize(("platform", "expected"), [("linux", False), ("darwin", True)])
def test_gpu_is_seen_by_its_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, expected: bool
) -> None:
    device = tmp_path / "nvidiactl"
    monkeypatch.setattr(cores, "_GPU_DEVICES", (device,))
    monkeypatch.setattr(sys, "platform", platform)
    assert cores.may_have_gpu() == expected
    device.touch()
    assert cores.may_have_gpu()


def test_pytorch_takes_its_share() -> None:
    code = (
        "from pipeline.cores import share_cores; share_cores(10**6); "
        "import torch; print(torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={})
    assert done.stdout == "1\n", done.stderr
