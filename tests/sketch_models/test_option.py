"""Options know their help, bounds and section, and name themselves when they are wrong."""

import math
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sketch_models.errors import ConfigError, SengaError
from sketch_models.option import (
    Limits,
    Options,
    local_path,
    nearest,
    option,
    renamed_keys,
    settings_of,
    text_of,
    types_of,
)


@dataclass(frozen=True, kw_only=True)
class BrushOptions(Options, section="brush"):
    width: int = option(3, "of the brush", at_least=1, at_most=4096, unit="pixels")
    ink: float = option(0.5, "share of ink", above=0, below=1, renamed_from="wetness")
    tip: str = option(
        "round", "round or flat", choices=("round", "flat"), renamed_choices={"blunt": "flat"}
    )
    sizes: tuple[int, ...] = option((), "sizes to draw at", at_least=8, unique=True)
    colors: tuple[str, ...] = option(
        ("red",), "colours to use", choices=("red", "blue"), not_empty=True
    )
    wet: bool = option(False, "paint on wet paper")
    threads: int = option(0, "painters at once", affects_result=False, at_least=0)


@dataclass(frozen=True, kw_only=True)
class FlagOptions(Options):
    max_size: int = option(3, "of a picture", at_least=1)


def test_field_knows_its_default_and_help() -> None:
    assert BrushOptions() == BrushOptions(width=3, threads=0)
    width = fields(BrushOptions)[0]
    assert width.metadata["help"] == "of the brush"
    assert width.metadata["limits"] == Limits(at_least=1, at_most=4096, unit="pixels")


def test_limits_with_a_typo_are_refused() -> None:
    with pytest.raises(TypeError, match="at_leats"):
        option(3, "of the brush", at_leats=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0}, "[brush] width = 0: expected a whole number of pixels from 1 to 4,096."),
        ({"width": 4097}, "[brush] width = 4097: expected a whole number of pixels"),
        ({"width": 2.5}, "[brush] width = 2.5: expected a whole number of pixels"),
        ({"width": "3"}, "[brush] width = 3: expected a whole number of pixels"),
        ({"width": True}, "[brush] width = true: expected a whole number of pixels"),
        ({"ink": 0.0}, "[brush] ink = 0.0: expected a number above 0 and below 1."),
        ({"ink": 1.0}, "[brush] ink = 1.0: expected a number above 0 and below 1."),
        ({"ink": math.nan}, "[brush] ink = nan: expected a number above 0 and below 1."),
        ({"tip": "sharp"}, "[brush] tip = sharp: expected one of round, flat."),
        ({"tip": ""}, "[brush] tip = '': expected one of round, flat."),
        ({"sizes": (8, 7)}, "[brush] sizes = 8 7: expected whole numbers of 8 or more, each once."),
        ({"sizes": (8, 8)}, "[brush] sizes = 8 8: expected whole numbers of 8 or more, each once."),
        ({"sizes": [8]}, "[brush] sizes = [8]: expected whole numbers of 8 or more, each once."),
        ({"colors": ()}, "[brush] colors = '': expected one or more of red, blue."),
        ({"colors": ("red", "pink")}, "[brush] colors = red pink: expected one or more of"),
        ({"wet": 1}, "[brush] wet = 1: expected true or false."),
        ({"threads": -1}, "[brush] threads = -1: expected a whole number of 0 or more."),
    ],
)
def test_wrong_value_is_one_message(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        BrushOptions(**values)  # type: ignore[arg-type]
    assert str(raised.value).startswith(message)
    assert isinstance(raised.value, SengaError)


def test_whole_number_is_a_number() -> None:
    assert replace(BrushOptions(), ink=0.25).ink == 0.25
    assert Limits(above=0).allow(1)


def test_option_without_a_section_is_a_flag() -> None:
    with pytest.raises(ConfigError, match=r"^--max-size = 0: expected a whole number of 1 or more"):
        FlagOptions(max_size=0)


def test_only_what_affects_the_result_is_in_the_settings() -> None:
    settings = settings_of(BrushOptions(sizes=(8, 16)))
    assert "threads" not in settings
    assert settings["sizes"] == [8, 16]
    assert settings["width"] == 3


def test_renamed_keys_lead_from_the_old_name_to_the_new() -> None:
    assert renamed_keys(BrushOptions) == {"wetness": "ink"}


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (3, "3"), ((), ""), ((8, 16), "8 16"), ("a", "a")]
)
def test_text_of_a_value(value: object, text: str) -> None:
    assert text_of(value) == text


def test_types_are_those_of_the_annotations() -> None:
    assert types_of(BrushOptions)["sizes"] == tuple[int, ...]
    assert types_of(BrushOptions)["ink"] is float


@example(value=math.inf, low=0, high=1)
@example(value=-math.inf, low=0, high=1)
@example(value=math.nan, low=0, high=1)
@given(
    value=st.floats(allow_nan=True, allow_infinity=True),
    low=st.floats(-10, 0),
    high=st.floats(0, 10),
)
def test_bounds_allow_what_lies_between_them(value: float, low: float, high: float) -> None:
    assert Limits(at_least=low, at_most=high).allow(value) == (low <= value <= high)
    assert Limits(above=low, below=high).allow(value) == (low < value < high)
    assert Limits().allow(value) == math.isfinite(value)


def test_path_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/mina")
    assert local_path("~/art") == Path("/home/mina/art")
    assert local_path("~nobody-of-that-name/art") == Path("~nobody-of-that-name/art")
    for address in ("s3://bucket/art", "s3:/bucket", "https://example.org", "hf+x://a"):
        with pytest.raises(ConfigError, match=f"^{re.escape(address)}: expected a path on this"):
            local_path(address)


def test_nearest_choice_is_suggested_whatever_the_case() -> None:
    assert nearest("Pack-Siez", ["pack-size", "size"]) == " Did you mean pack-size?"
    assert nearest("zzz", ["pack-size", "size"]) == ""
