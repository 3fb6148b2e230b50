"""From a post id to its picture and the line art of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.sample_booru.artist.accessories import behind, on_top
from pipeline.sample_booru.artist.background import background
from pipeline.sample_booru.artist.body import SOLE, arm, bend, neck
from pipeline.sample_booru.artist.canvas import OVERSAMPLING, Canvas
from pipeline.sample_booru.artist.character import Character, character
from pipeline.sample_booru.artist.collars import collar
from pipeline.sample_booru.artist.curve import Points, ellipse
from pipeline.sample_booru.artist.face import brows, ears, face, glasses, temples
from pipeline.sample_booru.artist.fringe import draw_fringe, fringe
from pipeline.sample_booru.artist.hair import back_hair, buns, tails_behind, tails_in_front, tufts
from pipeline.sample_booru.artist.lower import lower_body
from pipeline.sample_booru.artist.palette import Color, material, mix, rgb
from pipeline.sample_booru.artist.sleeves import draw_arm, draw_forearm
from pipeline.sample_booru.artist.trunk import trunk
from pipeline.sample_booru.artist.wardrobe import sleeve, wardrobe

# Top and bottom of what a framing shows, in head units.
WINDOWS = {
    "portrait": (-1.75, 2.35),
    "upper_body": (-1.85, 3.9),
    "cowboy_shot": (-1.95, 6.9),
    "full_body": (-1.95, 11.95),
}
SPECTACLES = rgb("3a3038")
_NECK = np.array([0.0, 1.05])  # where the head turns, in body units


@dataclass(frozen=True)
class Drawing:
    """A picture and its line art, aligned to the pixel."""

    color: NDArray[np.uint8]  # (H, W, 3) RGB
    line: NDArray[np.uint8]  # (H, W), 0 ink, 255 paper


def draw(post_id: int, seed: int = 0) -> Drawing:
    """The drawing of a post: the same whenever and wherever it is drawn."""
    return draw_character(character(post_id, seed))


def draw_character(person: Character) -> Drawing:
    """The drawing of a character."""
    size = (person.width, person.height)
    shape = (person.height * OVERSAMPLING, person.width * OVERSAMPLING)
    paper = Canvas(
        color=np.empty((*shape, 3), np.uint8),
        line=np.empty(shape, np.uint8),
        frame=lambda points: points * OVERSAMPLING,
        pen=_pen(person),
    )
    background(paper, person, size)
    body = paper.within(lambda points: _placed(person, points)).within(lambda p: bend(person, p))
    head = paper.within(lambda points: _placed(person, points)).within(
        lambda points: _tilted(person, points)
    )
    _figure(body, head, person)
    return Drawing(
        color=_shrunk(paper.color, size),
        line=_shrunk(paper.line, size),
    )


def _shrunk(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _pen(person: Character) -> float:
    """Width of a normal line: thinner where the figure is small."""
    top, bottom = WINDOWS[person.framing]
    unit = person.height / (bottom - top)
    return OVERSAMPLING * float(np.clip(1.55 + unit / 135, 1.9, 3.6))


def _placed(person: Character, points: Points) -> Points:
    """Body units to pixels of the finished picture."""
    top, bottom = WINDOWS[person.framing]
    unit = min(person.height / (bottom - top), person.width / 3.3) * person.zoom
    bare = person.outfit.accessory in ("none", "hairclip", "flower")
    hatless = bare and not person.hair.ahoge
    if hatless and person.framing in ("upper_body", "portrait"):
        top += 0.25
    pivot = np.array([0.0, min(bottom, 9.0)])
    leaning = _turned(points - pivot, person.lean) + pivot
    middle = person.width * (0.5 + person.aside - 0.02 * person.turn)
    placed: Points = (leaning - np.array([0.0, top])) * unit + np.array([middle, 0.0])
    return placed


def _turned(points: Points, angle: float) -> Points:
    c, s = np.cos(angle), np.sin(angle)
    rotated: Points = points @ np.array([[c, s], [-s, c]])
    return rotated


def _blown(person: Character, points: Points) -> Points:
    """Hair that hangs free, in the wind and in its waves."""
    x, y = points[:, 0], points[:, 1]
    free = np.clip(y - 0.2, 0, None)
    curl = 0.10 * person.hair.wave * np.sin(2.3 * y + person.id % 7) * np.clip(free / 1.5, 0, 1)
    return np.stack([x + 0.055 * person.wind * free**1.5 + curl, y], axis=1)


def _tilted(person: Character, points: Points) -> Points:
    """Head units to body units."""
    base = _NECK + np.array([0.13 * person.turn, 0.0])
    tilted: Points = _turned(points - _NECK, person.tilt) + base
    return tilted


def _ground(person: Character) -> Color:
    """The colour of the shadow under the feet."""
    return rgb("e3e3ea") if person.background == "white" else rgb("b9c0cc")


def _figure(body: Canvas, head: Canvas, person: Character) -> None:
    """From back to front."""
    hair = material(rgb(person.hair.tone))
    cloths = wardrobe(person)
    arm_sleeve = sleeve(person, cloths)
    loose = head.within(lambda points: _blown(person, points))
    if person.framing == "full_body":
        body.shade(ellipse(0.0, SOLE + 0.12, 1.5, 0.20, 48), _ground(person))
    tails_behind(loose, person, hair)
    back_hair(loose, person, hair)
    for side in (-1.0, 1.0):
        if arm(person, side).behind:
            draw_arm(body, person, side, arm_sleeve)
    if person.framing != "portrait":
        lower_body(body, person, cloths)
    neck(body, person, bare=person.outfit.top == "sundress")
    trunk(body, person, cloths)
    for side in (-1.0, 1.0):
        if not arm(person, side).behind:
            draw_arm(body, person, side, arm_sleeve)
    collar(body, person, cloths)
    for side in (-1.0, 1.0):
        draw_forearm(body, person, side, arm_sleeve)
    buns(head, person, hair)
    tufts(head, person, hair)
    behind(head, person, hair)
    ears(head, person)
    face(head, person, fringe(person).shape)
    if person.face.glasses:
        temples(head, person, SPECTACLES)
    draw_fringe(head, person, hair)
    brows(head, person, mix(hair.ink, hair.shade, 0.15))
    if person.face.glasses:
        glasses(head, person, SPECTACLES)
    tails_in_front(loose, person, hair, cloths.accent)
    on_top(head, person, cloths)
