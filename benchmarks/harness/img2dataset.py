"""Run img2dataset, in an environment of its own that is made on the first run."""

from __future__ import annotations

import argparse
import os
import subprocess
import venv
from pathlib import Path

NAME = "img2dataset 1.47"
PINS = ("img2dataset==1.47.0", "albumentations==1.4.24", "opencv-python-headless==4.14.0.94")
THREADS = 32  # in each of two processes


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--environment`, the folder in which it is installed."""
    parser.add_argument(
        "--environment",
        type=Path,
        default=Path.home() / ".cache" / "senga" / "img2dataset-1.47",
        help="folder of img2dataset's environment",
    )


def install(environment: Path) -> str:
    """Install it unless it is installed; return the path of its command."""
    command = environment / "bin" / "img2dataset"
    if not command.exists():
        venv.create(environment, with_pip=True, clear=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", *PINS]
        subprocess.run(pip, check=True)
    return str(command)


def flags(posts: Path, out: Path, *, pictures_per_shard: int, **more: object) -> list[str]:
    """Return its options on the command line: bytes are kept as they are, in tars.

    Args:
        posts: a parquet file with a column `url`.
        out: the folder that it writes to.
        pictures_per_shard: pictures per tar.
        more: further options.
    """
    defaults = {
        "url_list": posts,
        "input_format": "parquet",
        "output_format": "webdataset",
        "output_folder": out,
        "resize_mode": "no",
        "skip_reencode": True,
        "processes_count": 2,
        "thread_count": THREADS,
        "number_sample_per_shard": pictures_per_shard,
    }
    return [f"--{name}={value}" for name, value in (defaults | more).items()]


def environment_variables() -> dict[str, str]:
    """Return the environment variables of its processes, which keep it from using the network."""
    return os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1"}
