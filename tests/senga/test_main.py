"""The command `senga`: every word that runs a program, its help, and its errors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pipeline.child_process import EXIT_FAILURE
from pipeline.exit_code import EXIT_NOTHING_RAN
from pipeline.programs import PROGRAMS
from pipeline.sample_booru.artist.draw import draw

TOP = Path(__file__).parents[2]


def senga(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a folder whose config file cannot be read."""
    (folder / "luigi.cfg").write_text("nonsense")
    env = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
    weights = str(folder / "weights")
    return subprocess.run(
        [sys.executable, "-m", "senga", *words],
        cwd=folder,
        env={**env, "PYTHONPATH": str(TOP), "SENGA_WEIGHTS": weights},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("word", PROGRAMS)
def test_help_of_a_program_names_its_word(tmp_path: Path, word: str) -> None:
    done = senga(tmp_path, word, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: senga {word} [-h]")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("lines", 2, "senga lines: error: the following arguments are required: FOLDER, RESULTS"),
        ("lines absent results", EXIT_FAILURE, "absent"),
        ("paint a.safetensors absent results", EXIT_FAILURE, "senga: "),
        ("demo --port x", 2, "senga demo: error: argument --port: invalid int value: 'x'"),
        ("demo --queue 0", EXIT_FAILURE, "senga: --queue = 0: expected"),
        ("verify", 2, "senga verify: error: give either packed files, or --data"),
        ("verify absent.h5", 1, "absent.h5 is missing. Build it first."),
        ("weights", 2, "senga weights: error: the following arguments are required: command"),
        ("weights fetch absent", 1, "Weights absent: unknown name."),
        ("build", EXIT_NOTHING_RAN, "luigi.cfg, line 1: nonsense is in no section."),
    ],
)
def test_mistake_is_a_sentence(tmp_path: Path, words: str, status: int, said: str) -> None:
    done = senga(tmp_path, *words.split())
    assert done.returncode == status
    assert done.stderr.splitlines()[-1].startswith(said)
    assert "Traceback" not in done.stderr


def test_program_gets_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    Image.fromarray(draw(1).color).resize((96, 96)).save(tmp_path / "pictures" / "girl.png")
    models = ("--sketch", "xdog", "--line", "centerline")
    done = senga(tmp_path, "lines", "pictures", "results", *models)
    assert (done.returncode, done.stdout) == (0, "1 picture drawn: results\n")
    assert (tmp_path / "results" / "lines" / "girl.png").is_file()


@pytest.mark.parametrize("words", [["--help"], ["lines", "--help"]])
def test_a_reader_that_ends_early_sees_no_traceback(tmp_path: Path, words: list[str]) -> None:
    command = [sys.executable, "-m", "senga", *words]
    env = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**env, "PYTHONPATH": str(TOP)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
