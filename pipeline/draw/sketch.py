"""Draw sketches of every picture of a shard, in three styles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.draw.draw_shard import draw_shard
from pipeline.outcome import DrawnOutcome
from pipeline.picture import PictureError, decode, encode_png, resize_long_side
from pipeline.progress import OnProgress, ignore
from pipeline.shard import ShardReader
from sketch_models.model import SketchModel
from sketch_models.option import Options, option
from sketch_models.registry import SKETCH_MODELS
from sketch_models.styles import STYLES, ink_to_sketch

SMALLEST_SKETCH = 64  # long side, in pixels
BACKENDS = ("torch", "tensorflow")


@dataclass(frozen=True, kw_only=True)
class SketchOptions(Options, section="sketch"):
    """The sketches."""

    models: tuple[str, ...] = option(
        ("tracer",),
        f"the sketch models, one or more of {', '.join(SKETCH_MODELS)}",
        choices=SKETCH_MODELS,
        not_empty=True,
        unique=True,
    )
    size: int = option(
        768,
        "long side of the sketches, in pixels",
        at_least=SMALLEST_SKETCH,
        at_most=4096,
        unit="pixels",
    )
    backend: str = option(
        "torch",
        "what runs sketchkeras: torch, or tensorflow as a reference",
        choices=BACKENDS,
        renamed_from="runtime",
    )
    batch_size: int = option(
        0,
        "pictures per batch of the sketch model; 0: chosen by model and machine",
        affects_result=False,
        at_least=0,
    )


def sketch_shard(
    color: Path,
    ids: Sequence[int],
    target: Path,
    model: SketchModel,
    options: SketchOptions,
    on_progress: OnProgress = ignore,
) -> list[DrawnOutcome]:
    """Draw the sketches of every picture of a shard.

    Args:
        color: tar of pictures, one part per post.
        ids: the posts to draw.
        target: the tar to write: `<id>.original.png`, `<id>.enhanced.png` and `<id>.pured.png`,
            (H, W) uint8, 0 = ink, 255 = paper, with the aspect of the picture.
        model: draws the line maps.
        options: size of the sketches and batch size.
        on_progress: called with the number of pictures done.

    Returns:
        One outcome per post id: `ok`, a code of `PictureError`, `missing` if the tar does not
        contain the picture, or `no_ink` if the model found no line.
    """
    with ShardReader(color) as shard:

        def load(post_id: int) -> NDArray[np.uint8]:
            parts = shard.parts(post_id)
            if not parts:
                raise PictureError("missing", "its picture is not in the shard")
            return resize_long_side(decode(shard.read(post_id, parts[0])), options.size)

        return draw_shard(
            ids,
            target,
            load=load,
            draw=model.lines,
            save=_save,
            batch_size=options.batch_size or model.batch_size,
            threads=model.threads,
            on_progress=on_progress,
        )


def _save(ink: NDArray[np.float32]) -> Mapping[str, bytes]:
    sketches = {style: ink_to_sketch(ink, style) for style in STYLES}
    for style, sketch in sketches.items():
        if sketch.min() == 255:
            raise PictureError("no_ink", f"the {style} sketch is blank")
    return {f"{style}.png": encode_png(sketch) for style, sketch in sketches.items()}
