"""The log handler of the terminal: messages, not tracebacks."""

from __future__ import annotations

import logging

from sketch_models.errors import SengaError


class TerminalHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The log handler that configs/logging.ini names.

    A SengaError is shown as its message, once, however many tasks it stops; any other error is a
    defect of Senga and keeps its traceback.
    """

    def __init__(self) -> None:
        """Write to the standard error."""
        super().__init__()
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, SengaError):
            if str(error) in self._shown:
                return
            self._shown.add(str(error))
            record = logging.makeLogRecord({"msg": str(error), "levelno": record.levelno})
        super().emit(record)
