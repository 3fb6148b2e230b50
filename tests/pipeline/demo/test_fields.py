"""Fields of JSON and of forms."""

import base64
import contextlib
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from pipeline.demo.api_error import Problem
from pipeline.demo.fields import Fields, read
from pipeline.demo.pictures import Limits
from pipeline.picture import encode_png

LIMITS = Limits(pixels=10_000, smallest_side=16)
LINE = np.random.default_rng(0).integers(0, 256, (30, 20), dtype=np.uint8)
PNG = encode_png(LINE)
TEXT = base64.b64encode(PNG).decode()


def of_json(body: bytes | str, kind: str = "application/json") -> Fields:
    body = body.encode() if isinstance(body, str) else body
    return read(request(method="POST", input_stream=io.BytesIO(body), content_type=kind,
                        content_length=len(body)), LIMITS)  # fmt: skip


def of_form(**fields: Any) -> Fields:
    return read(request(method="POST", data=fields, content_type="multipart/form-data"), LIMITS)


def request(**options: Any) -> Request:
    made = Request(EnvironBuilder(**options).get_environ())
    made.max_content_length = 50_000
    return made


def both(**fields: Any) -> list[Fields]:
    """The same fields by JSON and by a form."""
    return [of_json(json.dumps(fields)), of_form(**{key: str(fields[key]) for key in fields})]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Problem) as refused:
        act()
    assert refused.value.message.endswith(".")
    assert len(refused.value.message) < 300
    return refused.value.code


def test_numbers_and_words() -> None:
    for fields in both(seed=7, shift=-1.5, style="pured", model="xdog"):
        assert fields.optional_integer("seed", range(10)) == 7
        assert fields.integer("seed", 1, range(10)) == 7
        assert fields.number("shift", 0, 100) == -1.5
        assert fields.number("seed", 0, 100) == 7.0
        assert fields.choice("style", "original", ("original", "pured")) == "pured"
        assert fields.text("model", "") == "xdog"
        fields.only("seed", "shift", "style", "model", "size")


@pytest.mark.parametrize(
    "fields",
    [of_json("{}"), of_json('{"seed": null, "shift": null, "style": null, "hints": null}'),
     of_form(seed="", shift="", style="", hints="")],
)  # fmt: skip
def test_what_is_left_out(fields: Fields) -> None:
    assert fields.optional_integer("seed", range(10)) is None
    assert fields.integer("seed", 3, range(10)) == 3
    assert fields.number("shift", 0.5, 100) == 0.5
    assert fields.choice("style", "pured", ("pured",)) == "pured"
    assert fields.hints("hints") is None
    assert code_of(lambda: fields.grey("line")) == "missing_field"
    assert code_of(lambda: fields.rgb("style")) == "missing_field"


@pytest.mark.parametrize("value", [10, -1, 1.0, 1.5, "1", "x", True, [], {}, 10**400])
def test_no_such_integer(value: object) -> None:
    fields = of_json(json.dumps({"seed": value}))
    assert code_of(lambda: fields.optional_integer("seed", range(10))) == "bad_field"


@pytest.mark.parametrize("value", ["10", "-1", "1.0", "x", "true", "[]", "NaN", "9" * 9999, b"1"])
def test_no_such_integer_in_a_form(value: object) -> None:
    fields = of_form(seed=(io.BytesIO(value), "seed") if isinstance(value, bytes) else value)
    assert code_of(lambda: fields.optional_integer("seed", range(10))) == "bad_field"


@pytest.mark.parametrize("value", ["101", "-100.1", "1e999", '"1"', "true", "[1]", "1" + "0" * 400])
def test_no_such_number(value: str) -> None:
    fields = of_json(f'{{"shift": {value}}}')
    assert code_of(lambda: fields.number("shift", 0, 100)) == "bad_field"


