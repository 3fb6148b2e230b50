"""What `pip install .` leaves works without the repository, in an empty folder.

The wheel is installed into an environment of its own, which finds only the dependencies where these
tests run.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PACKAGES = ("pipeline", "senga", "sketch_models", "tasks")
SMALL = [
    *("--metadata-sample-posts", "40", "--split-test-size", "2"),
    *("--sketch-size", "128", "--pack-size", "64"),
]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pip(*arguments: str | Path) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    subprocess.run([sys.executable, "-m", "pip", *arguments, "--no-index", *quiet], check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is built from a copy, since the build writes beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    for name in (*PACKAGES, "configs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(TOP / name, folder / "source" / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "luigi.cfg"):
        shutil.copy(TOP / name, folder / "source")
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    pip("wheel", folder / "source", *options)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder of an environment into which the wheel is installed."""
    folder = wheel.parent / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip("--python", python, "install", "--no-deps", wheel)
    (site,) = folder.glob("lib/python*/site-packages")
    paths = sysconfig.get_paths()  # whose own .pth files are not read from there
    (site / "dependencies.pth").write_text(f"{paths['purelib']}\n{paths['platlib']}\n")
    return folder


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Return a function that runs a command of the environment in an empty folder."""
    for name in ("work", "home", "temporary"):
        (tmp_path / name).mkdir()
    own = {key: value for key, value in os.environ.items() if not key.startswith(("LUIGI", "XDG"))}
    own.pop("PYTHONPATH", None)
    own |= {
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(program: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [installed / "bin" / program, *arguments],
            cwd=tmp_path / "work",
            env={**own, **variables},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    files = {
        str(path.relative_to(TOP))
        for package in PACKAGES
        for path in (TOP / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    files |= {f"tasks/recipes/{path.name}" for path in (TOP / "configs").glob("*.cfg")}
    assert len(files) > 300
    with zipfile.ZipFile(wheel) as content:
        assert not files - set(content.namelist())


def test_programs_run_in_an_empty_folder(run: Run, installed: Path, tmp_path: Path) -> None:
    code = "import senga, sys; print(senga.__file__, senga.__version__, *sys.path, sep='\\n')"
    where, _, *paths = run("python", "-c", code).stdout.splitlines()
    assert Path(where).is_relative_to(installed)
    assert str(TOP) not in paths
    before = sorted(installed.rglob("*"))
    run("python", "-m", "luigi", "--module", "tasks", "BuildDataset", *SMALL)
    assert "Nothing to do" in run("senga", "build", *SMALL).stderr
    run("senga", "FilterPosts", *SMALL, LUIGI_CONFIG_PATH="configs/quick.cfg")
    assert run("senga", "demo", "--help").stdout.startswith("usage: senga demo")
    assert "Build train.h5" in run("senga", "--help").stdout
    assert {path.name for path in (tmp_path / "work").iterdir()} == {"data"}
    assert {path.name for path in (tmp_path / "work" / "data").iterdir()} == {"sample", "quick"}
    assert (tmp_path / "work" / "data" / "sample" / "train.h5").is_file()
    assert not list((tmp_path / "home").iterdir())
    assert not list((tmp_path / "temporary").iterdir())
    assert sorted(installed.rglob("*")) == before
