"""The fields of JSON and form requests."""

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

from pipeline.demo.api_error import ApiError
from pipeline.demo.fields import Fields, read_fields
from pipeline.demo.pictures import PictureLimits
from pipeline.picture import encode_png

LIMITS = PictureLimits(max_pixels=10_000, min_side=16)
LINE = np.random.default_rng(0).integers(0, 256, (30, 20), dtype=np.uint8)
PNG = encode_png(LINE)
TEXT = base64.b64encode(PNG).decode()


def from_json(body: bytes | str, media_type: str = "application/json") -> Fields:
    body = body.encode() if isinstance(body, str) else body
    sent = request(
        method="POST",
        input_stream=io.BytesIO(body),
        content_type=media_type,
        content_length=len(body),
    )
    return read_fields(sent, LIMITS)


def from_form(**fields: Any) -> Fields:
    return read_fields(
        request(method="POST", data=fields, content_type="multipart/form-data"), LIMITS
    )


def request(**options: Any) -> Request:
    made = Request(EnvironBuilder(**options).get_environ())
    made.max_content_length = 50_000
    return made


def from_both(**fields: Any) -> list[Fields]:
    """The same fields from JSON and from a form."""
    return [from_json(json.dumps(fields)), from_form(**{key: str(fields[key]) for key in fields})]


def error_code(read: Callable[[], object]) -> str:
    with pytest.raises(ApiError) as refused:
        read()
    assert refused.value.message.endswith(".")
    assert len(refused.value.message) < 300
    return refused.value.code


def test_numbers_and_texts_are_read() -> None:
    for fields in from_both(seed=7, shift=-1.5, style="pured", model="xdog"):
        assert fields.optional_integer("seed", range(10)) == 7
        assert fields.integer("seed", 1, range(10)) == 7
        assert fields.number("shift", 0, 100) == -1.5
        assert fields.number("seed", 0, 100) == 7.0
        assert fields.choice("style", "original", ("original", "pured")) == "pured"
        assert fields.text("model", "") == "xdog"
        fields.reject_unknown("seed", "shift", "style", "model", "size")


@pytest.mark.parametrize(
    "fields",
    [from_json("{}"), from_json('{"seed": null, "shift": null, "style": null, "hints": null}'),
     from_form(seed="", shift="", style="", hints="")],
)  # fmt: skip
def test_missing_fields_have_defaults(fields: Fields) -> None:
    assert fields.optional_integer("seed", range(10)) is None
    assert fields.integer("seed", 3, range(10)) == 3
    assert fields.number("shift", 0.5, 100) == 0.5
    assert fields.choice("style", "pured", ("pured",)) == "pured"
    assert fields.hints("hints") is None
    assert error_code(lambda: fields.grey("line")) == "missing_field"
    assert error_code(lambda: fields.rgb("style")) == "missing_field"


@pytest.mark.parametrize("value", [10, -1, 1.0, 1.5, "1", "x", True, [], {}, 10**400])
def test_wrong_integer_is_refused(value: object) -> None:
    fields = from_json(json.dumps({"seed": value}))
    assert error_code(lambda: fields.optional_integer("seed", range(10))) == "bad_field"


@pytest.mark.parametrize(
    "value",
    ["10", "-1", "1.0", "x", "true", "[]", "NaN", "9" * 9999, "[" * 9999, '{"a":' * 9000, b"1"],
)
def test_wrong_integer_in_a_form_is_refused(value: object) -> None:
    fields = from_form(seed=(io.BytesIO(value), "seed") if isinstance(value, bytes) else value)
    assert error_code(lambda: fields.optional_integer("seed", range(10))) == "bad_field"


@pytest.mark.parametrize("value", ["101", "-100.1", "1e999", '"1"', "true", "[1]", "1" + "0" * 400])
def test_wrong_number_is_refused(value: str) -> None:
    fields = from_json(f'{{"shift": {value}}}')
    assert error_code(lambda: fields.number("shift", 0, 100)) == "bad_field"


