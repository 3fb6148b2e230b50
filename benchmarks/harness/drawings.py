"""Pictures of the sample booru, and their line maps as the filters draw them."""

from __future__ import annotations

from itertools import count, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.draw.sketch import SketchOptions
from pipeline.picture import resize_long_side
from pipeline.picture_format import sniff_extension
from pipeline.sample_booru.catalogue import post
from pipeline.sample_booru.pictures import picture
from pipeline.shard import write_shard
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions

SIZE = SketchOptions().size  # pixels; the long side that sketches are drawn at
XDOG, CENTERLINE = Xdog(XdogOptions()), Centerline(CenterlineOptions())
FIRST_ID = 30_000


def line_maps(color: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Return the line maps of a picture by style; it is resized to a long side of `SIZE` first."""
    (ink,) = XDOG.lines([resize_long_side(color, SIZE)])
    lines = CENTERLINE.simplify([ink_to_sketch(ink, style) for style in STYLES])
    return dict(zip(STYLES, lines, strict=True))


def write_pictures(target: Path, number: int) -> dict[int, bytes]:
    """Write a shard of complete pictures, as the sample booru serves them; return them by id."""
    ids = islice((i for i in count(FIRST_ID) if post(i).response != "truncated"), number)
    files = {post_id: picture(post_id) for post_id in ids}
    write_shard(target, ((i, {sniff_extension(content): content}) for i, content in files.items()))
    return files
