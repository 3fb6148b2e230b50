"""The log handler of the terminal: messages, not tracebacks."""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import os
from pathlib import Path

from luigi.rpc import RPCError

from pipeline.posts.board_account import BoardAccount
from pipeline.store import NOT_WRITTEN
from sketch_models.errors import SengaError

ERRORS_VARIABLE = "SENGA_ERRORS"
"""Environment variable: a file that gets every message, for a program that runs Luigi."""

_ENTRIES, _ENTRY_BYTES = 1024, 8
_WITHOUT_SCHEDULER = "Start luigid there, or set [core] local_scheduler = true."


class TerminalHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The log handler that the logging configuration names.

    A SengaError is shown as its message, once, however many tasks it stops, and so are files that
    cannot be written for one reason, such as a full disk, and a scheduler that does not answer; any
    other error is a defect of Senga and keeps its traceback. The key of a board is hidden, whatever
    wrote it: a library may log the URL of a request.
    """

    def __init__(self) -> None:
        """Write to the standard error."""
        super().__init__()
        self._shown = _Shown()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, unless it is of an error that was shown before."""
        if record.exc_info:
            error = record.exc_info[1]
            if isinstance(error, RPCError):
                error = SengaError(f"{error}. {_WITHOUT_SCHEDULER}")
            if isinstance(error, SengaError):
                if not self._is_new(str(error)):
                    return
                _append_to_file(error)
                record = _plain(str(error), record)
            elif error is None:  # Luigi's, of every try to reach the scheduler
                if not self._is_new(record.getMessage()):
                    return
                record = _plain(f"{record.getMessage()}: trying again.", record)
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of one record, without the key of a board."""
        return BoardAccount.from_environment().hide(super().format(record))

    def _is_new(self, message: str) -> bool:
        """Return whether a message was never shown before; it counts as shown now."""
        path, is_unwritten, reason = message.partition(NOT_WRITTEN)
        return self._shown.add(reason if is_unwritten else path)


class _Shown:
    """The messages that this process and those that it has forked have shown: one for each task.

    Two that show a message at the same moment may both do so, which does no harm.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _ENTRIES * _ENTRY_BYTES)  # shared; the first entry counts

    def add(self, message: str) -> bool:
        """Return whether a message is new; it is not from now on."""
        entry = hashlib.sha256(message.encode(errors="replace")).digest()[:_ENTRY_BYTES]
        end = (1 + int.from_bytes(self._memory[:_ENTRY_BYTES], "little")) * _ENTRY_BYTES
        if entry in {
            self._memory[at : at + _ENTRY_BYTES] for at in range(_ENTRY_BYTES, end, _ENTRY_BYTES)
        }:
            return False
        if end < len(self._memory):
            self._memory[end : end + _ENTRY_BYTES] = entry
            self._memory[:_ENTRY_BYTES] = (end // _ENTRY_BYTES).to_bytes(_ENTRY_BYTES, "little")
        return True


def _plain(message: str, record: logging.LogRecord) -> logging.LogRecord:
    """Return a record of a message alone, of the level of another."""
    return logging.makeLogRecord({"msg": message, "levelno": record.levelno})


def _append_to_file(error: SengaError) -> None:
    """Append class and message as a line of JSON to the file of `ERRORS_VARIABLE`, if it is set."""
    if path := os.environ.get(ERRORS_VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            line = {"class": type(error).__name__, "message": str(error)}
            file.write(json.dumps(line) + "\n")
