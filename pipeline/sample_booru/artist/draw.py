"""Draw the picture of a post and its line art."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.sample_booru.artist.accessories import draw_accessory, draw_accessory_behind
from pipeline.sample_booru.artist.background import draw_background
from pipeline.sample_booru.artist.body import SOLE, arm, bend, draw_neck
from pipeline.sample_booru.artist.canvas import OVERSAMPLING, Canvas
from pipeline.sample_booru.artist.character import Character, character
from pipeline.sample_booru.artist.collars import draw_collar
from pipeline.sample_booru.artist.curve import Points, ellipse
from pipeline.sample_booru.artist.face import (
    draw_brows,
    draw_ears,
    draw_face,
    draw_glasses,
    draw_temples,
)
from pipeline.sample_booru.artist.fringe import draw_fringe, fringe
from pipeline.sample_booru.artist.hair import (
    draw_back_hair,
    draw_buns,
    draw_tails_behind,
    draw_tails_in_front,
    draw_tufts,
)
from pipeline.sample_booru.artist.lower import draw_lower_body
from pipeline.sample_booru.artist.palette import Color, material, mix, rgb
from pipeline.sample_booru.artist.sleeves import draw_arm, draw_forearm
from pipeline.sample_booru.artist.trunk import draw_trunk
from pipeline.sample_booru.artist.wardrobe import outfit_fabrics, outfit_sleeve

# Top and bottom of each framing, in head units.
FRAMINGS = {
    "portrait": (-1.75, 2.35),
    "upper_body": (-1.85, 3.9),
    "cowboy_shot": (-1.95, 6.9),
    "full_body": (-1.95, 11.95),
}
SPECTACLES = rgb("3a3038")
_NECK = np.array([0.0, 1.05])  # pivot of the head, in body units


@dataclass(frozen=True)
class Drawing:
    """A picture and its line art, aligned pixel by pixel."""

    color: NDArray[np.uint8]  # (H, W, 3) RGB
    line: NDArray[np.uint8]  # (H, W), 0 ink, 255 paper


def draw(post_id: int, seed: int = 0) -> Drawing:
    """Return the drawing of a post, the same on every machine."""
    return draw_character(character(post_id, seed))


def draw_character(person: Character) -> Drawing:
    """Return the drawing of a character."""
    size = (person.width, person.height)
    shape = (person.height * OVERSAMPLING, person.width * OVERSAMPLING)
    paper = Canvas(
        color=np.empty((*shape, 3), np.uint8),
        line=np.empty(shape, np.uint8),
        transform=lambda points: points * OVERSAMPLING,
        line_width=_line_width(person),
    )
    draw_background(paper, person, size)
    draw_figure(paper, person)
    return Drawing(
        color=_shrink(paper.color, size),
        line=_shrink(paper.line, size),
    )


def _shrink(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _line_width(person: Character) -> float:
    """Return the width of a normal line, which is thinner if the figure is small."""
    top, bottom = FRAMINGS[person.framing]
    unit = person.height / (bottom - top)
    return OVERSAMPLING * float(np.clip(1.55 + unit / 135, 1.9, 3.6))


def _to_pixels(person: Character, points: Points) -> Points:
    """Map body units to pixels of the finished picture."""
    top, bottom = FRAMINGS[person.framing]
    unit = min(person.height / (bottom - top), person.width / 3.3) * person.zoom
    bare = person.outfit.accessory in ("none", "hairclip", "flower")
    hatless = bare and not person.hair.ahoge
    if hatless and person.framing in ("upper_body", "portrait"):
        top += 0.25
    pivot = np.array([0.0, min(bottom, 9.0)])
    leaning = _rotate(points - pivot, person.lean) + pivot
    middle = person.width * (0.5 + person.aside - 0.02 * person.turn)
    placed: Points = (leaning - np.array([0.0, top])) * unit + np.array([middle, 0.0])
    return placed


def _rotate(points: Points, angle: float) -> Points:
    c, s = np.cos(angle), np.sin(angle)
    rotated: Points = points @ np.array([[c, s], [-s, c]])
    return rotated


def _blow_in_wind(person: Character, points: Points) -> Points:
    """Bend free-hanging hair by the wind and its waves; head units to head units."""
    x, y = points[:, 0], points[:, 1]
    free = np.clip(y - 0.2, 0, None)
    curl = 0.10 * person.hair.wave * np.sin(2.3 * y + person.id % 7) * np.clip(free / 1.5, 0, 1)
    return np.stack([x + 0.055 * person.wind * free**1.5 + curl, y], axis=1)


def _head_to_body(person: Character, points: Points) -> Points:
    """Map head units to body units."""
    base = _NECK + np.array([0.13 * person.turn, 0.0])
    tilted: Points = _rotate(points - _NECK, person.tilt) + base
    return tilted


def _shadow_color(person: Character) -> Color:
    """Return the colour of the shadow under the feet."""
    return rgb("e3e3ea") if person.background == "white" else rgb("b9c0cc")


def draw_figure(paper: Canvas, person: Character) -> None:
    """Draw the figure of a character, from back to front.

    Args:
        paper: a canvas in units of the finished picture's pixels.
        person: the character.
    """
    body = paper.transformed(lambda points: _to_pixels(person, points)).transformed(
        lambda p: bend(person, p)
    )
    head = paper.transformed(lambda points: _to_pixels(person, points)).transformed(
        lambda points: _head_to_body(person, points)
    )
    hair = material(rgb(person.hair.tone))
    fabrics = outfit_fabrics(person)
    arm_sleeve = outfit_sleeve(person, fabrics)
    loose = head.transformed(lambda points: _blow_in_wind(person, points))
    if person.framing == "full_body":
        body.shade(ellipse(0.0, SOLE + 0.12, 1.5, 0.20, 48), _shadow_color(person))
    draw_tails_behind(loose, person, hair)
    draw_back_hair(loose, person, hair)
    for side in (-1.0, 1.0):
        if arm(person, side).behind:
            draw_arm(body, person, side, arm_sleeve)
    if person.framing != "portrait":
        draw_lower_body(body, person, fabrics)
    draw_neck(body, person, bare=person.outfit.top == "sundress")
    draw_trunk(body, person, fabrics)
    for side in (-1.0, 1.0):
        if not arm(person, side).behind:
            draw_arm(body, person, side, arm_sleeve)
    draw_collar(body, person, fabrics)
    for side in (-1.0, 1.0):
        draw_forearm(body, person, side, arm_sleeve)
    draw_buns(head, person, hair)
    draw_tufts(head, person, hair)
    draw_accessory_behind(head, person, hair)
    draw_ears(head, person)
    draw_face(head, person, fringe(person).shape)
    if person.face.glasses:
        draw_temples(head, person, SPECTACLES)
    draw_fringe(head, person, hair)
    draw_brows(head, person, mix(hair.ink, hair.shade, 0.15))
    if person.face.glasses:
        draw_glasses(head, person, SPECTACLES)
    draw_tails_in_front(loose, person, hair, fabrics.accent)
    draw_accessory(head, person, fabrics)
