"""Worker processes: an interrupt ends them without a traceback, at any moment."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from luigi.worker import TaskProcess

from tasks import interrupt
from tasks.exit_with_parent import ExitWithParent


def context(*, is_worker: bool) -> ExitWithParent:
    process: Any = SimpleNamespace(use_multiprocessing=is_worker)
    return ExitWithParent(cast("TaskProcess", process))


@pytest.mark.parametrize("said", [(), ("Stopped after 5 images",)])
def test_interrupt_before_the_task_begins_ends_a_worker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: tuple[str, ...]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt(*said)

    monkeypatch.setattr(interrupt, "handle_interrupts", interrupted)
    with pytest.raises(SystemExit) as ended, context(is_worker=True):
        pytest.fail("it has begun")
    assert ended.value.code == 130
    assert capsys.readouterr().err == "".join(f"{text}\n" for text in said)
    with pytest.raises(KeyboardInterrupt), context(is_worker=False):
        pytest.fail("it has begun")


def test_interrupt_of_a_task_ends_a_worker(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, context(is_worker=True):
        raise KeyboardInterrupt
    assert ended.value.code == 130
    with pytest.raises(KeyboardInterrupt), context(is_worker=False):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == ""


def test_errors_of_a_task_stay_as_they_are() -> None:
    with pytest.raises(ValueError, match="wrong"), context(is_worker=True):
        raise ValueError("wrong")
