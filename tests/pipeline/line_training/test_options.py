"""Options that cannot be used together; settings of one network alone."""

import pytest

from pipeline.line_training.options import LineOptions
from sketch_models.errors import ConfigError


def test_size_must_fit_both_networks() -> None:
    assert LineOptions(size=96).size == 96
    with pytest.raises(ConfigError, match=r"\[lines\] size = 80: expected a multiple of 32, as tr"):
        LineOptions(size=80)
    with pytest.raises(ConfigError, match=r"multiple of 64, as inker_widths has 6 scales"):
        LineOptions(size=96, inker_widths=(4,) * 6)


def test_batch_has_every_view_of_its_pages() -> None:
    with pytest.raises(ConfigError, match=r"batch_size = 9: expected a multiple of views, .* 2\."):
        LineOptions(batch_size=9, views=2)


def test_settings_are_those_of_one_network() -> None:
    tracer, inker = (LineOptions().settings(name) for name in ("tracer", "inker"))
    assert tracer["tracer_widths"] == [24, 48, 96, 128, 160]
    assert not any(key.startswith("inker") for key in tracer)
    assert not any(key.startswith("tracer") for key in inker)
    assert "num_workers" not in tracer
    assert LineOptions(tracer_widths=(4, 8)).settings("inker") == inker
    assert LineOptions(tracer_gamma=2).settings("tracer") != tracer
