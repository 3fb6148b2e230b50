"""Random weights of full size: the published ones are not ours to ship."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sketch_models.weights.keras_file import CONVOLUTIONS
from sketch_models.weights.simo_serra_file import LAYERS

Arrays = dict[str, NDArray[np.float32]]
"""Weights by name."""


def sketchkeras(seed: int = 0) -> Arrays:
    """The 18 convolutions of sketchKeras, as `keras_file.read` gives them."""
    rng = np.random.default_rng(seed)
    shapes = [(c.out_channels, c.in_channels, c.kernel, c.kernel) for c in CONVOLUTIONS]
    reach = [c.in_channels * c.kernel**2 for c in CONVOLUTIONS]
    return _layers(rng, shapes, reach, [c.out_channels for c in CONVOLUTIONS])


def simo_serra(seed: int = 0) -> Arrays:
    """The 23 convolutions of sketch simplification, as `simo_serra_file.read` gives them."""
    rng = np.random.default_rng(seed)
    sides = [
        (n.in_channels, n.out_channels) if n.upsamples else (n.out_channels, n.in_channels)
        for n in LAYERS
    ]
    shapes = [(*side, n.kernel, n.kernel) for side, n in zip(sides, LAYERS, strict=True)]
    reach = [n.in_channels * n.kernel**2 // (4 if n.upsamples else 1) for n in LAYERS]
    layers = _layers(rng, shapes, reach, [n.out_channels for n in LAYERS])
    return {**layers, "mean": np.array([0.96], np.float32), "std": np.array([0.09], np.float32)}


def _layers(
    rng: np.random.Generator,
    shapes: Sequence[tuple[int, ...]],
    reach: Sequence[int],
    outputs: Sequence[int],
) -> Arrays:
    """He's initialisation: what comes out of a layer is about as strong as what goes in.

    Args:
        rng: where they come from.
        shapes: of the kernels.
        reach: weights that meet on one output.
        outputs: channels.
    """
    state: Arrays = {}
    for place, (shape, meet, channels) in enumerate(zip(shapes, reach, outputs, strict=True)):
        scale = np.float32((2 / meet) ** 0.5)
        state[f"{place}.weight"] = scale * rng.standard_normal(shape, np.float32)
        state[f"{place}.bias"] = np.float32(0.05) * rng.standard_normal(channels, np.float32)
    return state


def write_keras(path: Path, seed: int = 0) -> None:
    """A file in the layout of sketchKeras's mod.h5, as Keras 2 writes it."""
    rng = np.random.default_rng(seed)
    state = sketchkeras(seed)
    names = []
    with h5py.File(path, "w") as file:
        weights = file.create_group("model_weights")
        for place, layer in enumerate(CONVOLUTIONS):
            convolution = {
                "kernel:0": state[f"{place}.weight"].transpose(2, 3, 1, 0),
                "bias:0": state[f"{place}.bias"],
            }
            names += [_layer(weights, f"conv2d_{place + 1}", convolution)]
            if place < len(CONVOLUTIONS) - 1:
                normalisation = {
                    "gamma:0": rng.uniform(0.9, 1.1, layer.out_channels),
                    "beta:0": rng.uniform(-0.05, 0.05, layer.out_channels),
                    "moving_mean:0": rng.uniform(-0.05, 0.05, layer.out_channels),
                    "moving_variance:0": rng.uniform(0.8, 1.2, layer.out_channels),
                }
                names += [_layer(weights, f"batch_normalization_{place + 1}", normalisation)]
                names += [_layer(weights, f"activation_{place + 1}", {})]
        weights.attrs["layer_names"] = [name.encode() for name in names]
        weights.attrs["backend"] = b"tensorflow"
        weights.attrs["keras_version"] = b"2.0.8"


def _layer(weights: h5py.Group, name: str, arrays: dict[str, NDArray[np.floating]]) -> str:
    group = weights.create_group(name)
    group.attrs["weight_names"] = [f"{name}/{key}".encode() for key in arrays]
    for key, array in arrays.items():
        group.create_dataset(f"{name}/{key}", data=array.astype(np.float32))
    return name
