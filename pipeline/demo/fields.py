"""The fields of a request, from JSON or from a form, each checked when it is read."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import IO, NoReturn

import numpy as np
from numpy.typing import NDArray
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request

from pipeline.colorizer.hints import Hints
from pipeline.demo.api_error import ApiError
from pipeline.demo.pictures import PictureLimits, read_grey, read_hints, read_rgb

_MAX_FORM_PARTS = 32
_DATA_URL = re.compile(r"data:image/[\w.+-]{1,32};base64,", re.IGNORECASE)
_MAX_ECHO = 40  # characters of the request that an error may repeat


class Fields:
    """The fields of one request.

    A field that is null, or an empty text of a form, counts as missing.

    Args:
        values: by name: JSON values, or the texts and file contents of a form.
        limits: on the size of pictures.
        is_form: whether the values are those of a form, in which numbers are text.
    """

    def __init__(
        self, values: Mapping[str, object], limits: PictureLimits, *, is_form: bool = False
    ) -> None:
        missing = (None, "") if is_form else (None,)
        self._values = {name: value for name, value in values.items() if value not in missing}
        self._names = list(values)
        self._limits = limits
        self._is_form = is_form

    def reject_unknown(self, *known: str) -> None:
        """Raise ApiError `unknown_field` if there are fields of other names."""
        for name in self._names:
            if name not in known:
                raise ApiError(
                    "unknown_field",
                    f"{name[:_MAX_ECHO]!r} is not a field of this address. Use only "
                    f"{', '.join(known)}.",
                )

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """Return a text field that is one of `choices`.

        Raises:
            ApiError: `bad_field`.
        """
        value = self._values.get(name, default)
        if not isinstance(value, str) or value not in choices:
            raise _bad_field(name, value, f"one of {', '.join(choices)}")
        return value

    def text(self, name: str, default: str) -> str:
        """Return a text field.

        Raises:
            ApiError: `bad_field`.
        """
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise _bad_field(name, value, "text")
        return value

    def integer(self, name: str, default: int, within: range) -> int:
        """Return a whole number.

        Raises:
            ApiError: `bad_field`.
        """
        value = self.optional_integer(name, within)
        return default if value is None else value

    def optional_integer(self, name: str, within: range) -> int | None:
        """Return a whole number, or None if the field is missing.

        Raises:
            ApiError: `bad_field`.
        """
        value = self._number(name)
        if value is None or (type(value) is int and value in within):
            return value
        raise _bad_field(name, value, f"a whole number from {within[0]} to {within[-1]}")

    def number(self, name: str, default: float, limit: float) -> float:
        """Return a number in [-limit, limit].

        Raises:
            ApiError: `bad_field`.
        """
        value = self._number(name)
        if value is None:
            return default
        if type(value) in (int, float) and -limit <= value <= limit:  # type: ignore[operator]
            return float(value)  # type: ignore[arg-type]
        raise _bad_field(name, value, f"a number from {-limit:g} to {limit:g}")

    def rgb(self, name: str) -> NDArray[np.uint8]:
        """Return a required picture: (H, W, 3) uint8 RGB.

        Raises:
            ApiError: `missing_field`, or that of `read_rgb`.
        """
        return read_rgb(name, self._content(name), self._limits)

    def optional_rgb(self, name: str) -> NDArray[np.uint8] | None:
        """Return a picture, (H, W, 3) uint8 RGB, or None if the field is missing.

        Raises:
            ApiError: that of `read_rgb`.
        """
        return self.rgb(name) if name in self._values else None

    def grey(self, name: str) -> NDArray[np.uint8]:
        """Return a required drawing: (H, W) uint8, 0 ink, 255 paper.

        Raises:
            ApiError: `missing_field`, or that of `read_rgb`.
        """
        return read_grey(name, self._content(name), self._limits)

    def hints(self, name: str) -> Hints | None:
        """Return hints, or None if the field is missing.

        Raises:
            ApiError: that of `read_hints`.
        """
        if name not in self._values:
            return None
        return read_hints(name, self._content(name), self._limits)

    def _number(self, name: str) -> object:
        value = self._values.get(name)
        if self._is_form and isinstance(value, str):
            try:
                return _parse_json(value)
            except ValueError:
                return value
        return value

    def _content(self, name: str) -> bytes:
        """Return the content of a picture file."""
        if name not in self._values:
            raise ApiError("missing_field", f"The field `{name}` is missing. Send a picture.")
        value = self._values[name]
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str):
            raise _bad_field(name, value, "a picture as base64 text")
        prefix = _DATA_URL.match(value)
        try:
            return base64.b64decode(value[prefix.end() :] if prefix else value, validate=True)
        except ValueError:
            raise ApiError(
                "not_base64",
                f"`{name}` is not base64. Send the bytes of a picture file as base64, with or "
                "without `data:image/png;base64,` in front.",
            ) from None


def read_fields(request: Request, limits: PictureLimits) -> Fields:
    """Read the fields of a request, JSON or form, without writing any of it to disk.

    Raises:
        ApiError: `wrong_content_type`, `wrong_json`, `wrong_form`, or `bad_field` for a form field
            that is given twice.
        RequestEntityTooLarge: If the body is longer than `request.max_content_length`.
    """
    if request.mimetype == "application/json":
        return Fields(_read_json(request.get_data(cache=False)), limits)
    if request.mimetype == "multipart/form-data":
        return Fields(_read_form(request), limits, is_form=True)
    raise ApiError(
        "wrong_content_type",
        f"The header Content-Type is {request.mimetype[:_MAX_ECHO] or 'missing'}: expected "
        "application/json or multipart/form-data.",
    )


def _read_json(body: bytes) -> dict[str, object]:
    try:
        values = _parse_json(body)
    except ValueError:
        raise ApiError(
            "wrong_json",
            "The body is not valid JSON, or has digits or brackets by the thousand. Send one JSON "
            "object.",
        ) from None
    if not isinstance(values, dict):
        raise ApiError("wrong_json", "The body is JSON, but not an object. Send {...}.")
    return values


def _parse_json(text: str | bytes) -> object:
    """Parse JSON.

    Raises:
        ValueError: If it is not JSON, or has brackets or digits by the thousand.
    """
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity, which are not JSON


def _read_form(request: Request) -> dict[str, object]:
    max_bytes = request.max_content_length
    parser = FormDataParser(
        stream_factory=_memory_stream,
        max_form_memory_size=max_bytes,
        max_content_length=max_bytes,
        max_form_parts=_MAX_FORM_PARTS,
        silent=False,
    )
    try:
        _, texts, files = parser.parse_from_environ(request.environ)
    except RequestEntityTooLarge:
        if (request.content_length or 0) > (max_bytes or 0):
            raise
        raise ApiError(
            "wrong_form", f"The form has more than {_MAX_FORM_PARTS} parts. Send each field once."
        ) from None
    except ValueError:
        raise ApiError(
            "wrong_form", "The body is not a complete form. Send well-formed multipart/form-data."
        ) from None
    return _merge(texts, files)


def _merge(texts: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> dict[str, object]:
    parts: list[tuple[str, str | FileStorage]] = [
        *texts.items(multi=True),
        *files.items(multi=True),
    ]
    values: dict[str, object] = {}
    for name, part in parts:
        if name in values:
            raise ApiError("bad_field", f"{name[:_MAX_ECHO]!r} is given twice. Send it once.")
        values[name] = part if isinstance(part, str) else part.read()
    return values


def _memory_stream(
    total_content_length: int | None,  # noqa: ARG001 - the parser gives them by name
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> IO[bytes]:
    return io.BytesIO()  # Werkzeug's default puts large files on disk


def _bad_field(name: str, value: object, expected: str) -> ApiError:
    shown = value if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    return ApiError("bad_field", f"`{name}` is {str(shown)[:_MAX_ECHO]!r}, expected {expected}.")
