"""Fetch test art and rivals that the project neither holds nor ships, once.

All of it comes by its own package manager, into `data/benchmark_art/`, which git ignores.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "benchmark_art"


class NotFetchedError(Exception):
    """Something could not be fetched; the message says what, why, and what to do."""


def openmoji() -> Path:
    """Return the folder of OpenMoji 17 (CC BY-SA 4.0), from npm."""

    def make(folder: Path) -> None:
        _run("npm", ["pack", "--silent", "openmoji@17"], folder)
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        archive.unlink()

    return _once("openmoji", make) / "package"


def debian(package: str) -> Path:
    """Return the folder with the files of a package of Debian."""

    def make(folder: Path) -> None:
        _run("apt-get", ["download", package], folder)
        (archive,) = folder.glob("*.deb")
        _run("dpkg", ["-x", archive.name, "."], folder)
        archive.unlink()

    return _once(package, make)


def lineartization() -> Path:
    """Return the Python of a virtual environment that has `lineartization` 1.7.

    It asks for an OpenCV with windows; the one without them has the same functions, and needs no
    libraries of a desktop.
    """

    def make(folder: Path) -> None:
        _run(sys.executable, ["-m", "venv", "."], folder)
        install = ["-m", "pip", "install", "--quiet"]
        opencv = "opencv-contrib-python-headless<5"
        _run("bin/python", [*install, opencv, "scikit-image", "numpy"], folder)
        _run("bin/python", [*install, "--no-deps", "lineartization==1.7"], folder)

    return _once("lineartization", make) / "bin" / "python"


def hintauc() -> Path:
    """Return the Python of a virtual environment that has `hintauc` 0.3.3."""

    def make(folder: Path) -> None:
        _run(sys.executable, ["-m", "venv", "."], folder)
        opencv = "opencv-python-headless<5"
        install = ["-m", "pip", "install", "--quiet", opencv, "scikit-image", "hintauc==0.3.3"]
        _run("bin/python", install, folder)

    return _once("hintauc", make) / "bin" / "python"


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """Make a folder of the cache if it is not there; a half-made one never has its name."""
    target = FOLDER / name
    if not target.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
            made = Path(temporary) / name
            made.mkdir()
            make(made)
            made.rename(target)
    return target


def _run(command: str, arguments: Sequence[str], folder: Path) -> None:
    program = shutil.which(command) or shutil.which(str(folder / command))
    if program is None:
        message = f"{command} is not on this machine: install it, or leave out what needs it."
        raise NotFetchedError(message)
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        what = " ".join([command, *arguments])
        raise NotFetchedError(f"`{what}` failed: {last}. Is there a network?")
