"""Errors that nobody foresaw: each costs the picture or URL that it came with, and no other."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

from pipeline.picture_error import PictureError
from sketch_models.errors import SengaError

UNEXPECTED = "unexpected"
"""The code of their outcomes."""

OF_THE_MACHINE = (SengaError, OSError, MemoryError)
"""Errors of a setting, a disk or the memory: the next picture would meet them, too."""

_MAX_LENGTH = 300  # characters of a detail
_LOG = logging.getLogger("senga")


@contextlib.contextmanager
def as_picture_error(picture: object) -> Iterator[None]:
    """Turn an error that nobody foresaw into the PictureError of a picture, and log it.

    Errors that are `OF_THE_MACHINE` stay what they are.

    Args:
        picture: its post id, or another name for the log.

    Raises:
        PictureError: `unexpected`, or what the block raises.
    """
    try:
        yield
    except (PictureError, *OF_THE_MACHINE):
        raise
    except Exception as error:
        raise PictureError(UNEXPECTED, log(f"picture {picture}", error)) from error


def log(what: str, error: Exception) -> str:
    """Log an error that nobody foresaw, in one line; return its description.

    Returns:
        The name of the exception, where it was raised, and its message.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}, line {frame.lineno}"
    detail = f"{type(error).__name__} in {place}: {error}"[:_MAX_LENGTH].replace("\n", " ")
    _LOG.warning("%s: %s: %s", what, UNEXPECTED, detail)
    return detail
