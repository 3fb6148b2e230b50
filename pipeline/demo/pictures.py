"""Pictures that users send: from bytes to pixels, within limits."""

from __future__ import annotations

import io
import os
import struct
import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pipeline.colorizer.hints import Hints
from pipeline.demo.problem import Problem
from pipeline.picture import PictureError, decode, stated_size

_DECODING = threading.BoundedSemaphore(os.cpu_count() or 1)
"""Large pictures take much memory while they are decoded: no more at once than there are cores."""

_CODES = {
    "empty": "not_a_picture",
    "not_a_picture": "not_a_picture",
    "zero_pixels": "picture_too_small",
    "too_large": "picture_too_large",
    "truncated": "broken_picture",
    "broken": "broken_picture",
}  # of PictureError, and of Problem


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a picture may be.

    Attributes:
        pixels: of a whole picture, at most.
        smallest_side: in pixels, at least.
    """

    pixels: int
    smallest_side: int

    def problem(self, code: str, name: str) -> Problem:
        """What to say of a picture; nothing of its content."""
        said = {
            "not_a_picture": "cannot be read as a picture, expected a PNG, JPEG or GIF; "
            "choose another file",
            "broken_picture": "is damaged, expected a whole PNG, JPEG or GIF; save it anew",
            "picture_too_small": "is too small, expected at least "
            f"{self.smallest_side} pixels on each side; choose a larger one",
            "picture_too_large": f"is too large, expected at most {self.pixels:,} pixels in all; "
            "make it smaller first",
        }
        return Problem(code, f"`{name}` {said[code]}.")


def read_rgb(name: str, content: bytes, limits: Limits) -> NDArray[np.uint8]:
    """A picture as a person sees it, on white: (H, W, 3) uint8 RGB.

    Args:
        name: of its field, for messages.
        content: PNG, JPEG or GIF.
        limits: checked against the header, before anything is decoded.

    Raises:
        Problem: what is wrong with the picture.
    """
    _check(name, content, limits)
    try:
        with _DECODING:
            return decode(content)
    except PictureError as error:
        raise limits.problem(_CODES[error.code], name) from None


def read_grey(name: str, content: bytes, limits: Limits) -> NDArray[np.uint8]:
    """A drawing: (H, W) uint8, 0 ink, 255 paper. See `read_rgb`."""
    grey = cv2.cvtColor(read_rgb(name, content, limits), cv2.COLOR_RGB2GRAY)
    return grey.astype(np.uint8, copy=False)


def read_hints(name: str, content: bytes, limits: Limits) -> Hints:
    """Hints, which are the opaque pixels of a PNG. See `read_rgb`.

    Raises:
        Problem: what is wrong with the picture; where it cannot be transparent.
    """
    _check(name, content, limits)
    try:
        with _DECODING, Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if not image.has_transparency_data:
                raise _opaque(name)
            return Hints.from_rgba(image)
    except UnidentifiedImageError:  # of another format, by its header
        raise _opaque(name) from None
    except (OSError, SyntaxError, EOFError, ValueError, struct.error, IndexError):
        raise limits.problem("broken_picture", name) from None


def _check(name: str, content: bytes, limits: Limits) -> None:
    try:
        width, height = stated_size(content)
    except PictureError as error:
        raise limits.problem(_CODES[error.code], name) from None
    if width * height > limits.pixels:
        raise limits.problem("picture_too_large", name)
    if min(width, height) < limits.smallest_side:
        raise limits.problem("picture_too_small", name)


def _opaque(name: str) -> Problem:
    return Problem(
        "bad_field",
        f"`{name}` has no alpha channel, expected an RGBA PNG whose opaque pixels are the hints.",
    )
