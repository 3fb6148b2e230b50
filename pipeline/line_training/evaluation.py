"""The evaluation of a network of lines while it is trained: metrics, and a sheet of samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.line_training.example import Example
from pipeline.line_training.metrics import line_f1
from pipeline.training.context import TrainContext
from pipeline.training.sample_sheet import make_sheet
from sketch_models import local_contrast
from sketch_models.unet import Unet

ARTBOOK, PICTURES = "f1/artbook", "f1/pictures"
"""Names of the means over all pages of the artbook, and over all pictures from elsewhere."""

_HEADINGS = ("input", "true lines", "found lines")
_DOUBT = np.array([255, 120, 120], np.uint8)  # where nobody can say


@torch.inference_mode()
def ink_probability(
    network: Unet, picture: NDArray[np.uint8], context: TrainContext
) -> NDArray[np.float32]:
    """Return the probability of every pixel to be ink.

    Args:
        network: in evaluation mode, on the device.
        picture: (H, W, 3) or (H, W) uint8, of any size.
        context: device and precision.

    Returns:
        (H, W) float32 in [0, 1].
    """
    height, width = picture.shape[:2]
    normalized = local_contrast.normalize(picture)
    bottom, right = (-side % network.multiple for side in (height, width))
    padded = np.pad(normalized, ((0, 0), (0, bottom), (0, right)), mode="reflect")
    x = torch.from_numpy(padded[None]).to(context.device)
    with context.autocast():
        logits = network(x.contiguous(memory_format=torch.channels_last))
    probability: NDArray[np.float32] = logits.float().sigmoid()[0, 0].cpu().numpy()
    return probability[:height, :width]


def evaluate(
    network: Unet, pages: Sequence[Example], pictures: Sequence[Example], context: TrainContext
) -> dict[str, float]:
    """Return mean F1s.

    Args:
        network: in evaluation mode, on the device.
        pages: of the artbook, 1 or more.
        pictures: from elsewhere; may be empty.
        context: device and precision.

    Returns:
        `ARTBOOK`, `PICTURES` if there are any, and `f1/` and a row of `Example.rows`.
    """
    metrics = {ARTBOOK: 0.0}
    by_row = defaultdict(list)
    for name, examples in ((ARTBOOK, pages), (PICTURES, pictures)):
        f1 = []
        for example in examples:
            probability = ink_probability(network, example.picture, context)
            f1.append(line_f1(probability, example.lines, example.weight))
            for row in example.rows:
                by_row[f"f1/{row}"].append(f1[-1])
        if f1:
            metrics[name] = fmean(f1)
    metrics |= {row: fmean(values) for row, values in sorted(by_row.items())}
    return {name: round(value, 4) for name, value in metrics.items()}


def draw_sheet(
    network: Unet, examples: Sequence[Example], context: TrainContext
) -> NDArray[np.uint8]:
    """Return a sheet of samples: what the network sees, the true lines, and those it finds.

    Where nobody can say whether there is a line, the true lines are tinted red.

    Args:
        network: in evaluation mode, on the device.
        examples: of one size, one per row.
        context: device and precision.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    rows = []
    for example in examples:
        probability = ink_probability(network, example.picture, context)
        found = np.rint(255 * (1 - probability)).astype(np.uint8)
        true = _rgb(example.lines)
        true = np.where(example.weight[..., None] == 0, true // 2 + _DOUBT // 2, true)
        rows.append([_rgb(example.picture), true, _rgb(found)])
    return make_sheet(rows, _HEADINGS)


def _rgb(layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return layer if layer.ndim == 3 else np.repeat(layer[..., None], 3, axis=2)
