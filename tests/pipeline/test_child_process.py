"""Modules in a child process: their output, their errors, and their end."""

import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import child_process
from pipeline.progress import Pace
from sketch_models.errors import ConfigError, SengaError

TOP = Path(__file__).parents[2]
Module = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Return a function that writes a module with this `main` and returns its name."""

    def write_module(body: str) -> str:
        (tmp_path / "child.py").write_text(
            "import json, os, sys, time\n"
            "from pipeline.child_process import run_main\n"
            "from sketch_models.errors import SengaError\n"
            f"def main(arguments):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
            "sys.exit(run_main(main, sys.argv[1:]))\n"
        )
        return "child"

    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{TOP}")
    return write_module


def test_every_json_line_is_passed_on(module: Module) -> None:
    name = module("""
        print("not for Luigi")
        for images in (1, 2):
            print(json.dumps({"images": images, "arguments": arguments}), flush=True)
    """)
    lines: list[child_process.JsonLine] = []
    child_process.run_module(name, ["a", "b"], lines.append, 1)
    assert lines == [{"images": images, "arguments": ["a", "b"]} for images in (1, 2)]


def test_error_message_of_the_child_is_raised(module: Module) -> None:
    name = module('raise SengaError("The disk is full: free some space.")')
    with pytest.raises(SengaError, match=r"^The disk is full: free some space\.$"):
        child_process.run_module(name, [], print, 1)


def test_unexpected_exception_keeps_its_traceback(module: Module) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        child_process.run_module(module("1 / 0"), [], print, 1)


def test_killed_child_has_its_own_message(module: Module) -> None:
    with pytest.raises(SengaError, match="killed by signal 9"):
        child_process.run_module(module("os.kill(os.getpid(), 9)"), [], print, 1)


def test_interrupt_lets_the_child_stop_and_carries_its_message(module: Module) -> None:
    """A second one, while the child saves, ends nothing."""
    name = module("""
        import signal
        from pipeline.child_process import StoppedError
        def stop(number, frame):
            time.sleep(0.5)
            raise StoppedError("All is saved.", number)
        signal.signal(signal.SIGTERM, stop)
        print("{}", flush=True)
        time.sleep(300)
    """)

    def interrupt(_: object) -> None:
        threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^All is saved\.$"):
        child_process.run_module(name, [], interrupt, 1)


def test_interrupt_ends_a_child_that_saves_nothing(module: Module) -> None:
    name = module("print('{}', flush=True); time.sleep(300)")

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="^$"):
        child_process.run_module(name, [], interrupt, 1)


def test_torchrun_starts_several_processes(module: Module) -> None:
    name = module("""
        assert os.environ["WORLD_SIZE"] == "2"
        # torchrun's processes are unbuffered, so that print would write a line in two pieces.
        sys.stdout.write(json.dumps({"rank": int(os.environ["RANK"])}) + "\\n")
    """)
    lines: list[child_process.JsonLine] = []
    child_process.run_module(name, [], lines.append, 2)
    assert sorted(line["rank"] for line in lines) == [0, 1]


def test_error_message_through_torchrun_is_raised_once(module: Module) -> None:
    name = module('raise SengaError("The loss is no number.")')
    with pytest.raises(SengaError, match=r"^The loss is no number\.$"):
        child_process.run_module(name, [], print, 2)


def test_child_exits_when_its_parent_is_killed(module: Module) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(300)  # if the child never starts: no result depends on it
        name = module(f"""
            import socket
            connection = socket.create_connection(("127.0.0.1", {server.getsockname()[1]}))
            time.sleep(300)
            connection.sendall(b"outlived its parent")
        """)
        code = f"from pipeline.child_process import run_module; run_module({name!r}, [], print, 1)"
        parent = subprocess.Popen([sys.executable, "-c", code], cwd=TOP)
        connection, _ = server.accept()
    with connection:
        parent.kill()
        parent.wait()
        assert connection.recv(100) == b""  # the end of the child has closed it


def test_image_counter_reports_differences_and_keeps_the_pace() -> None:
    reported: list[int] = []
    counter = child_process.ImageCounter(reported.append)
    for images in (32, 64, 100):
        counter({"images": images})
    assert (reported, counter.images, counter.pace) == ([32, 32, 36], 100, None)
    counter({"images": 101, "images_per_s": 2.5, "seconds_left": 8.0})
    assert counter.pace == Pace(rate=2.5, seconds_left=8.0)


def test_wrong_option_is_printed_as_one_sentence(capsys: pytest.CaptureFixture) -> None:
    def main(_: list[str]) -> None:
        raise ConfigError("[train] epochs = 0: expected a number above 0.")

    assert child_process.run_main(main, []) == child_process.EXIT_FAILURE
    assert capsys.readouterr().err == "senga: [train] epochs = 0: expected a number above 0.\n"


def test_command_that_a_signal_has_stopped_has_the_exit_status_of_shells(
    capsys: pytest.CaptureFixture,
) -> None:
    def main(arguments: list[str]) -> None:
        if arguments:
            raise child_process.StoppedError("All is saved.", signal.SIGTERM)
        raise KeyboardInterrupt

    assert child_process.run_main(main, ["saves"]) == 143
    assert child_process.run_main(main, []) == 130
    assert capsys.readouterr().err == "senga: All is saved.\nStopped.\n"


def test_gpus_are_counted_as_pytorch_counts_them() -> None:
    import torch

    assert child_process.count_gpus() == torch.cuda.device_count()
