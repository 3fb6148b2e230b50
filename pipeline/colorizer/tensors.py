"""Conversion of pictures to the tensors of the networks, and back."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.colorizer.hints import Box, Hints
from pipeline.colorizer.networks.generator import join_map
from pipeline.colorizer.spread import spread_hints


def to_signed(levels: Tensor) -> Tensor:
    """Scale bytes to floats: uint8 -> float32 in [-1, 1], of the same shape."""
    return levels.float().div_(127.5).sub_(1)


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """Convert pictures: (N, S, S, C) uint8 -> (N, C, S, S) float32 in [-1, 1]."""
    return to_signed(torch.from_numpy(pictures).permute(0, 3, 1, 2))


def to_maps(
    lines: Sequence[NDArray[np.uint8]],
    hints: Sequence[Hints | None],
    *,
    spread: bool,
    boxes: Sequence[Box | None] | None = None,
) -> Tensor:
    """Return the generator's input for line art and hints.

    Args:
        lines: N of (S, S) uint8, 0 ink, 255 paper.
        hints: N of (S, S), or None for one without hints.
        spread: whether the generator sees spread hints too.
        boxes: N, of the drawings in the squares; each all of its square if None.

    Returns:
        (N, 5 or 9, S, S) float32, see `join_map`.
    """
    size = lines[0].shape
    present = [Hints.none(*size) if each is None else each for each in hints]
    mask = torch.from_numpy(np.stack([each.mask for each in present]))[:, None].float()
    color = to_tensor(np.stack([each.color for each in present])) * mask
    reached = None
    if spread:
        inputs = zip(lines, present, boxes or [None] * len(lines), strict=True)
        reached = spread_to_float(torch.stack([to_planes(*each) for each in inputs]))
    return join_map(to_tensor(np.stack(lines)[..., None]), color, mask, reached)


def to_planes(line: NDArray[np.uint8], hints: Hints, box: Box | None = None) -> Tensor:
    """Return spread hints as (4, S, S) uint8: RGB, and how near they are.

    Args:
        line: (S, S) uint8, 0 ink.
        hints: of the same size.
        box: of the drawing in the square; all of it if None.
    """
    spread = spread_hints(line, hints, box)
    return torch.from_numpy(np.stack([*cv2.split(spread.color), spread.nearness]))


def spread_to_float(planes: Tensor) -> Tensor:
    """Convert spread hints: (..., 4, S, S) uint8 -> float32, see `join_map`."""
    color, nearness = planes[..., :3, :, :], planes[..., 3:, :, :]
    has_hints = nearness.amax((-2, -1), keepdim=True) > 0
    return torch.cat([to_signed(color).mul_(has_hints), nearness.float().div_(255)], -3)


def to_pixels(pictures: Tensor) -> NDArray[np.uint8]:
    """Convert the generator's output: (N, 3, S, S) in [-1, 1] -> (N, S, S, 3) uint8 RGB."""
    levels = ((pictures.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    pixels: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).contiguous().numpy(force=True)
    return pixels
