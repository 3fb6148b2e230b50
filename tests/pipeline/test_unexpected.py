"""Errors that nobody foresaw."""

import logging

import pytest

from pipeline.picture import PictureError
from pipeline.unexpected import UNEXPECTED, as_picture_error, log
from sketch_models.errors import ConfigError


def test_unforeseen_error_is_the_pictures_and_a_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(PictureError) as raised, as_picture_error(17):
        int("9" * 5000)
    assert raised.value.code == UNEXPECTED
    assert raised.value.detail.startswith("ValueError in test_unexpected.py, line ")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("senga", logging.WARNING)
    assert record.getMessage() == f"picture 17: unexpected: {raised.value.detail}"


@pytest.mark.parametrize(
    "error",
    [
        PictureError("broken"),
        ConfigError("x"),
        OSError(28, "No space left on device"),
        MemoryError(),
        KeyboardInterrupt(),
    ],
)
def test_foreseen_errors_stay_what_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, as_picture_error(17):
        raise error
    assert raised.value is error


def test_description_is_one_short_line() -> None:
    try:
        raise RuntimeError("a\nb" * 5000)
    except RuntimeError as error:
        detail = log("x", error)
    assert "\n" not in detail
    assert len(detail) == 300
