"""The ways to find lines that the table compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line_art import lineartization as rival
from benchmarks.line_art.filters import binary_dog, canny, darker_than_60
from sketch_models import STYLES, ink_to_sketch, load
from sketch_models.model import LineModel, SketchModel

Ink = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

FILTERS: Mapping[str, Callable[[Pixels], Ink]] = {
    "binary DoG": binary_dog,
    "Canny": canny,
    "darker than 60": darker_than_60,
}
OURS = tuple(f"tracer + inker, {style}" for style in STYLES)
OUR_FILTERS = "xdog + centerline"
MODES = tuple(f"lineartization, {mode}" for mode in rival.MODES)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What some methods need.

    Attributes:
        weights: of `tracer` and `inker`: `shipped`, or paths; or None to leave them out.
        lineartization: the Python that has the package, or None to leave it out.
    """

    weights: tuple[str, str] | None
    lineartization: Path | None


class Methods:
    """Every way to find lines, ready to use; networks run on the CPU."""

    def __init__(self, needs: Needs) -> None:
        self._filters: tuple[SketchModel, LineModel] = load("xdog"), load("centerline")
        self._networks: tuple[SketchModel, LineModel] | None = None
        if needs.weights:
            tracer = load("tracer", device="cpu", precision="fp32", weights=needs.weights[0])
            inker = load("inker", device="cpu", precision="fp32", weights=needs.weights[1])
            self._networks = tracer, inker
        self._rival = rival.Lineartization(needs.lineartization) if needs.lineartization else None

    def of_picture(self, color: Pixels) -> dict[str, Ink]:
        """Return the ink of a colour picture (H, W, 3) by method: (H, W) bool."""
        found: dict[str, Ink] = {}
        if self._networks:
            found |= zip(OURS, _lines(*self._networks, color, STYLES), strict=True)
        (found[OUR_FILTERS],) = _lines(*self._filters, color, STYLES[:1])
        return found | self._others(color)

    def of_sketch(self, color: Pixels) -> dict[str, Ink]:
        """Return the ink of a rough sketch (H, W, 3) by method; line models take it as it is."""
        sketch = np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), np.uint8)
        models: dict[str, LineModel] = {"inker": self._networks[1]} if self._networks else {}
        models["centerline"] = self._filters[1]
        found = {name: model.simplify([sketch])[0] < 128 for name, model in models.items()}
        return found | self._others(color)

    def _others(self, color: Pixels) -> dict[str, Ink]:
        found = {name: find(color) for name, find in FILTERS.items()}
        if self._rival:
            found |= zip(MODES, self._rival.ink(color).values(), strict=True)
        return found


def _lines(
    sketch_model: SketchModel, line_model: LineModel, color: Pixels, styles: tuple[str, ...]
) -> list[Ink]:
    """Return the lines of a picture in these styles."""
    (ink,) = sketch_model.lines([color])
    sketches = [ink_to_sketch(ink, style) for style in styles]
    return [line < 128 for line in line_model.simplify(sketches)]
