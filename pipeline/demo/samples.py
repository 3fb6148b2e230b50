"""Drawings of the sample booru that a user can start from; no colorizer was trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from pipeline.pack.square import Placement, resample
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.artist.draw import draw

MAX_TRAINING_POSTS = 20_000
"""Posts of the sample booru that colorizers train on; the samples come after these."""

SAMPLE_IDS = (1790400, 1790474, 1790561, 1791240, 1791394, 1791587, 1792131, 1792430)
"""Post ids of the samples: `white_background solo upper_body`, as different as possible."""

LONG_SIDE = 900
"""The long side of the samples, in pixels."""

_LOCKS = {post_id: Lock() for post_id in SAMPLE_IDS}


@dataclass(frozen=True, kw_only=True)
class DemoSample:
    """A sample drawing, as PNG files."""

    line: bytes  # PNG, (H, W) grey, 0 ink, 255 paper
    color: bytes  # PNG, (H, W, 3) RGB


def load_sample(post_id: int) -> DemoSample:
    """Return one of `SAMPLE_IDS`, drawn in 0.2 seconds on first use and kept in memory."""
    with _LOCKS[post_id]:
        return _draw_sample(post_id)


@lru_cache(len(SAMPLE_IDS))
def _draw_sample(post_id: int) -> DemoSample:
    drawing = draw(post_id)
    width, height = sample_size(post_id)
    return DemoSample(
        line=encode_png(resample(drawing.line, width, height)),
        color=encode_png(resample(drawing.color, width, height)),
    )


def sample_size(post_id: int) -> tuple[int, int]:
    """Return width and height of a sample in pixels, without drawing it."""
    person = character(post_id)
    placement = Placement.of(person.width, person.height, LONG_SIDE, "pad")
    return placement.width, placement.height


def list_samples() -> list[dict[str, int | str]]:
    """Return the samples as `/api/models` lists them."""
    return [_describe(post_id, *sample_size(post_id)) for post_id in SAMPLE_IDS]


def _describe(post_id: int, width: int, height: int) -> dict[str, int | str]:
    folder = f"/api/samples/{post_id}"
    return {
        "id": post_id,
        "width": width,
        "height": height,
        "line": f"{folder}/line.png",
        "color": f"{folder}/color.png",
    }
