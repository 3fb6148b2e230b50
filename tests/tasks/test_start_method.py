"""How worker processes start: as forks, or not at all."""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sketch_models.errors import ConfigError
from tasks import start_method
from tests.end_to_end.luigi import ENV, TOP


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = multiprocessing.get_start_method()
    yield
    multiprocessing.set_start_method(before, force=True)


@pytest.mark.parametrize("default", multiprocessing.get_all_start_methods())
def test_fork_is_chosen_whatever_the_default_is(default: str) -> None:
    multiprocessing.set_start_method(default, force=True)
    start_method.choose_fork()
    assert multiprocessing.get_start_method() == "fork"


def test_several_workers_without_forks_are_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr(start_method, "core", lambda: SimpleNamespace(workers=1))
    start_method.choose_fork()
    monkeypatch.setattr(start_method, "core", lambda: SimpleNamespace(workers=2))
    with pytest.raises(ConfigError, match=r"^--workers 2: this system cannot fork"):
        start_method.choose_fork()


@pytest.mark.parametrize("default", ["spawn", "forkserver"])
def test_workers_make_the_dataset_that_was_asked_for(default: str, tmp_path: Path) -> None:
    code = (
        "import multiprocessing, runpy, sys\n"
        "multiprocessing.set_start_method(sys.argv.pop(1))\n"
        "sys.argv[0] = 'luigi'\n"
        "runpy.run_module('luigi', run_name='__main__')\n"
    )
    options = ["--metadata-sample-posts", "60", "--build-data", str(tmp_path), "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-c", code, default, "--module", "tasks", "FilterPosts", *options],
        cwd=TOP,
        env=ENV,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (manifest,) = tmp_path.glob("sample/metadata/*/manifest.json")
    assert json.loads(manifest.read_text())["kept"] == 60
    assert list(tmp_path.glob("sample/posts/*/*.parquet"))
