"""A writer of weight files in sketchKeras's layout, as all versions of Keras write them."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from sketch_models.weights.keras_file import BatchNorm, Convolution, Layer


def random_layers(convolutions: Sequence[Convolution], seed: int = 0) -> list[Layer]:
    """Return random weights that keep the variance of their input (He); statistics vary.

    The last layer is weaker, so that the result for noise is about in [-1, 1].
    """
    rng = np.random.default_rng(seed)

    def uniform(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, c.out_channels).astype(np.float32)

    layers = []
    for c in convolutions:
        shape = (c.kernel, c.kernel, c.in_channels, c.out_channels)
        last = c is convolutions[-1]
        scale = np.float32(((0.1 if last else 2) / (c.in_channels * c.kernel**2)) ** 0.5)
        kernel = scale * rng.standard_normal(shape, np.float32)
        norm = BatchNorm(
            gamma=uniform(0.8, 1.2),
            beta=uniform(-0.1, 0.1),
            mean=uniform(-0.1, 0.1),
            variance=uniform(0.7, 1.3),
        )
        layers.append(Layer(kernel, uniform(-0.1, 0.1), None if last else norm))
    return layers


def write(
    path: Path,
    layers: Sequence[Layer],
    *,
    top: str = "model_weights",
    nesting: str = "{layer}/{layer}/{array}:0",
    first: int = 1,
    order: bool = True,
    config: str = '{"class_name": "Model"}',
    **arrays: object,
) -> None:
    """Write a file of Keras 2; the options are what differs between versions.

    Args:
        path: of the file to write.
        layers: the weights to write.
        top: group of the layers; "" for a file of weights alone.
        nesting: path of an array.
        first: number of the first layer of a kind; 0: `conv2d`, `conv2d_1` and so on.
        order: whether layers list the names of their arrays, in order.
        config: the JSON of the model.
        arrays: names of arrays that are written under another name.
    """
    names = []
    with h5py.File(path, "w") as file:
        group = file.create_group(top) if top else file
        if top:
            file.attrs["model_config"] = config.encode()
        for number, layer in enumerate(layers, first):
            suffix = f"_{number}" if number else ""
            weights = {"kernel": layer.kernel, "bias": layer.bias}
            names.append(_write_layer(group, f"conv2d{suffix}", weights, nesting, order, arrays))
            if norm := layer.batch_norm:
                weights = {
                    "gamma": norm.gamma,
                    "beta": norm.beta,
                    "moving_mean": norm.mean,
                    "moving_variance": norm.variance,
                }
                name = f"batch_normalization{suffix}"
                names.append(_write_layer(group, name, weights, nesting, order, arrays))
                names.append(_write_layer(group, f"activation{suffix}", {}, nesting, order, {}))
        group.attrs["layer_names"] = [name.encode() for name in names]


def _write_layer(
    group: h5py.Group,
    layer: str,
    weights: dict[str, np.ndarray],
    nesting: str,
    order: bool,
    renamed: dict[str, object],
) -> str:
    subgroup = group.require_group(layer)
    paths = []
    for name, values in weights.items():
        path = nesting.format(layer=layer, array=renamed.get(name, name))
        group.create_dataset(path, data=values)
        paths.append(path.removeprefix(f"{layer}/").encode())
    if order:
        subgroup.attrs["weight_names"] = paths
    return layer
