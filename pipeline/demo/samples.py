"""Drawings of the sample booru that a user can start from; no colorizer was trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from pipeline.pack.square import Placement, resample
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.artist.draw import draw

BEYOND = 20_000
"""Posts of the sample booru that recipes may train on: samples come after these."""

IDS = (1790400, 1790474, 1790561, 1791240, 1791394, 1791587, 1792131, 1792430)
"""Their post ids: `white_background solo upper_body`, and as different as can be."""

LONG_SIDE = 900  # pixels: none of them is drawn smaller
_LOCKS = {post_id: Lock() for post_id in IDS}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One drawing, as files."""

    line: bytes  # PNG, (H, W) grey, 0 ink, 255 paper
    color: bytes  # PNG, (H, W, 3) RGB


def sample(post_id: int) -> Sample:
    """The drawing of one of `IDS`; drawn in 0.2 seconds on first use, once."""
    with _LOCKS[post_id]:
        return _drawn(post_id)


@lru_cache(len(IDS))
def _drawn(post_id: int) -> Sample:
    drawing = draw(post_id)
    width, height = size(post_id)
    return Sample(
        line=encode_png(resample(drawing.line, width, height)),
        color=encode_png(resample(drawing.color, width, height)),
    )


def size(post_id: int) -> tuple[int, int]:
    """Width and height of a sample in pixels, without drawing it."""
    person = character(post_id)
    placement = Placement.of(person.width, person.height, LONG_SIDE, "pad")
    return placement.width, placement.height


def describe() -> list[dict[str, int | str]]:
    """The samples, as `/api/models` lists them."""
    return [_described(post_id, *size(post_id)) for post_id in IDS]


def _described(post_id: int, width: int, height: int) -> dict[str, int | str]:
    folder = f"/api/samples/{post_id}"
    return {
        "id": post_id,
        "width": width,
        "height": height,
        "line": f"{folder}/line.png",
        "color": f"{folder}/color.png",
    }
