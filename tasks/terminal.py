"""The log handler of the terminal: messages, not tracebacks."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from sketch_models.errors import SengaError

ERRORS_VARIABLE = "SENGA_ERRORS"
"""Environment variable: a file that gets every message, for a program that runs Luigi."""


class TerminalHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The log handler that the logging configuration names.

    A SengaError is shown as its message, once, however many tasks it stops; any other error is a
    defect of Senga and keeps its traceback.
    """

    def __init__(self) -> None:
        """Write to the standard error."""
        super().__init__()
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, unless it is of a SengaError that was shown before."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, SengaError):
            if str(error) in self._shown:
                return
            self._shown.add(str(error))
            _append_to_file(error)
            record = logging.makeLogRecord({"msg": str(error), "levelno": record.levelno})
        super().emit(record)


def _append_to_file(error: SengaError) -> None:
    """Append class and message as a line of JSON to the file of `ERRORS_VARIABLE`, if it is set."""
    if path := os.environ.get(ERRORS_VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            line = {"class": type(error).__name__, "message": str(error)}
            file.write(json.dumps(line) + "\n")
