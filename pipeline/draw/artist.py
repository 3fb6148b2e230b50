"""A sketch model and a line model, one after the other, on pictures of any sizes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sketch_models.model import LineModel, SketchModel
from sketch_models.styles import ink_to_sketch

SKETCHES, LINES = "sketches", "lines"
"""The folders of the drawings."""

Drawings = dict[str, NDArray[np.uint8]]
"""The drawings of a picture, (H, W) uint8, 0 = ink, 255 = paper, by their folder."""


class Artist:
    """Draws sketches and line art of pictures.

    Args:
        sketch: the sketch model; None if the pictures are sketches themselves.
        line: the line model.
        styles: of the sketches. If there are several, each has its own folder, `lines/pured`.
    """

    def __init__(self, sketch: SketchModel | None, line: LineModel, styles: Sequence[str]) -> None:
        self._sketch, self._line, self._styles = sketch, line, styles
        self._inner = [f"/{style}" for style in styles] if sketch and len(styles) > 1 else [""]
        self.batch_size = (sketch or line).batch_size
        self.threads = max(model.threads for model in (sketch, line) if model)

    @property
    def folders(self) -> list[str]:
        """The folders of a picture's drawings."""
        stages = (SKETCHES, LINES) if self._sketch else (LINES,)
        return [f"{stage}{inner}" for stage in stages for inner in self._inner]

    def draw(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Drawings]:
        """Return the drawings of pictures; may be called from several threads.

        Args:
            pictures: (H, W, 3) uint8 RGB, of any sizes.
        """
        sketches = self._draw_sketches(pictures)  # those of a picture one after the other
        lines = self._line.simplify(sketches)
        count = len(self._inner)
        drawings = []
        for start in range(0, len(lines), count):
            drawn = lines[start : start + count]
            if self._sketch:
                drawn = sketches[start : start + count] + drawn
            drawings.append(dict(zip(self.folders, drawn, strict=True)))
        return drawings

    def _draw_sketches(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        if not self._sketch:
            return [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.uint8) for each in pictures]
        inks = self._sketch.lines(pictures)
        return [ink_to_sketch(ink, style) for ink in inks for style in self._styles]
