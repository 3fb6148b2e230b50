from __future__ import annotations

import colorsys
import dataclasses

import numpy as np
import pytest

from pipeline.sample_booru.artist.character import Character, character
from pipeline.sample_booru.artist.draw import draw_character
from pipeline.sample_booru.artist.palette import EYES, HAIR, rgb
from pipeline.sample_booru.tags import visible_tags


def test_tags_are_sorted_unique_and_well_formed() -> None:
    for post_id in range(300):
        tags = visible_tags(character(post_id))
        assert tags == sorted(set(tags))
        assert "solo" in tags
        assert all(tag and tag == tag.lower() and not set(tag) & set(' ,"\t') for tag in tags)


def test_tags_have_one_framing_one_hair_colour_and_one_eye_colour() -> None:
    for post_id in range(300):
        tags = set(visible_tags(character(post_id)))
        assert len(tags & {"portrait", "upper_body", "cowboy_shot", "full_body"}) == 1
        assert len(tags & set(HAIR)) == 1
        assert len(tags & set(EYES)) == (0 if "closed_eyes" in tags else 1)
        assert len(tags & {"1girl", "1boy"}) == 1


@pytest.mark.parametrize("post_id", [2, 6, 10, 18, 23])
def test_tagged_colours_are_in_the_picture(post_id: int) -> None:
    person = dataclasses.replace(character(post_id), framing="portrait", width=400, height=400)
    color = draw_character(person).color.reshape(-1, 3).astype(int)
    tags = visible_tags(person)
    expected = [rgb(person.hair.tone)]
    expected += [rgb(EYES[tag]) for tag in tags if tag in EYES]
    for tone in expected:
        distance = np.abs(color - np.array(tone)).sum(axis=1)
        assert (distance < 60).sum() > 40, tone


def _share_of_white(person: Character) -> float:
    color = draw_character(dataclasses.replace(person, width=300, height=400)).color
    return float((color[:, :8] == 255).all(axis=2).mean())


@pytest.mark.parametrize("background", ["white", "plain", "gradient", "sky", "stripes", "petals"])
def test_white_background_is_tagged_exactly_if_it_is_white(background: str) -> None:
    person = dataclasses.replace(character(4), background=background, arms=("back", "back"))
    tagged = "white_background" in visible_tags(person)
    assert tagged == (background == "white")
    assert (_share_of_white(person) > 0.5) == tagged


@pytest.mark.parametrize(
    ("change", "tag"),
    [
        ({"glasses": True}, "glasses"),
        ({"blush": True}, "blush"),
        ({"state": "closed"}, "closed_eyes"),
        ({"mouth": "grin"}, "grin"),
        ({"mole": True}, "mole"),
    ],
)
def test_tag_of_the_face_changes_only_the_face(change: dict[str, object], tag: str) -> None:
    person = dataclasses.replace(character(8), framing="portrait", width=360, height=360)
    off = {"glasses": False, "blush": False, "mole": False, "fang": False}
    plain = dataclasses.replace(person.face, state="open", mouth="flat", **off)
    before = dataclasses.replace(person, face=plain)
    after = dataclasses.replace(person, face=dataclasses.replace(plain, **change))
    assert tag not in visible_tags(before)
    assert tag in visible_tags(after)
    changed = (draw_character(before).color != draw_character(after).color).any(axis=2)
    assert changed.sum() > 20
    rows = np.nonzero(changed)[0]
    assert rows.min() > 60, "nothing above the face has changed"


def test_hair_tones_have_the_hue_of_their_names() -> None:
    hues = {
        "red_hair": (340, 20),
        "orange_hair": (15, 45),
        "blonde_hair": (35, 60),
        "green_hair": (80, 170),
        "aqua_hair": (165, 195),
        "blue_hair": (200, 235),
        "purple_hair": (245, 290),
        "pink_hair": (335, 355),
    }
    for name, (low, high) in hues.items():
        for tone in HAIR[name]:
            hue = 360 * colorsys.rgb_to_hsv(*(c / 255 for c in rgb(tone)))[0]
            assert low <= hue <= high or (low > high and (hue >= low or hue <= high)), (name, tone)
