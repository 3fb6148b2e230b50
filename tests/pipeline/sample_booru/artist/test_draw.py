from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from pipeline.sample_booru.artist.character import Character, character
from pipeline.sample_booru.artist.draw import draw, draw_character

IDS = range(1, 9)
KNOWN = {
    7: ("a3c78f", "purple_eyes", "coat", "upper_body", 750, 1060, -0.050939),
    1500032: ("b8453f", "purple_eyes", "shirt", "full_body", 650, 1150, 0.44),
    2736037: ("9a6a4a", "pink_eyes", "sweater", "upper_body", 1000, 1000, -0.213501),
}


def small(person: Character) -> Character:
    """Return the same person on a smaller picture, which is drawn faster."""
    return dataclasses.replace(person, width=person.width // 2, height=person.height // 2)


def grey(color: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)


def test_drawing_depends_only_on_id_and_seed() -> None:
    first = draw(5)
    draw(6)
    again = draw(5)
    assert np.array_equal(first.color, again.color)
    assert np.array_equal(first.line, again.line)
    assert character(5, seed=1) != character(5)
    other = dataclasses.replace(
        character(5), face=dataclasses.replace(character(5).face, blush=True, eyes="red_eyes")
    )
    assert not np.array_equal(draw_character(other).color, first.color)


@pytest.mark.parametrize("post_id", IDS)
def test_drawing_has_the_documented_shapes_and_dtypes(post_id: int) -> None:
    person = character(post_id)
    drawing = draw_character(person)
    assert drawing.color.shape == (person.height, person.width, 3)
    assert drawing.line.shape == (person.height, person.width)
    assert drawing.color.dtype == drawing.line.dtype == np.uint8
    share = float((drawing.line < 128).mean())
    assert 0.01 < share < 0.12, "lines, but no blackened picture"


@pytest.mark.parametrize("post_id", IDS)
def test_ink_is_on_dark_pixels_of_the_picture(post_id: int) -> None:
    drawing = draw(post_id)
    ink = grey(drawing.color)[drawing.line < 40]
    assert np.median(ink) < 70
    assert float((ink > 150).mean()) < 0.02


@pytest.mark.parametrize("post_id", IDS)
def test_line_art_is_aligned_to_the_pixel(post_id: int) -> None:
    """Shifted by a pixel in any direction, the ink is on brighter pixels than before."""
    drawing = draw(post_id)
    bright, ink = grey(drawing.color).astype(float), drawing.line < 40
    aligned = bright[ink].mean()
    for axis in (0, 1):
        for step in (-1, 1):
            assert bright[np.roll(ink, step, axis)].mean() > aligned


def test_line_art_does_not_depend_on_the_background() -> None:
    person = small(character(3))
    plain = draw_character(dataclasses.replace(person, background="white"))
    for background in ("plain", "gradient", "dots", "sky", "stripes", "petals"):
        other = draw_character(dataclasses.replace(person, background=background))
        assert np.array_equal(plain.line, other.line)
        assert not np.array_equal(plain.color, other.color)


@pytest.mark.parametrize("framing", ["portrait", "upper_body", "cowboy_shot", "full_body"])
@pytest.mark.parametrize("post_id", [11, 12, 13])
def test_every_framing_contains_the_head(post_id: int, framing: str) -> None:
    person = dataclasses.replace(
        small(character(post_id)),
        framing=framing,
        background="white",
        width=400,
        height=500,
        zoom=0.97,
    )
    drawing = draw_character(person)
    assert (drawing.color[2] > 250).mean() > 0.5, "air above the head"
    blank_below = drawing.line[-4:].min() == 255
    assert blank_below == (framing == "full_body"), "only a full figure ends above the lower edge"


@pytest.mark.parametrize("post_id", KNOWN)
def test_character_does_not_depend_on_library_versions(post_id: int) -> None:
    person = character(post_id)
    choices = (person.hair.tone, person.face.eyes, person.outfit.top, person.framing)
    assert (*choices, person.width, person.height, round(person.yaw, 6)) == KNOWN[post_id]
