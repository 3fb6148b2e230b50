"""The ids of tasks, by which a scheduler that several builds share tells them apart."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
CODE = """
from tasks import BuildDataset, DownloadShard, FetchWeights, RetryFailed, TrainLines
for task in (BuildDataset(), DownloadShard(shard=3), DownloadShard(shard=4), TrainLines(),
             RetryFailed(codes="http_404"), FetchWeights(model="inker")):
    print(task.task_id)
"""


def ids(folder: Path, **variables: str) -> list[str]:
    """Return the ids of some tasks in a process of its own."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=folder,
        env={**env, "PYTHONPATH": str(TOP), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_id_says_task_dataset_recipe_and_parameters_and_is_of_one_run(tmp_path: Path) -> None:
    (tmp_path / "my small.cfg").write_text("[build]\ndataset = solo\n")
    named = ids(tmp_path, LUIGI_CONFIG_PATH="my small.cfg")
    assert [name.rpartition("_")[0] for name in named] == [
        "BuildDataset_solo_my_small",
        "DownloadShard_solo_my_small_3",
        "DownloadShard_solo_my_small_4",
        "TrainLines_solo_my_small",
        "RetryFailed_solo_my_small_http_404",
        "FetchWeights_solo_my_small_inker",
    ]
    again = ids(tmp_path, LUIGI_CONFIG_PATH="my small.cfg")
    assert not set(named) & set(again)
    assert not list(tmp_path.glob("data"))
