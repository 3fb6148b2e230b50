"""The messages that reach the terminal, and the program that runs Luigi."""

import json
import logging
import sys
from pathlib import Path

import pytest

from sketch_models.errors import ConfigError
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


def test_unexpected_error_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ERRORS_VARIABLE, str(tmp_path / "errors"))
    TerminalHandler().emit(record(ZeroDivisionError("a defect")))
    assert "Traceback" in capsys.readouterr().err
    assert not (tmp_path / "errors").exists()
