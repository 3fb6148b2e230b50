"""What the section `[export]` refuses, in one sentence each."""

import pytest

from pipeline.export.options import ExportOptions
from sketch_models.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"format": "tfrecord"},
            "[export] format = tfrecord: expected one of imagefolder, webdataset, parquet, "
            "controlnet, folders.",
        ),
        (
            {"size": 8},
            "[export] size = 8: expected 16 pixels or more, or 0.",
        ),
        (
            {"shape": "pad"},
            "[export] size = 0: expected 16 pixels or more with shape = pad.",
        ),
        (
            {"size": 9000},
            "[export] size = 9000: expected a whole number of pixels from 0 to 8,192.",
        ),
        (
            {"lines": ()},
            "[export] lines = '': expected one or more of original, enhanced, pured, or some "
            "sketches.",
        ),
        (
            {"format": "controlnet", "lines": ("original", "pured")},
            "[export] lines = original pured: expected one style of lines or of sketches with "
            "format = controlnet, which has one drawing per picture.",
        ),
        (
            {"format": "folders", "sketches": ("pured",)},
            "[export] lines = original and sketches pured: expected one style of lines or of "
            "sketches with format = folders, which has one drawing per picture.",
        ),
        (
            {"format": "folders", "picture": "jpg"},
            "[export] picture = jpg: expected png with format = folders.",
        ),
        (
            {"caption_kinds": ("general", "species")},
            "[export] caption_kinds = general species: expected any of general, character, "
            "copyright, artist, meta, each once.",
        ),
        (
            {"caption_order": "random"},
            "[export] caption_order = random: expected one of post, sorted, kinds.",
        ),
    ],
)
def test_option_that_cannot_be_used_is_one_sentence(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        ExportOptions(**options)  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("options", "white"),
    [
        ({}, False),
        ({"format": "controlnet"}, True),
        ({"format": "controlnet", "ink": "black"}, False),
        ({"format": "parquet", "ink": "white"}, True),
    ],
)
def test_lines_are_white_for_controlnet_unless_the_option_says_otherwise(
    options: dict[str, object], white: bool
) -> None:
    assert ExportOptions(**options).white_lines is white  # type: ignore[arg-type]
