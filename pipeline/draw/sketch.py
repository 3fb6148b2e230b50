"""Sketches: three styles of line map from every picture of a shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.draw.conveyor import draw_shard
from pipeline.outcome import Outcome
from pipeline.picture import PictureError, decode, encode_png, fit
from pipeline.progress import Advance, ignore
from pipeline.shard import ShardReader
from sketch_models.model import SketchModel
from sketch_models.option import option, require
from sketch_models.registry import SKETCH_MODELS
from sketch_models.styles import STYLES, ink_to_sketch

SMALLEST_SKETCH = 64  # long side, in pixels
RUNTIMES = ("torch", "tensorflow")


@dataclass(frozen=True, kw_only=True)
class SketchOptions:
    """[sketch]: what draws the sketches."""

    models: tuple[str, ...] = option(
        ("xdog",), f"the sketch models, one or more of {' and '.join(SKETCH_MODELS)}"
    )
    size: int = option(768, "long side of the sketches, in pixels")
    runtime: str = option("torch", "what runs sketchkeras: torch, or tensorflow as a reference")
    batch_size: int = option(
        0, "pictures drawn together; 0: what suits the model and the machine", affects_result=False
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        models = ", ".join(self.models)
        known = bool(self.models) and set(self.models) <= set(SKETCH_MODELS)
        require(known, "[sketch] models", models, f"one or more of {', '.join(SKETCH_MODELS)}")
        once = len(set(self.models)) == len(self.models)
        require(once, "[sketch] models", models, "each model once")
        usable = SMALLEST_SKETCH <= self.size <= 4096
        expected = f"pixels from {SMALLEST_SKETCH} to 4096"
        require(usable, "[sketch] size", self.size, expected)
        require(self.runtime in RUNTIMES, "[sketch] runtime", self.runtime, " or ".join(RUNTIMES))
        require(self.batch_size >= 0, "[sketch] batch_size", self.batch_size, "0 or more")


def sketch_shard(
    color: Path,
    ids: Sequence[int],
    target: Path,
    model: SketchModel,
    options: SketchOptions,
    advance: Advance = ignore,
) -> list[Outcome]:
    """Draws every picture of a shard.

    Args:
        color: tar of pictures, one part per post.
        ids: the posts to draw.
        target: the tar to write: `<id>.original.png`, `<id>.enhanced.png` and `<id>.pured.png`,
            (H, W) uint8, 0 = ink, 255 = paper, with the aspect of the picture.
        model: draws the line maps.
        options: working size and batch size.
        advance: told of every picture.

    Returns:
        One outcome per post id: `ok`, a code of `PictureError`, `missing` where the tar does not
        hold the picture, or `no_ink` where the model found no line.
    """
    with ShardReader(color) as shard:

        def load(post_id: int) -> NDArray[np.uint8]:
            parts = shard.parts(post_id)
            if not parts:
                raise PictureError("missing", "its picture is not in the shard")
            return fit(decode(shard.read(post_id, parts[0])), options.size)

        return draw_shard(
            ids,
            target,
            load=load,
            draw=model.extract_lines,
            save=_save,
            batch_size=options.batch_size or model.batch_size,
            threads=model.threads,
            advance=advance,
        )


def _save(ink: NDArray[np.float32]) -> Mapping[str, bytes]:
    sketches = {style: ink_to_sketch(ink, style) for style in STYLES}
    for style, sketch in sketches.items():
        if sketch.min() == 255:
            raise PictureError("no_ink", f"the {style} sketch is blank")
    return {f"{style}.png": encode_png(sketch) for style, sketch in sketches.items()}
