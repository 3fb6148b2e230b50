"""The messages that reach the terminal, and the program that runs Luigi."""

import errno
import json
import logging
import os
import sys
from pathlib import Path

import pytest

from pipeline.store import explain_write_errors
from sketch_models.errors import ConfigError, SengaError
from tasks.terminal import ERRORS_VARIABLE, TerminalHandler


def record(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except type(error):
        return logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})


def test_message_of_a_senga_error_is_shown_once_and_written_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ERRORS_VARIABLE, str(tmp_path / "errors"))
    terminal = TerminalHandler()
    for _ in range(2):
        terminal.emit(record(ConfigError("[pack] size = 3.")))
    assert capsys.readouterr().err == "[pack] size = 3.\n"
    lines = (tmp_path / "errors").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"class": "ConfigError", "message": "[pack] size = 3."}
    ]


def test_full_disk_is_said_once_whichever_files_it_stops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = TerminalHandler()
    for code in (errno.ENOSPC, errno.ENOSPC, errno.EROFS):
        for name in ("a", "b"):
            with pytest.raises(SengaError) as raised, explain_write_errors(tmp_path / name):
                raise OSError(code, "no")
            terminal.emit(record(raised.value))
    full, read_only = capsys.readouterr().err.splitlines()
    assert full.startswith(f"{tmp_path}/a could not be written: the disk is full.")
    assert read_only.startswith(f"{tmp_path}/a could not be written: its file system is read-only")


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
def test_forked_processes_know_what_others_have_shown(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = TerminalHandler()
    child = os.fork()
    if not child:
        terminal.emit(record(ConfigError("a")))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    for name in ("a", "b", "b", "a"):
        terminal.emit(record(ConfigError(name)))
    assert capsys.readouterr().err == "b\n"
    for number in range(3000):  # more than are remembered: they are shown
        terminal.emit(record(ConfigError(str(number))))
    assert len(capsys.readouterr().err.splitlines()) == 3000


def test_unexpected_error_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ERRORS_VARIABLE, str(tmp_path / "errors"))
    TerminalHandler().emit(record(ZeroDivisionError("a defect")))
    assert "Traceback" in capsys.readouterr().err
    assert not (tmp_path / "errors").exists()