@pytest.mark.parametrize("value", ["sketchy", 1, ["pured"], {"pured": 1}])
def test_unknown_choice_is_refused(value: object) -> None:
    fields = from_json(json.dumps({"style": value}))
    assert error_code(lambda: fields.choice("style", "pured", ("pured",))) == "bad_field"
    if not isinstance(value, str):
        assert error_code(lambda: fields.text("style", "pured")) == "bad_field"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff\xfe\x00", b'{"shift": NaN}', b"[" * 40_000,
     b'{"a":' * 8_000, b"9" * 9_000, b'{"a": 1} x', b"{'a': 1}"],
)  # fmt: skip
def test_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    assert error_code(lambda: from_json(body)) == "wrong_json"


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "image/png", "application/x-www-form-urlencoded"]
)
def test_other_content_types_are_refused(media_type: str) -> None:
    assert error_code(lambda: from_json(b"{}", media_type)) == "wrong_content_type"


def test_content_type_with_charset_is_accepted() -> None:
    from_json(b"{}", "application/json; charset=utf-8").reject_unknown()


def test_unknown_fields_are_refused_even_if_empty() -> None:
    for fields in (from_json('{"lines": null}'), from_form(lines=""), from_json('{"\\ud800": 1}')):
        assert error_code(lambda fields=fields: fields.reject_unknown("line")) == "unknown_field"  # type: ignore[misc]
    long = from_json(json.dumps({"x" * 10_000: 1}))
    assert error_code(lambda: long.reject_unknown("line")) == "unknown_field"


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "DATA:image/svg+xml;BASE64,"])
def test_picture_as_base64_or_data_url_is_read(prefix: str) -> None:
    for fields in from_both(line=prefix + TEXT):
        assert (fields.grey("line") == LINE).all()
        assert fields.rgb("line").shape == (30, 20, 3)


def test_picture_as_a_file_is_read() -> None:
    fields = from_form(line=(io.BytesIO(PNG), "line.png"))
    assert (fields.grey("line") == LINE).all()


@pytest.mark.parametrize(
    "text", ["hello!", "data:text/html;base64," + TEXT, TEXT[:-1], "äöü", " " + TEXT, "data:,"]
)
def test_text_that_is_not_base64_is_refused(text: str) -> None:
    for fields in from_both(line=text):
        assert error_code(lambda fields=fields: fields.grey("line")) == "not_base64"  # type: ignore[misc]


@pytest.mark.parametrize("value", [1, True, [TEXT], {"png": TEXT}])
def test_picture_of_a_wrong_json_type_is_refused(value: object) -> None:
    fields = from_json(json.dumps({"line": value}))
    assert error_code(lambda: fields.grey("line")) == "bad_field"


def test_field_given_twice_is_refused() -> None:
    assert error_code(lambda: from_form(seed=["1", "2"])) == "bad_field"
    twice = {"line": [(io.BytesIO(PNG), "a.png"), (io.BytesIO(PNG), "b.png")]}
    assert error_code(lambda: from_form(**twice)) == "bad_field"


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
def test_incomplete_form_is_refused(body: bytes, boundary: str) -> None:
    assert error_code(lambda: from_json(body, "multipart/form-data" + boundary)) == "wrong_form"


def test_body_larger_than_the_limit_is_refused() -> None:
    for build in (
        lambda: from_json(b" " * 50_001),
        lambda: from_form(line=(io.BytesIO(bytes(50_001)), "x.png")),
    ):
        with pytest.raises(RequestEntityTooLarge):
            build()


def test_form_of_too_many_parts_is_refused_as_such() -> None:
    with pytest.raises(ApiError, match="more than 32 parts") as refused:
        from_form(**{f"field{index}": "x" for index in range(40)})
    assert refused.value.code == "wrong_form"


def test_files_are_not_written_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert error_code(lambda: read_fields(large, LIMITS).grey("line")) == "not_a_picture"


@given(st.binary(max_size=200))
def test_any_bytes_give_fields_or_an_error(body: bytes) -> None:
    for media_type in ("application/json", "multipart/form-data; boundary=x"):
        with contextlib.suppress(ApiError):
            from_json(body, media_type)


def test_error_repeats_no_more_than_40_characters_of_a_request() -> None:
    fields = from_json(json.dumps({"x" * 10_000: "z" * 10_000}))
    with pytest.raises(ApiError) as unknown:
        fields.reject_unknown("line")
    assert unknown.value.message.count("x") == 40
    with pytest.raises(ApiError) as wrong:
        from_json(json.dumps({"line": "z" * 10_000})).choice("line", "a", ("a", "b"))
    assert wrong.value.message.count("z") == 40
