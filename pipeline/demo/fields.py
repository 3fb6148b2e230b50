"""What a request says: its fields, from JSON or from a form, each checked as it is asked for."""

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
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request

from pipeline.colorizer.hints import Hints
from pipeline.demo.api_error import Problem
from pipeline.demo.pictures import Limits, read_grey, read_hints, read_rgb

_MOST_PARTS = 32  # of a form
_DATA_HEAD = re.compile(r"data:image/[\w.+-]{1,32};base64,", re.IGNORECASE)
_SHOWN = 40  # characters of what was sent that an answer may repeat


class Fields:
    """The fields of one request.

    A field that is null, or an empty text of a form, is as good as left out.

    Args:
        values: by name: what JSON holds; of a form, text, and bytes where it is a file.
        limits: for pictures.
        form: whether numbers are text.
    """

    def __init__(self, values: Mapping[str, object], limits: Limits, *, form: bool = False) -> None:
        absent = (None, "") if form else (None,)
        self._values = {name: value for name, value in values.items() if value not in absent}
        self._names = list(values)
        self._limits = limits
        self._form = form

    def only(self, *known: str) -> None:
        """Refuses fields of other names.

        Raises:
            Problem: `unknown_field`.
        """
        for name in self._names:
            if name not in known:
                raise Problem(
                    "unknown_field",
                    f"{name[:_SHOWN]!r} is no field of this address, expected only "
                    f"{', '.join(known)}.",
                )

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of some words.

        Raises:
            Problem: `bad_field`.
        """
        value = self._values.get(name, default)
        if not isinstance(value, str) or value not in choices:
            raise _bad(name, value, f"one of {', '.join(choices)}")
        return value

    def text(self, name: str, default: str) -> str:
        """Any word.

        Raises:
            Problem: `bad_field`.
        """
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise _bad(name, value, "text")
        return value

    def integer(self, name: str, default: int, within: range) -> int:
        """A whole number.

        Raises:
            Problem: `bad_field`.
        """
        value = self.optional_integer(name, within)
        return default if value is None else value

    def optional_integer(self, name: str, within: range) -> int | None:
        """A whole number, or None where the field is left out.

        Raises:
            Problem: `bad_field`.
        """
        value = self._number(name)
        if value is None or (type(value) is int and value in within):
            return value
        raise _bad(name, value, f"a whole number from {within[0]} to {within[-1]}")

    def number(self, name: str, default: float, most: float) -> float:
        """A number in [-most, most].

        Raises:
            Problem: `bad_field`.
        """
        value = self._number(name)
        if value is None:
            return default
        if type(value) in (int, float) and -most <= value <= most:  # type: ignore[operator]
            return float(value)  # type: ignore[arg-type]
        raise _bad(name, value, f"a number from {-most:g} to {most:g}")

    def rgb(self, name: str) -> NDArray[np.uint8]:
        """A picture that must be there: (H, W, 3) uint8 RGB.

        Raises:
            Problem: `missing_field`, or what is wrong with it.
        """
        return read_rgb(name, self._content(name), self._limits)

    def grey(self, name: str) -> NDArray[np.uint8]:
        """A drawing that must be there: (H, W) uint8, 0 ink, 255 paper.

        Raises:
            Problem: `missing_field`, or what is wrong with it.
        """
        return read_grey(name, self._content(name), self._limits)

    def hints(self, name: str) -> Hints | None:
        """Hints, None where the field is left out.

        Raises:
            Problem: what is wrong with them.
        """
        if name not in self._values:
            return None
        return read_hints(name, self._content(name), self._limits)

    def _number(self, name: str) -> object:
        value = self._values.get(name)
        if self._form and isinstance(value, str):
            try:
                return _parsed(value)
            except ValueError:
                return value
        return value

    def _content(self, name: str) -> bytes:
        """The file of a picture."""
        if name not in self._values:
            raise Problem("missing_field", f"The field `{name}` is missing, expected a picture.")
        value = self._values[name]
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str):
            raise _bad(name, value, "a picture as base64 text")
        head = _DATA_HEAD.match(value)
        try:
            return base64.b64decode(value[head.end() :] if head else value, validate=True)
        except ValueError:
            raise Problem(
                "not_base64",
                f"`{name}` is not base64, expected a picture's bytes as base64, with or without "
                "`data:image/png;base64,` before them.",
            ) from None


def read(request: Request, limits: Limits) -> Fields:
    """The fields of a request, JSON or form; nothing of it touches the disk.

    Raises:
        Problem: `wrong_content_type`, `wrong_json`, `wrong_form`, or `bad_field` for a field of a
            form that is there twice.
        RequestEntityTooLarge: by `request.max_content_length`.
    """
    if request.mimetype == "application/json":
        return Fields(_json(request.get_data(cache=False)), limits)
    if request.mimetype == "multipart/form-data":
        return Fields(_form(request), limits, form=True)
    raise Problem(
        "wrong_content_type",
        f"The body is {request.mimetype[:_SHOWN] or 'of no type'}, expected application/json or "
        "multipart/form-data; set the header Content-Type.",
    )


def _json(body: bytes) -> dict[str, object]:
    try:
        values = _parsed(body)
    except (ValueError, RecursionError):
        raise Problem(
            "wrong_json", "The body cannot be read as JSON, expected one JSON object."
        ) from None
    if not isinstance(values, dict):
        raise Problem("wrong_json", "The body is JSON but no object, expected {...}.")
    return values


def _parsed(text: str | bytes) -> object:
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity, which are not JSON


def _form(request: Request) -> dict[str, object]:
    most = request.max_content_length
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=most,
        max_content_length=most,
        max_form_parts=_MOST_PARTS,
        silent=False,
    )
    try:
        _, texts, files = parser.parse_from_environ(request.environ)
    except ValueError:
        raise Problem(
            "wrong_form", "The body cannot be read as a form, expected whole multipart/form-data."
        ) from None
    return _merged(texts, files)


def _merged(texts: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> dict[str, object]:
    parts: list[tuple[str, str | FileStorage]] = [
        *texts.items(multi=True),
        *files.items(multi=True),
    ]
    values: dict[str, object] = {}
    for name, part in parts:
        if name in values:
            raise Problem("bad_field", f"{name[:_SHOWN]!r} is there twice, expected it once.")
        values[name] = part if isinstance(part, str) else part.read()
    return values


def _in_memory(
    total_content_length: int | None,  # noqa: ARG001 - the parser gives them by name
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> IO[bytes]:
    return io.BytesIO()  # Werkzeug's own puts what is large into temporary files


def _bad(name: str, value: object, expected: str) -> Problem:
    shown = value if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    return Problem("bad_field", f"`{name}` is {str(shown)[:_SHOWN]!r}, expected {expected}.")
