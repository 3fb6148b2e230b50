"""Augmentation of a training picture: flips and colour jitter."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.hints import Box
from pipeline.colorizer.options import AugmentOptions


@dataclass(frozen=True, kw_only=True)
class ColorJitter:
    """A change of colours in HSV.

    Attributes:
        hue: added to the hue, in turns.
        saturation: factor of the saturation; what exceeds 1 is clipped.
        brightness: b in value -> value (1 + b (1 - value)), from -1 to 1. Its slope is 1 + b at
            black, and both black and white stay: paper must not turn grey, as a plain factor
            would make it.
    """

    hue: float = 0.0
    saturation: float = 1.0
    brightness: float = 0.0

    @classmethod
    def sample(cls, options: AugmentOptions, rng: np.random.Generator) -> ColorJitter:
        """Return a random jitter, each of its three values uniform within the options."""
        hue, saturation, brightness = rng.uniform(-1, 1, 3)
        return cls(
            hue=options.hue * hue,
            saturation=1 + options.saturation * saturation,
            brightness=options.brightness * brightness,
        )

    def apply(self, picture: NDArray[np.uint8], box: Box) -> None:
        """Change the colours of a picture in place, inside its box alone.

        Args:
            picture: (S, S, 3) uint8 RGB.
            box: of its content.
        """
        left, top, right, bottom = box
        content = picture[top:bottom, left:right]
        # Hue in degrees, saturation and value in [0, 1]; in 8 bits, hues would be 2 degrees apart.
        hsv = cv2.cvtColor(np.multiply(content, 1 / 255, dtype=np.float32), cv2.COLOR_RGB2HSV)
        # OpenCV takes hues beyond 360, but none below 0.
        turn = [[1, 0, 0, 360 * (self.hue % 1)], [0, self.saturation, 0, 0], [0, 0, 1, 0]]
        hsv = cv2.transform(hsv, np.array(turn, np.float32))
        _, saturation, value = np.moveaxis(hsv, -1, 0)  # views
        if self.saturation > 1:
            np.minimum(saturation, 1, out=saturation)
        value *= 1 + self.brightness * (1 - value)
        rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
        content[...] = cv2.convertScaleAbs(rgb, alpha=255)


def flip_box(box: Box, size: int) -> Box:
    """Return the box of a picture of `size` x `size` after a horizontal flip."""
    left, top, right, bottom = box
    return size - right, top, size - left, bottom
