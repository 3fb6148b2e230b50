"""Random weights of full size, since the published ones may not be shipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sketch_models.weights.keras_file import CONVOLUTIONS
from sketch_models.weights.simo_serra_file import LAYERS

Arrays = dict[str, NDArray[np.float32]]
"""Weights by name."""


def sketchkeras(seed: int = 0) -> Arrays:
    """Return the 18 convolutions of sketchKeras, as `keras_file.read` returns them."""
    rng = np.random.default_rng(seed)
    shapes = [(c.out_channels, c.in_channels, c.kernel, c.kernel) for c in CONVOLUTIONS]
    fan_in = [c.in_channels * c.kernel**2 for c in CONVOLUTIONS]
    return _layers(rng, shapes, fan_in, [c.out_channels for c in CONVOLUTIONS])


def simo_serra(seed: int = 0) -> Arrays:
    """Return the 23 convolutions of Simo-Serra, as `simo_serra_file.read` returns them."""
    rng = np.random.default_rng(seed)
    sides = [
        (n.in_channels, n.out_channels) if n.upsamples else (n.out_channels, n.in_channels)
        for n in LAYERS
    ]
    shapes = [(*side, n.kernel, n.kernel) for side, n in zip(sides, LAYERS, strict=True)]
    fan_in = [n.in_channels * n.kernel**2 // (4 if n.upsamples else 1) for n in LAYERS]
    layers = _layers(rng, shapes, fan_in, [n.out_channels for n in LAYERS])
    return {**layers, "mean": np.array([0.96], np.float32), "std": np.array([0.09], np.float32)}


def _layers(
    rng: np.random.Generator,
    shapes: Sequence[tuple[int, ...]],
    fan_in: Sequence[int],
    outputs: Sequence[int],
) -> Arrays:
    """Return layers by He's initialization, which keeps the variance from layer to layer.

    Args:
        rng: the random generator.
        shapes: shapes of the kernels.
        fan_in: weights per output of each layer.
        outputs: output channels of each layer.
    """
    state: Arrays = {}
    for index, (shape, inputs, channels) in enumerate(zip(shapes, fan_in, outputs, strict=True)):
        scale = np.float32((2 / inputs) ** 0.5)
        state[f"{index}.weight"] = scale * rng.standard_normal(shape, np.float32)
        state[f"{index}.bias"] = np.float32(0.05) * rng.standard_normal(channels, np.float32)
    return state


def write_keras(path: Path, seed: int = 0) -> None:
    """Write a file in the layout of sketchKeras's mod.h5, as Keras 2 writes it."""
    rng = np.random.default_rng(seed)
    state = sketchkeras(seed)
    names = []
    with h5py.File(path, "w") as file:
        weights = file.create_group("model_weights")
        for index, layer in enumerate(CONVOLUTIONS):
            convolution = {
                "kernel:0": state[f"{index}.weight"].transpose(2, 3, 1, 0),
                "bias:0": state[f"{index}.bias"],
            }
            names += [_layer(weights, f"conv2d_{index + 1}", convolution)]
            if index < len(CONVOLUTIONS) - 1:
                normalisation = {
                    "gamma:0": rng.uniform(0.9, 1.1, layer.out_channels),
                    "beta:0": rng.uniform(-0.05, 0.05, layer.out_channels),
                    "moving_mean:0": rng.uniform(-0.05, 0.05, layer.out_channels),
                    "moving_variance:0": rng.uniform(0.8, 1.2, layer.out_channels),
                }
                names += [_layer(weights, f"batch_normalization_{index + 1}", normalisation)]
                names += [_layer(weights, f"activation_{index + 1}", {})]
        weights.attrs["layer_names"] = [name.encode() for name in names]
        weights.attrs["backend"] = b"tensorflow"
        weights.attrs["keras_version"] = b"2.0.8"


def _layer(weights: h5py.Group, name: str, arrays: Mapping[str, NDArray[np.floating]]) -> str:
    group = weights.create_group(name)
    group.attrs["weight_names"] = [f"{name}/{key}".encode() for key in arrays]
    for key, array in arrays.items():
        group.create_dataset(f"{name}/{key}", data=array.astype(np.float32))
    return name
