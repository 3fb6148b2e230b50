"""Options name themselves when they are wrong."""

from dataclasses import dataclass, fields

import pytest

from sketch_models.option import OptionError, option, require


@dataclass(frozen=True, kw_only=True)
class Paint:
    width: int = option(3, "of the brush, in pixels")
    threads: int = option(0, "how many", affects_result=False)


def test_a_field_knows_its_default_and_what_it_means() -> None:
    assert Paint() == Paint(width=3, threads=0)
    width, threads = fields(Paint)
    assert width.metadata == {"help": "of the brush, in pixels", "affects_result": True}
    assert not threads.metadata["affects_result"]


def test_a_wrong_value_is_one_sentence() -> None:
    require(True, "[paint] width", 3, "anything")
    with pytest.raises(OptionError, match=r"^\[paint\] width = -1: expected a number above 0\.$"):
        require(False, "[paint] width", -1, "a number above 0")
