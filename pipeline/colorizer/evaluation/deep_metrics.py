"""Metrics in the features of networks: FID and LPIPS, for users who have their weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.colorizer.options import EvaluateOptions
from sketch_models.perceptual import inception, lpips
from sketch_models.runner import choose_device
from sketch_models.weights.cache import expand_path

Pictures: TypeAlias = Sequence[NDArray[np.uint8]]


class DeepMetrics:
    """FID and LPIPS, each if its weights are given; the features of the ground truth are kept.

    Args:
        options: paths of the weights, and the batch size.
        truth: N pictures, (H, W, 3) uint8 RGB, cropped to their content, as all results are.
        device: of the networks.

    Raises:
        WeightsError: If a file does not hold these weights.
        ConfigError: If this machine has no such device.
    """

    def __init__(self, options: EvaluateOptions, truth: Pictures, device: str = "auto") -> None:
        self._device = choose_device(device)
        self._batch_size, self._truth = options.batch_size, truth
        self._inception = self._lpips = None
        if options.inception_weights:
            self._inception = inception.load(expand_path(options.inception_weights))
            self._inception.to(self._device)
            self._truth_features = self._features(truth)
        if options.lpips_weights:
            paths = expand_path(options.alexnet_weights), expand_path(options.lpips_weights)
            self._lpips = lpips.load(*paths).to(self._device)

    def picture_metrics(self, results: Pictures) -> dict[str, list[float]]:
        """Return the LPIPS of every result, by the metric's name; {} without weights."""
        if self._lpips is None:
            return {}
        distances = []
        for batch in self._batches(results):
            pair = self._tensor(results[batch]), self._tensor(self._truth[batch])
            with torch.inference_mode():
                distances += self._lpips(*pair).tolist()
        return {"lpips": distances}

    def set_metrics(self, results: Pictures) -> dict[str, float]:
        """Return the FID of all results, by the metric's name; {} without weights."""
        if self._inception is None or len(results) < 2:  # one picture has no distribution
            return {}
        return {"fid": frechet_distance(self._features(results), self._truth_features)}

    def _features(self, pictures: Pictures) -> NDArray[np.float64]:
        """Return Inception's features: (N, 2048)."""
        assert self._inception is not None
        with torch.inference_mode():
            features = [
                self._inception(self._tensor(pictures[batch])) for batch in self._batches(pictures)
            ]
        return np.asarray(torch.cat(features).cpu().numpy(), np.float64)

    def _batches(self, pictures: Pictures) -> Iterator[slice]:
        """Yield batches of successive pictures of one size."""
        start = 0
        while start < len(pictures):
            end = start + 1
            limit = min(start + self._batch_size, len(pictures))
            while end < limit and pictures[end].shape == pictures[start].shape:
                end += 1
            yield slice(start, end)
            start = end

    def _tensor(self, pictures: Pictures) -> Tensor:
        """Convert pictures of one size to (N, 3, H, W) float32 in [0, 1]."""
        batch = torch.from_numpy(np.stack(pictures)).to(self._device)
        return batch.permute(0, 3, 1, 2).float() / 255


def frechet_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the Fréchet distance of the normal distributions of two sets (Heusel et al. 2017).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). With X the centred features over the root of n - 1,
    C = X'X, and the roots of C1 C2's eigenvalues are the singular values of X1 X2': exact for any
    n, which a matrix root of singular covariances is not, and small for small n.

    Args:
        first: (n1, F), n1 > 1.
        second: (n2, F), n2 > 1.

    Returns:
        0 for equal sets, else more. Two samples of the same distribution are far apart too, unless
        they have thousands of pictures.
    """
    (mean_1, x_1), (mean_2, x_2) = _centred(first), _centred(second)
    shift = np.square(mean_1 - mean_2).sum()
    root = np.linalg.svd(x_1 @ x_2.T, compute_uv=False).sum()
    return float(max(0.0, shift + np.square(x_1).sum() + np.square(x_2).sum() - 2 * root))


def _centred(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean, and the centred features over the root of n - 1."""
    mean = features.mean(0)
    return mean, (features - mean) / np.sqrt(len(features) - 1)
