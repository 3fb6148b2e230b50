"""Sample grids of a training: results for the same line art and hints every time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.colorizer.hints import HintOptions, overlay
from pipeline.colorizer.packed_pictures import PackedPicture
from pipeline.colorizer.tensors import to_maps, to_pixels
from pipeline.training.sample_sheet import make_sheet

_PATCHES = 10  # hints per picture
_HEADINGS = ("line art, hints", "result", "original")


class SampleGrid:
    """Rows of line art with hints, the generator's result, and the ground truth.

    Args:
        pictures: one per row.
        hints: options of the simulated hints.
        seed: of the hints.
        spread: whether the generator sees spread hints too.
    """

    def __init__(
        self, pictures: Sequence[PackedPicture], hints: HintOptions, seed: int, *, spread: bool
    ) -> None:
        self._pictures = pictures
        self._hints = [picture.hints(_PATCHES, hints, seed) for picture in pictures]
        lines, boxes = [each.line for each in pictures], [each.box for each in pictures]
        self._maps = to_maps(lines, self._hints, spread=spread, boxes=boxes)

    @torch.inference_mode()
    def draw(
        self, generator: nn.Module, latent_dim: int, device: torch.device
    ) -> NDArray[np.uint8]:
        """Return the grid, generated with z = 0.

        Args:
            generator: in evaluation mode.
            latent_dim: number of dimensions of z.
            device: of the generator.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        z = torch.zeros(len(self._pictures), latent_dim, device=device)
        results = to_pixels(generator(self._maps.to(device), z))
        rows = [
            (overlay(picture.line, hints), result, picture.color)
            for picture, hints, result in zip(self._pictures, self._hints, results, strict=True)
        ]
        return make_sheet(rows, _HEADINGS)