@pytest.mark.parametrize("value", ["sketchy", 1, ["pured"], {"pured": 1}])
def test_no_such_choice(value: object) -> None:
    fields = of_json(json.dumps({"style": value}))
    assert code_of(lambda: fields.choice("style", "pured", ("pured",))) == "bad_field"
    if not isinstance(value, str):
        assert code_of(lambda: fields.text("style", "pured")) == "bad_field"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff\xfe\x00", b'{"shift": NaN}', b"[" * 40_000,
     b'{"a":' * 8_000, b"9" * 9_000, b'{"a": 1} x', b"{'a': 1}"],
)  # fmt: skip
def test_wrong_json(body: bytes) -> None:
    assert code_of(lambda: of_json(body)) == "wrong_json"


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "image/png", "application/x-www-form-urlencoded"]
)
def test_wrong_content_type(kind: str) -> None:
    assert code_of(lambda: of_json(b"{}", kind)) == "wrong_content_type"


def test_a_charset_is_allowed() -> None:
    of_json(b"{}", "application/json; charset=utf-8").only()


def test_unknown_fields_are_refused_even_if_empty() -> None:
    for fields in (of_json('{"lines": null}'), of_form(lines=""), of_json('{"\\ud800": 1}')):
        assert code_of(lambda fields=fields: fields.only("line")) == "unknown_field"  # type: ignore[misc]
    long = of_json(json.dumps({"x" * 10_000: 1}))
    assert code_of(lambda: long.only("line")) == "unknown_field"


@pytest.mark.parametrize("head", ["", "data:image/png;base64,", "DATA:image/svg+xml;BASE64,"])
def test_a_picture_as_base64(head: str) -> None:
    for fields in both(line=head + TEXT):
        assert (fields.grey("line") == LINE).all()
        assert fields.rgb("line").shape == (30, 20, 3)


def test_a_picture_as_a_file() -> None:
    fields = of_form(line=(io.BytesIO(PNG), "line.png"))
    assert (fields.grey("line") == LINE).all()


@pytest.mark.parametrize(
    "text", ["hello!", "data:text/html;base64," + TEXT, TEXT[:-1], "äöü", " " + TEXT, "data:,"]
)
def test_no_base64(text: str) -> None:
    for fields in both(line=text):
        assert code_of(lambda fields=fields: fields.grey("line")) == "not_base64"  # type: ignore[misc]


@pytest.mark.parametrize("value", [1, True, [TEXT], {"png": TEXT}])
def test_a_picture_of_a_wrong_type(value: object) -> None:
    fields = of_json(json.dumps({"line": value}))
    assert code_of(lambda: fields.grey("line")) == "bad_field"


def test_a_field_that_is_there_twice() -> None:
    assert code_of(lambda: of_form(seed=["1", "2"])) == "bad_field"
    twice = {"line": [(io.BytesIO(PNG), "a.png"), (io.BytesIO(PNG), "b.png")]}
    assert code_of(lambda: of_form(**twice)) == "bad_field"


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", ""),
        (b"", "; boundary=x"),
        (b"hello", "; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', "; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", "; boundary=x"),
        (b"--x--", "; boundary=\xc3\xa4"),
    ],
)  # fmt: skip
def test_half_a_form(body: bytes, boundary: str) -> None:
    assert code_of(lambda: of_json(body, "multipart/form-data" + boundary)) == "wrong_form"


def test_a_body_beyond_its_limit() -> None:
    for build in (
        lambda: of_json(b" " * 50_001),
        lambda: of_form(line=(io.BytesIO(bytes(50_001)), "x.png")),
        lambda: of_form(**{f"field{index}": "x" for index in range(40)}),
    ):
        with pytest.raises(RequestEntityTooLarge):
            build()


def test_files_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    head = b'--x\r\nContent-Disposition: form-data; name="line"; filename="x.png"\r\n\r\n'
    body = head + bytes(3_000_000) + b"\r\n--x--\r\n"
    large = request(method="POST", input_stream=io.BytesIO(body), content_length=len(body),
                    content_type="multipart/form-data; boundary=x")  # fmt: skip
    large.max_content_length = 4_000_000
    assert code_of(lambda: read(large, LIMITS).grey("line")) == "not_a_picture"


@given(st.binary(max_size=200))
def test_bytes_of_any_kind(body: bytes) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x"):
        with contextlib.suppress(Problem):
            of_json(body, kind)
