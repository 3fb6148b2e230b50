"""A build in parts, by processes at once and by SLURM, is the build of one process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.pack.verify_files import verify
from tests.end_to_end.luigi import ENV, TOP, run_luigi
from tests.end_to_end.test_build import stages_run

RECIPE = """
[build]
data = {data}
shard_width = 10
[metadata]
sample_posts = 40
[sketch]
models = xdog
size = 256
[simplify]
model = centerline
[split]
test_size = 2
[pack]
size = 64
"""
SLURM = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/none
CredType=cred/none
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def recipe(folder: Path) -> dict[str, str]:
    """Write a recipe whose data are in a folder; return the variable that names it."""
    path = folder / "recipe.cfg"
    path.write_text(RECIPE.format(data=folder / "data"))
    return {"LUIGI_CONFIG_PATH": str(path)}


def contents(folder: Path) -> list[str]:
    files = [folder / "data" / "sample" / f"{part}.h5" for part in ("train", "test")]
    return [summary.content for summary in verify(files)]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("one")
    run_luigi(**recipe(folder))
    return contents(folder)


@pytest.fixture
def downloaded(tmp_path: Path) -> dict[str, str]:
    """Prepare a dataset for parts; return the variable that names its recipe."""
    variables = recipe(tmp_path)
    missing = run_luigi("--stage", "sketch", task="MakeShards", code=40, **variables)
    assert "Run senga FilterPosts first, once." in missing
    run_luigi(task="FilterPosts", **variables)
    missing = run_luigi("--stage", "sketch", task="MakeShards", code=40, **variables)
    assert "Run senga MakeShards --stage download first, once" in missing
    run_luigi("--stage", "download", task="MakeShards", **variables)
    return variables


def start_part(part: str, variables: dict[str, str]) -> subprocess.Popen[str]:
    command = ["-m", "luigi", "--module", "tasks", "MakeShards", "--stage", "simplify"]
    return subprocess.Popen(
        [sys.executable, *command, "--part", part],
        cwd=TOP,
        env={**ENV, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_parts_at_once_one_of_them_twice_and_killed_make_the_same(
    tmp_path: Path, downloaded: dict[str, str], expected: list[str]
) -> None:
    parts = [start_part(part, downloaded) for part in ("1/2", "2/2", "2/2")]
    sketches = tmp_path / "data" / "sample" / "sketch"
    while not list(sketches.glob("*/*.tar")):
        time.sleep(0.05)
        ended = [part for part in parts if part.poll() is not None]
        assert not ended, ended[0].communicate()
    parts[1].send_signal(signal.SIGKILL)
    for part, code in zip(parts, (0, -signal.SIGKILL, 0), strict=True):
        _, errors = part.communicate(timeout=200)
        assert part.returncode == code, errors
        assert "Traceback" not in errors
    assert stages_run(run_luigi(**downloaded)) == ["split", "pack", "report"]
    assert contents(tmp_path) == expected
    again = run_luigi("--stage", "simplify", "--part", "2/2", task="MakeShards", **downloaded)
    assert re.fullmatch(r"simplify  part 2/2: \d+ pictures in \d+ shards\n", again)


def free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def is_idle(environment: dict[str, str]) -> bool:
    """Wait until the node takes jobs; return False if it does not."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        command = ["sinfo", "--noheader", "--format=%T"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.stdout.strip() == "idle":
            return True
        time.sleep(0.3)
    return False


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start a cluster of one node; yield the variable that names its configuration."""
    if not all(map(shutil.which, ("slurmctld", "slurmd", "sbatch"))) or os.geteuid() != 0:
        pytest.skip("SLURM is not installed, or this is not root")
    folder = tmp_path / "slurm"
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    config = folder / "slurm.conf"
    host = socket.gethostname().partition(".")[0]
    config.write_text(SLURM.format(host=host, folder=folder, ports=free_ports(2)))
    variables = {"SLURM_CONF": str(config)}
    with (folder / "log").open("w") as log:
        daemons = [
            subprocess.Popen(
                [*command, "-D", "-f", str(config)],
                env={**ENV, **variables},
                stdout=log,
                stderr=log,
            )
            for command in (["slurmctld", "-i"], ["slurmd"])
        ]
        try:
            if not is_idle({**ENV, **variables}):
                pytest.skip(f"SLURM does not run on this machine: {(folder / 'log').read_text()}")
            yield variables
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
            for daemon in daemons:
                daemon.wait(timeout=30)


def test_the_script_for_slurm_makes_the_same(
    tmp_path: Path, downloaded: dict[str, str], expected: list[str], slurm: dict[str, str]
) -> None:
    page = (TOP / "docs" / "cluster.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```\n(#!/bin/bash\n.*?)```", page, re.DOTALL)
    (tmp_path / "senga.sbatch").write_text(script)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    small = ["--array=1-2", "--cpus-per-task=1", "--gres=none"]  # for this machine
    done = subprocess.run(
        ["sbatch", "--wait", *small, "senga.sbatch"],
        cwd=tmp_path,
        env={**ENV, **downloaded, **slurm, "PATH": path, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    logs = {log.name: log.read_text() for log in tmp_path.glob("slurm-*.out")}
    assert done.returncode == 0, (done.stderr, logs)
    parts = [log.splitlines()[-1].partition(":")[0] for log in logs.values()]
    assert sorted(parts) == ["simplify  part 1/2", "simplify  part 2/2"]
    assert stages_run(run_luigi(**downloaded)) == ["split", "pack", "report"]
    assert contents(tmp_path) == expected
