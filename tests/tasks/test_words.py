"""The words that stand for tasks, and the folder behind them."""

from pathlib import Path

import pytest

from sketch_models.errors import ConfigError
from tasks import catalog
from tasks.words import WORDS, expand


def test_words_stand_for_tasks_that_exist() -> None:
    assert {"build", "train", "evaluate", "prune"} <= WORDS.keys()
    for word in WORDS.values():
        assert word.task in catalog.__all__


def test_word_counts_in_front_alone() -> None:
    assert expand([]) == []
    assert expand(["build"]) == ["BuildDataset"]
    assert expand(["--build-dataset", "build", "FilterPosts"])[:2] == ["--build-dataset", "build"]
    assert expand(["BuildDataset", "build"]) == ["BuildDataset", "build"]


def test_folder_behind_a_word_is_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my pictures").mkdir()
    (tmp_path / "posts.csv").touch()
    folder = ["--metadata-folder", "my pictures"]
    assert expand(["build", "my pictures"]) == ["BuildDataset", *folder]
    assert expand(["train", "my pictures", "-h"]) == ["TrainColorizer", *folder, "-h"]
    assert expand(["build", "--workers", "2"]) == ["BuildDataset", "--workers", "2"]
    assert expand(["prune", "my pictures"]) == ["Prune", "my pictures"]  # which is refused later
    with pytest.raises(
        ConfigError, match=r"^posts\.csv is a file\. .* --metadata-table posts\.csv"
    ):
        expand(["build", "posts.csv"])
    for text, shown in (("absent", "absent"), ("", "''")):
        with pytest.raises(ConfigError, match=f"^{shown}: there is no such folder"):
            expand(["build", text])
    with pytest.raises(ConfigError, match=r"LUIGI_CONFIG_PATH=quick\.cfg senga evaluate"):
        expand(["evaluate", "quick.cfg"])
