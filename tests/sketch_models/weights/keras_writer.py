"""Writes weight files of sketchKeras's layout, as the versions of Keras do."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from sketch_models.weights.keras_file import Convolution, Layer, Normalisation


def random_layers(convolutions: Sequence[Convolution], seed: int = 0) -> list[Layer]:
    """What comes out of a layer is about as strong as what goes in (He); statistics vary.

    The last layer is weaker, so that the map of noise lies about in [-1, 1].
    """
    rng = np.random.default_rng(seed)

    def uniform(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, c.outputs).astype(np.float32)

    layers = []
    for c in convolutions:
        shape = (c.kernel, c.kernel, c.inputs, c.outputs)
        last = c is convolutions[-1]
        scale = np.float32(((0.1 if last else 2) / (c.inputs * c.kernel**2)) ** 0.5)
        kernel = scale * rng.standard_normal(shape, np.float32)
        after = Normalisation(
            gamma=uniform(0.8, 1.2),
            beta=uniform(-0.1, 0.1),
            mean=uniform(-0.1, 0.1),
            variance=uniform(0.7, 1.3),
        )
        layers.append(Layer(kernel, uniform(-0.1, 0.1), None if last else after))
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
    """Writes a file of Keras 2; the options are what differs between versions.

    Args:
        path: where to.
        layers: what.
        top: group of the layers; "" for a file of weights alone.
        nesting: path of an array.
        first: number of the first layer of a kind; 0: `conv2d`, `conv2d_1` and so on.
        order: whether layers list the names of their arrays.
        config: what Keras says of the model.
        arrays: names of arrays that are written under another name.
    """
    names = []
    with h5py.File(path, "w") as file:
        group = file.create_group(top) if top else file
        if top:
            file.attrs["model_config"] = config.encode()
        for place, layer in enumerate(layers):
            number = f"_{place + first}" if place + first else ""
            weights = {"kernel": layer.kernel, "bias": layer.bias}
            names.append(_write_layer(group, f"conv2d{number}", weights, nesting, order, arrays))
            if after := layer.normalisation:
                weights = {
                    "gamma": after.gamma,
                    "beta": after.beta,
                    "moving_mean": after.mean,
                    "moving_variance": after.variance,
                }
                name = f"batch_normalization{number}"
                names.append(_write_layer(group, name, weights, nesting, order, arrays))
                names.append(_write_layer(group, f"activation{number}", {}, nesting, order, {}))
        group.attrs["layer_names"] = [name.encode() for name in names]


def _write_layer(
    group: h5py.Group,
    layer: str,
    weights: dict[str, np.ndarray],
    nesting: str,
    order: bool,
    renamed: dict[str, object],
) -> str:
    made = group.require_group(layer)
    paths = []
    for name, values in weights.items():
        path = nesting.format(layer=layer, array=renamed.get(name, name))
        group.create_dataset(path, data=values)
        paths.append(path.removeprefix(f"{layer}/").encode())
    if order:
        made.attrs["weight_names"] = paths
    return layer
