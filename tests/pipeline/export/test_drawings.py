"""Which drawings are exported, and under which names."""

import re

import pytest

from pipeline.export.drawings import choose_drawings
from pipeline.export.options import ExportOptions
from sketch_models.errors import ConfigError

LINES = ["_tracer_512", "_tracer_768", "_xdog_512", "_xdog_768"]
SKETCHES = ["_tracer", "_xdog"]


def names_of(made: list[str], drawn: list[str], **options: object) -> dict[str, str]:
    chosen = choose_drawings(made, drawn, ExportOptions(**options))  # type: ignore[arg-type]
    return dict(chosen.names)


def test_single_drawings_have_the_name_of_their_kind() -> None:
    assert names_of([""], [""], sketches=("pured",)) == {
        "line/original": "line",
        "sketch/pured": "sketch",
    }
    assert names_of([""], [""], format="folders") == {"line/original": "sketch"}
    assert names_of([""], [""], format="controlnet", lines=(), sketches=("pured",)) == {
        "sketch/pured": "conditioning_image"
    }


def test_several_drawings_have_the_names_of_style_and_variant() -> None:
    assert names_of([""], [""], lines=("original", "pured")) == {
        "line/original": "line_original",
        "line/pured": "line_pured",
    }
    assert names_of(["_512", "_768"], [""]) == {
        "line/original_512": "line_original_512",
        "line/original_768": "line_original_768",
    }


def test_variant_chooses_the_line_art_and_the_sketches_that_it_is_from() -> None:
    chosen = choose_drawings(
        LINES, SKETCHES, ExportOptions(variant="xdog_768", sketches=("original",))
    )
    assert chosen.names == {
        "line/original_xdog_768": "line",
        "sketch/original_xdog": "sketch",
    }
    assert (chosen.lines, chosen.sketches) == (("_xdog_768",), ("_xdog",))


def test_tars_that_are_not_needed_are_not_opened() -> None:
    chosen = choose_drawings([""], [""], ExportOptions(lines=(), sketches=("original",)))
    assert (chosen.lines, chosen.sketches) == ((), ("",))
    assert choose_drawings([""], [""], ExportOptions()).sketches == ()


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (
            LINES,
            {"variant": "tracer"},
            "[export] variant = tracer: expected one of tracer_512, tracer_768, xdog_512, "
            "xdog_768.",
        ),
        (
            [""],
            {"variant": "tracer"},
            "[export] variant = tracer: expected nothing: there is one variant only.",
        ),
        (
            LINES,
            {"format": "controlnet"},
            "[export] variant is not set: format = controlnet has one drawing per picture, and "
            "there are the variants tracer_512, tracer_768, xdog_512, xdog_768. Choose one.",
        ),
    ],
)
def test_variant_that_cannot_be_used_is_one_sentence(
    lines: list[str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        names_of(lines, SKETCHES if len(lines) > 1 else [""], **options)
