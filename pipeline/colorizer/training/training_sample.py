"""One picture to train the colorizer on."""

from __future__ import annotations

from typing import TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.colorizer.hints import Box, HintOptions, Hints, simulate_hints
from pipeline.colorizer.options import AugmentOptions
from pipeline.colorizer.tensors import spread_to_float, to_planes, to_signed
from pipeline.colorizer.training.augment import ColorJitter, flip_box


class _Required(TypedDict):
    line: Tensor  # (1, S, S) uint8, 0 = ink, 255 = paper
    hint: Tensor  # (3, S, S) uint8 RGB, 0 where there is no hint
    mask: Tensor  # (1, S, S) uint8, 1 where there is a hint, else 0
    color: Tensor  # (3, S, S) uint8 RGB: the ground truth
    id: Tensor  # () int64, post id
    box: Tensor  # (4,) int64, content: left, top, right, bottom, half-open, in pixels


class TrainingSample(_Required, total=False):
    """One picture with its line art and hints, S x S pixels; in a batch, N of them.

    Pixels are bytes, as in the file: a quarter of the size of floats on their way from a worker to
    the training process, and from there to the device. `normalize` converts them to floats there.
    """

    spread: Tensor  # (4, S, S) uint8: spread hints, RGB and nearness; only if asked for


def normalize(sample: TrainingSample, device: torch.device | str | None = None) -> TrainingSample:
    """Convert a sample or a batch to the floats that the networks take.

    Args:
        sample: one sample, or a batch of them.
        device: to move it to; none if None. From pinned memory this is asynchronous.

    Returns:
        The same sample, with `line`, `hint` and `color` float32 in [-1, 1] (1 = paper, and 0 where
        there is no hint) and `mask` float32 in {0, 1}; of `spread`, if there is one, RGB in
        [-1, 1] and nearness in [0, 1].
    """
    line, hint, mask, color, ids, box = (
        tensor.to(device, non_blocking=True)
        for tensor in (sample[name] for name in ("line", "hint", "mask", "color", "id", "box"))
    )
    mask = mask.float()
    normalized = TrainingSample(
        line=to_signed(line),
        hint=to_signed(hint).mul_(mask),
        mask=mask,
        color=to_signed(color),
        id=ids,
        box=box,
    )
    if "spread" in sample:
        spread = sample["spread"].to(device, non_blocking=True)
        normalized["spread"] = spread_to_float(spread)
    return normalized


def make_sample(
    post_id: int,
    line: NDArray[np.uint8],
    color: NDArray[np.uint8],
    box: Box,
    *,
    augment: AugmentOptions | None,
    hints: HintOptions | None,
    rng: np.random.Generator,
    spread: bool = False,
) -> TrainingSample:
    """Return a training sample of a picture.

    Args:
        post_id: of the picture.
        line: (S, S) uint8, 0 = ink.
        color: (S, S, 3) uint8 RGB; may be changed.
        box: of the content of both.
        augment: options of the augmentation; no augmentation if None.
        hints: options of the simulated hints; no hints if None.
        rng: source of all randomness.
        spread: whether it has spread hints too.
    """
    if augment is not None:
        line, color, box = _augment(line, color, box, augment, rng)
    simulated = Hints.none(*line.shape) if hints is None else simulate_hints(color, box, hints, rng)
    sample = TrainingSample(
        line=torch.from_numpy(line[None]),
        hint=_to_planes(simulated.color),
        mask=torch.from_numpy(simulated.mask[None].view(np.uint8)),
        color=_to_planes(color),
        id=torch.tensor(post_id),
        box=torch.tensor(box),
    )
    if spread:
        sample["spread"] = to_planes(line, simulated, box)
    return sample


def _augment(
    line: NDArray[np.uint8],
    color: NDArray[np.uint8],
    box: Box,
    options: AugmentOptions,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Box]:
    """Return line, picture and box, flipped at random and with other colours."""
    jitter = ColorJitter.sample(options, rng)
    if options.flip and rng.random() < 0.5:
        line, color = cv2.flip(line, 1), cv2.flip(color, 1)  # type: ignore[assignment]
        box = flip_box(box, len(color))
    jitter.apply(color, box)
    return line, color, box


def _to_planes(picture: NDArray[np.uint8]) -> Tensor:
    """Convert (S, S, 3) to (3, S, S); OpenCV does it in a third of NumPy's time."""
    planes = np.empty((3, *picture.shape[:2]), np.uint8)
    cv2.split(picture, list(planes))
    return torch.from_numpy(planes)
