"""Commands in a process of their own: what they say, how they fail, how they end."""

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import child_process
from sketch_models.errors import SengaError
from sketch_models.option import OptionError

TOP = Path(__file__).parents[2]
Module = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Makes a command out of the body of its `main`; returns the name of its module."""

    def made(body: str) -> str:
        (tmp_path / "told.py").write_text(
            "import json, os, sys, time\n"
            "from pipeline.child_process import command\n"
            "from sketch_models.errors import SengaError\n"
            f"def main(arguments):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
            "sys.exit(command(main, sys.argv[1:]))\n"
        )
        return "told"

    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{TOP}")
    return made


def test_every_line_of_json_is_heard(module: Module) -> None:
    name = module("""
        print("not for Luigi")
        for images in (1, 2):
            print(json.dumps({"images": images, "arguments": arguments}), flush=True)
    """)
    heard: list[child_process.Line] = []
    child_process.run(name, ["a", "b"], heard.append, 1)
    assert heard == [{"images": images, "arguments": ["a", "b"]} for images in (1, 2)]


def test_its_sentence_is_raised(module: Module) -> None:
    name = module('raise SengaError("The disk is full: free some space.")')
    with pytest.raises(SengaError, match=r"^The disk is full: free some space\.$"):
        child_process.run(name, [], print, 1)


def test_a_defect_keeps_its_traceback(module: Module) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        child_process.run(module("1 / 0"), [], print, 1)


def test_a_killed_one_is_told_apart(module: Module) -> None:
    with pytest.raises(SengaError, match="killed by signal 9"):
        child_process.run(module("os.kill(os.getpid(), 9)"), [], print, 1)


def test_torchrun_starts_several(module: Module) -> None:
    name = module("""
        assert os.environ["WORLD_SIZE"] == "2"
        # torchrun's processes are unbuffered, so that print would write a line in two pieces.
        sys.stdout.write(json.dumps({"rank": int(os.environ["RANK"])}) + "\\n")
    """)
    heard: list[child_process.Line] = []
    child_process.run(name, [], heard.append, 2)
    assert sorted(line["rank"] for line in heard) == [0, 1]


def test_a_sentence_comes_through_torchrun_once(module: Module) -> None:
    name = module('raise SengaError("The loss is no number.")')
    with pytest.raises(SengaError, match=r"^The loss is no number\.$"):
        child_process.run(name, [], print, 2)


def test_it_ends_with_the_one_that_started_it(module: Module, tmp_path: Path) -> None:
    name = module(f"""
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        time.sleep(60)
    """)
    code = f"from pipeline import child_process; child_process.run({name!r}, [], print, 1)"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=TOP)
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child = Path("/proc") / (tmp_path / "pid").read_text()
    parent.kill()
    parent.wait()
    while child.exists() and "Z" not in (child / "stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_wrong_option_is_a_sentence_too(capsys: pytest.CaptureFixture) -> None:
    def main(_: list[str]) -> None:
        raise OptionError("[train] epochs = 0: expected a number above 0.")

    assert child_process.command(main, []) == child_process.FAILED
    assert capsys.readouterr().err == "senga: [train] epochs = 0: expected a number above 0.\n"


def test_there_is_no_gpu_or_there_are_some() -> None:
    import torch

    assert child_process.gpus() == torch.cuda.device_count()
