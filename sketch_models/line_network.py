"""The networks of lines on pictures of any size: surroundings, padding, tiles, batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from sketch_models import local_contrast
from sketch_models.network_options import ComputeOptions
from sketch_models.runner import Runner
from sketch_models.unet import Unet

MAX_TILE_SIDE = 2048
"""Pixels; a picture whose sides are at most this long is one tile."""

_PIXELS_PER_PICTURE = 3 * 768 * 768  # that the batch size of `Runner` is counted in
_REACH = 2 * local_contrast.RADIUS  # pixels beyond which none changes a normalized pixel


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A part of one side of a picture, in pixels.

    Attributes:
        start: of the part that the tile is for.
        stop: its end.
        first: of the part that the network sees, with a margin.
        last: its end.
    """

    start: int
    stop: int
    first: int
    last: int


class Probability(nn.Module):
    """A network of lines whose logits have become probabilities, in float32."""

    def __init__(self, network: Unet) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """Return the probability that a pixel is ink: (N, C, H, W) -> (N, 1, H, W) float32."""
        probability: Tensor = self.network(picture).float().sigmoid()
        return probability


class LineNetwork:
    """A U-Net on its device, which finds ink in pictures of any size.

    Large pictures are computed in overlapping tiles, whose results are those of the whole picture.
    No result depends on the other pictures; on a CPU, not even by rounding.

    Args:
        network: takes what `local_contrast.normalize` returns.
        compute: device and precision.
        max_tile_side: see `MAX_TILE_SIDE`; a multiple of `network.multiple`.
    """

    def __init__(
        self, network: Unet, compute: ComputeOptions, *, max_tile_side: int = MAX_TILE_SIDE
    ) -> None:
        self._multiple = network.multiple
        self._margin = -(-network.margin // self._multiple) * self._multiple
        self._max_tile_side = max_tile_side
        self._runner = Runner(Probability(network), compute)
        self.batch_size = self._runner.batch_size
        on_cpu = self._runner.device.type == "cpu"
        self._max_pixels = 0 if on_cpu else self.batch_size * _PIXELS_PER_PICTURE

    def ink_probabilities(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return the probability of every pixel to be ink.

        Args:
            pictures: (H, W) or (H, W, 3) uint8, of any sizes.

        Returns:
            (H, W) float32 in [0, 1], one per picture.
        """
        results = [np.empty(picture.shape[:2], np.float32) for picture in pictures]
        for batch in self._batches(pictures):
            outputs = self._runner.run([_tile(pictures[i], *spans) for i, *spans in batch])
            for (index, rows, columns), output in zip(batch, outputs, strict=True):
                target = results[index][rows.start : rows.stop, columns.start : columns.stop]
                top, left = rows.start - rows.first, columns.start - columns.first
                target[:] = output[top : top + target.shape[0], left : left + target.shape[1]]
        return results

    def _batches(
        self, pictures: Sequence[NDArray[np.uint8]]
    ) -> Iterator[list[tuple[int, _Span, _Span]]]:
        """Yield tiles of the pictures, as many as fit into memory together; on a CPU one."""
        batch: list[tuple[int, _Span, _Span]] = []
        pixels = 0
        for index, picture in enumerate(pictures):
            for rows, columns in product(*(self._spans(side) for side in picture.shape[:2])):
                size = (rows.last - rows.first) * (columns.last - columns.first)
                if batch and pixels + size > self._max_pixels:
                    yield batch
                    batch, pixels = [], 0
                batch.append((index, rows, columns))
                pixels += size
        if batch:
            yield batch

    def _spans(self, side: int) -> list[_Span]:
        """Return the tiles along one side of a picture; their borders are multiples."""
        multiple, margin = self._multiple, self._margin
        padded = -(-side // multiple) * multiple
        count = 1
        if padded > self._max_tile_side:
            count = -(-padded // max(self._max_tile_side - 2 * margin, multiple))
        length = -(-padded // (count * multiple)) * multiple
        return [
            _Span(
                start=start,
                stop=min(start + length, side),
                first=max(start - margin, 0),
                last=min(start + length + margin, padded),
            )
            for start in range(0, side, length)
        ]


def _tile(picture: NDArray[np.uint8], rows: _Span, columns: _Span) -> NDArray[np.float32]:
    """Return a part of the normalized picture, (C + 1, h, w) float32.

    Beyond the right and lower border it is the reflection of what is before.
    """
    crop = picture[
        max(rows.first - _REACH, 0) : rows.last + _REACH,
        max(columns.first - _REACH, 0) : columns.last + _REACH,
    ]
    top, left = (min(span.first, _REACH) for span in (rows, columns))
    height, width = rows.last - rows.first, columns.last - columns.first
    normalized = local_contrast.normalize(crop)[:, top : top + height, left : left + width]
    bottom, right = height - normalized.shape[1], width - normalized.shape[2]
    if not bottom and not right:
        return normalized
    return np.pad(normalized, ((0, 0), (0, bottom), (0, right)), mode="reflect")
