"""Simplify every sketch of a shard to clean line art."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.draw.draw_shard import draw_shard
from pipeline.outcome import DrawnOutcome
from pipeline.picture import PictureError, decode_grey, encode_png, resize_long_side
from pipeline.progress import OnProgress, ignore
from pipeline.shard import ShardReader
from sketch_models.model import LineModel
from sketch_models.option import Options, option
from sketch_models.registry import LINE_MODELS
from sketch_models.styles import STYLES

StyleMaps = list[NDArray[np.uint8]]
"""The three sketches or line maps of a picture, in the order of `STYLES`; (H, W) each."""


@dataclass(frozen=True, kw_only=True)
class SimplifyOptions(Options, section="simplify"):
    """The line art."""

    model: str = option(
        "inker", f"the line model: one of {', '.join(LINE_MODELS)}", choices=LINE_MODELS
    )
    sizes: tuple[int, ...] = option(
        (),
        "long sides in pixels to draw lines at, for several widths; empty: that of the sketches",
        at_least=64,
        at_most=4096,
        unit="pixels",
        unique=True,
    )
    batch_size: int = option(
        0,
        "pictures, of three sketches each, per batch of the line model; "
        "0: chosen by model and machine",
        affects_result=False,
        at_least=0,
    )


def simplify_shard(
    sketches: Path,
    target: Path,
    model: LineModel,
    options: SimplifyOptions,
    *,
    size: int = 0,
    on_progress: OnProgress = ignore,
) -> list[DrawnOutcome]:
    """Simplify every sketch of a shard.

    Args:
        sketches: tar of `<id>.<style>.png`.
        target: the tar to write, with the same names: (H, W) uint8, 0 = ink, 255 = paper, aligned
            to the sketches to the pixel.
        model: draws the lines.
        options: batch size.
        size: long side to which sketches are resized first, in pixels; 0 keeps their size.
        on_progress: called with the number of pictures done.

    Returns:
        One outcome per post id: `ok`, a code of `PictureError`, or `no_lines` if a style is blank.
    """
    with ShardReader(sketches) as shard:

        def load(post_id: int) -> StyleMaps:
            sketches = [decode_grey(shard.read(post_id, f"{style}.png")) for style in STYLES]
            return [resize_long_side(sketch, size) for sketch in sketches] if size else sketches

        def draw(batch: Sequence[StyleMaps]) -> list[StyleMaps]:
            lines = model.simplify([sketch for picture in batch for sketch in picture])
            count = len(STYLES)
            return [lines[start : start + count] for start in range(0, len(lines), count)]

        return draw_shard(
            shard.ids,
            target,
            load=load,
            draw=draw,
            save=_save,
            batch_size=options.batch_size or model.batch_size,
            threads=model.threads,
            on_progress=on_progress,
        )


def _save(lines: StyleMaps) -> Mapping[str, bytes]:
    for style, line in zip(STYLES, lines, strict=True):
        if line.min() == 255:
            raise PictureError("no_lines", f"the {style} line art is blank")
    return {f"{style}.png": encode_png(line) for style, line in zip(STYLES, lines, strict=True)}
