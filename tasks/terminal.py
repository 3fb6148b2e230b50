"""What the terminal shows of Luigi's log: sentences, not tracebacks."""

from __future__ import annotations

import logging

from sketch_models.errors import SengaError


class Terminal(logging.StreamHandler):  # type: ignore[type-arg]
    """The log handler that configs/logging.ini names.

    An error with a sentence for people is shown as that sentence, once, however many tasks it
    stops; any other error is a defect of Senga and keeps its traceback.
    """

    def __init__(self) -> None:
        """Writes to the standard error."""
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, SengaError):
            if str(error) in self._said:
                return
            self._said.add(str(error))
            record = logging.makeLogRecord({"msg": str(error), "levelno": record.levelno})
        super().emit(record)
