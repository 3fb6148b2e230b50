"""Reading of the pictures that users send, within limits."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.hints import Hints
from pipeline.demo.api_error import ApiError
from pipeline.picture import PictureError, decode, decode_rgba, header_size
from pipeline.picture_format import FORMAT_NAMES
from sketch_models.cores import available_cores

LARGE_SLOTS = threading.BoundedSemaphore(available_cores())
"""To decode or enlarge a large picture takes much memory: at most one per core at a time."""

_API_CODES = {
    "empty": "not_a_picture",
    "not_a_picture": "not_a_picture",
    "zero_pixels": "picture_too_small",
    "too_large": "picture_too_large",
    "too_complex": "picture_too_complex",
    "truncated": "broken_picture",
    "broken": "broken_picture",
}  # code of PictureError -> code of ApiError


@dataclass(frozen=True, kw_only=True)
class PictureLimits:
    """The limits on a picture's size.

    Attributes:
        max_pixels: largest width times height.
        min_side: smallest width and height, in pixels.
    """

    max_pixels: int
    min_side: int

    def error(self, code: str, name: str) -> ApiError:
        """Return the error of this code for the picture in the field `name`."""
        messages = {
            "not_a_picture": f"is not a picture. Send a {FORMAT_NAMES} file.",
            "broken_picture": f"is damaged or incomplete. Send a whole {FORMAT_NAMES} file.",
            "picture_too_complex": "has more scans or blocks than a picture of its size needs. "
            "Save it anew with a drawing program.",
            "picture_too_small": f"is too small: each side needs {self.min_side} pixels or more. "
            "Send a larger picture.",
            "picture_too_large": f"is too large: at most {self.max_pixels:,} pixels are allowed. "
            "Make it smaller first.",
        }
        return ApiError(code, f"`{name}` {messages[code]}")


def read_rgb(name: str, content: bytes, limits: PictureLimits) -> NDArray[np.uint8]:
    """Decode a picture as a person sees it, on white: (H, W, 3) uint8 RGB.

    Args:
        name: of its field, for the error message.
        content: of a picture file, in any of `picture_format.FORMATS`.
        limits: on its size, checked by the header before anything is decoded.

    Raises:
        ApiError: `not_a_picture`, `broken_picture`, `picture_too_complex`, `picture_too_small` or
            `picture_too_large`.
    """
    _check_header(name, content, limits)
    try:
        with LARGE_SLOTS:
            return decode(content)
    except PictureError as error:
        raise limits.error(_API_CODES[error.code], name) from None


def read_grey(name: str, content: bytes, limits: PictureLimits) -> NDArray[np.uint8]:
    """Decode a drawing: (H, W) uint8, 0 ink, 255 paper. Arguments and errors as for `read_rgb`."""
    grey = cv2.cvtColor(read_rgb(name, content, limits), cv2.COLOR_RGB2GRAY)
    return grey.astype(np.uint8, copy=False)


def read_hints(name: str, content: bytes, limits: PictureLimits) -> Hints:
    """Decode the opaque pixels of a picture as hints. Arguments as for `read_rgb`.

    Raises:
        ApiError: that of `read_rgb`; `bad_field` if the picture has no alpha channel.
    """
    _check_header(name, content, limits)
    try:
        with LARGE_SLOTS:
            return Hints.from_rgba(decode_rgba(content))
    except PictureError as error:
        if error.code == "no_alpha":
            raise _no_alpha(name) from None
        raise limits.error(_API_CODES[error.code], name) from None


def _check_header(name: str, content: bytes, limits: PictureLimits) -> None:
    try:
        width, height = header_size(content)
    except PictureError as error:
        raise limits.error(_API_CODES[error.code], name) from None
    if width * height > limits.max_pixels:
        raise limits.error("picture_too_large", name)
    if min(width, height) < limits.min_side:
        raise limits.error("picture_too_small", name)


def _no_alpha(name: str) -> ApiError:
    return ApiError(
        "bad_field",
        f"`{name}` has no alpha channel. Send an RGBA PNG whose opaque pixels are the hints.",
    )
