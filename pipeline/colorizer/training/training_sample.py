"""One picture to train the colorizer with."""

from __future__ import annotations

from typing import TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.colorizer.hints import Box, HintOptions, Hints, simulate
from pipeline.colorizer.options import AugmentOptions
from pipeline.colorizer.training.augment import Jitter, mirrored


class Sample(TypedDict):
    """One picture with its line art and hints, S x S pixels; in a batch, N of them.

    Bytes, as they are in the file: a quarter of what floats would be to hand from a worker to the
    process that trains, and from there to the device, where `normalize` makes floats of them.
    """

    line: Tensor  # (1, S, S) uint8, 0 = ink, 255 = paper
    hint: Tensor  # (3, S, S) uint8 RGB, 0 where there is no hint
    mask: Tensor  # (1, S, S) uint8, 1 where there is a hint, else 0
    color: Tensor  # (3, S, S) uint8 RGB: the truth
    id: Tensor  # () int64, post id
    box: Tensor  # (4,) int64, content: left, top, right, bottom, half-open, in pixels


def normalize(sample: Sample, device: torch.device | str | None = None) -> Sample:
    """A sample or a batch as the networks see it.

    Args:
        sample: one, or a batch of them.
        device: where to; it stays where it is if None. The copy does not wait where the sample
            is in pinned memory.

    Returns:
        The same, with `line`, `hint` and `color` float32 in [-1, 1] (1 = paper, and 0 where there
        is no hint) and `mask` float32 in {0, 1}.
    """
    line, hint, mask, color, ids, box = (
        tensor.to(device, non_blocking=True)
        for tensor in (sample[name] for name in ("line", "hint", "mask", "color", "id", "box"))
    )
    mask = mask.float()
    return Sample(
        line=_signed(line),
        hint=_signed(hint).mul_(mask),
        mask=mask,
        color=_signed(color),
        id=ids,
        box=box,
    )


def _signed(levels: Tensor) -> Tensor:
    return levels.float().div_(127.5).sub_(1)


def draw_sample(
    post_id: int,
    line: NDArray[np.uint8],
    color: NDArray[np.uint8],
    box: Box,
    *,
    augment: AugmentOptions | None,
    hints: HintOptions | None,
    random: np.random.Generator,
) -> Sample:
    """Makes a sample of a picture.

    Args:
        post_id: of the picture.
        line: (S, S) uint8, 0 = ink.
        color: (S, S, 3) uint8 RGB; may be changed.
        box: content of both.
        augment: how they are varied; not at all where None.
        hints: how hints are simulated; none where None.
        random: what all of it is drawn from.
    """
    if augment is not None:
        line, color, box = _vary(line, color, box, augment, random)
    put = Hints.none(*line.shape) if hints is None else simulate(color, box, hints, random)
    return Sample(
        line=torch.from_numpy(line[None]),
        hint=_planes(put.color),
        mask=torch.from_numpy(put.mask[None].view(np.uint8)),
        color=_planes(color),
        id=torch.tensor(post_id),
        box=torch.tensor(box),
    )


def _vary(
    line: NDArray[np.uint8],
    color: NDArray[np.uint8],
    box: Box,
    options: AugmentOptions,
    random: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Box]:
    """Line, picture and box, mirrored and with other colours."""
    jitter = Jitter.drawn(options, random)
    if options.flip and random.random() < 0.5:
        line, color = cv2.flip(line, 1), cv2.flip(color, 1)  # type: ignore[assignment]
        box = mirrored(box, len(color))
    jitter.apply(color, box)
    return line, color, box


def _planes(picture: NDArray[np.uint8]) -> Tensor:
    """(S, S, 3) to (3, S, S); OpenCV does it in a third of NumPy's time."""
    planes = np.empty((3, *picture.shape[:2]), np.uint8)
    cv2.split(picture, list(planes))
    return torch.from_numpy(planes)
