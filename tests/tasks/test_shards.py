"""Networks take turns on a GPU; small ones do not on a CPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import cores, lock
from sketch_models.network_options import ComputeOptions
from tasks import SimplifyShard, SketchShard, config, shards


@pytest.mark.parametrize(
    ("device", "has_gpu", "large", "small"),
    [
        ("auto", True, {"gpu": 1}, {"gpu": 1}),
        ("auto", False, {"gpu": 1}, {}),
        ("cpu", True, {"gpu": 1}, {}),
    ],
)
def test_networks_that_may_run_at_once(
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    has_gpu: bool,
    large: dict[str, int],
    small: dict[str, int],
) -> None:
    monkeypatch.setattr(cores, "may_have_gpu", lambda: has_gpu)
    monkeypatch.setitem(config._cache, ComputeOptions, ComputeOptions(device=device))
    resources = {
        model: SketchShard(shard=0, model=model).shared_resources()
        for model in ("sketchkeras", "tracer", "xdog")
    }
    assert resources == {"sketchkeras": large, "tracer": small, "xdog": {}}
    assert SimplifyShard(shard=0, model="xdog").shared_resources() == small  # by inker


@pytest.mark.parametrize(("has_gpu", "expected"), [(True, 1), (False, 3)])
def test_cores_are_shared_by_what_runs_at_once(
    monkeypatch: pytest.MonkeyPatch, has_gpu: bool, expected: int
) -> None:
    shared: list[int] = []

    def stop(processes: int) -> None:
        shared.append(processes)
        raise InterruptedError

    monkeypatch.setattr(cores, "may_have_gpu", lambda: has_gpu)
    monkeypatch.setattr(cores, "share_cores", stop)
    monkeypatch.setattr(shards, "core", lambda: type("Core", (), {"workers": 3}))
    with pytest.raises(InterruptedError):
        SketchShard(shard=0, model="tracer").make(lambda _: None)
    assert shared == [expected]


def test_scheduling_loads_no_pytorch(tmp_path: Path) -> None:
    """What Luigi asks of a task before it runs in a process of its own."""
    code = (
        "import sys; from tasks import SketchShard, SimplifyShard\n"
        "for task_type in SketchShard, SimplifyShard:\n"
        "    task = task_type(shard=0, model='tracer')\n"
        "    task.settings(), task.process_resources(), task.unmet_requirements()\n"
        "print([name for name in ('torch', 'tensorflow') if name in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


def test_what_is_asked_to_be_scheduled_locks_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused build says so before the scheduler knows of it."""
    options = config.BuildOptions(data=str(tmp_path))
    monkeypatch.setitem(config._cache, config.BuildOptions, options)
    locked: list[Path] = []
    monkeypatch.setattr(lock, "lock_dataset", locked.append)
    task = SketchShard(shard=0, model="xdog")
    monkeypatch.setattr(task, "complete", lambda: True)
    task.process_resources()
    assert not locked
    monkeypatch.setattr(task, "complete", lambda: False)
    task.process_resources()
    assert locked == [tmp_path / "sample"]
