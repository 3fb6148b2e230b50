"""sketchKeras in TensorFlow, as its authors ran it: the reference for the PyTorch network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketch_models.errors import SengaError
from sketch_models.weights.keras_file import CONVOLUTIONS, EPSILON, read_layers

_UP = (9, 11, 13, 15)
"""Convolutions that work on twice the size, on what came before and what the way down kept."""

Maps = Sequence[NDArray[np.float32]]
"""(H, W) float32 each."""


class TensorflowNetwork:
    """The U-Net with the weights of a file in Keras's layout.

    A GPU's memory is taken as it is needed, not all at once.

    Args:
        path: of `mod.h5`.
        padding: `zero` or `reflect`, around every convolution.

    Raises:
        SengaError: where TensorFlow is not installed, or the file is not what it should be.
    """

    def __init__(self, path: Path, padding: str = "zero") -> None:
        layers = read_layers(path)
        self._tensorflow, keras = _imported()
        self._model = build(keras, padding)
        for place, layer in enumerate(layers):
            self._model.get_layer(f"conv2d_{place + 1}").set_weights([layer.kernel, layer.bias])
            after = layer.normalisation
            if after is not None:
                self._model.get_layer(f"batch_normalization_{place + 1}").set_weights(
                    [after.gamma, after.beta, after.mean, after.variance]
                )

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Finds lines.

        Args:
            batch: (N, H, W, 1), as for the PyTorch network; sides are multiples of 16,
                where the padding is reflected at least 32.

        Returns:
            (N, H, W, 1) float32, about [0, 1], high = ink.
        """
        lines: NDArray[np.float32]
        lines = self._model(self._tensorflow.constant(batch), training=False).numpy()
        return lines

    def run(self, maps: Maps) -> list[NDArray[np.float32]]:
        """Puts (H, W) maps through the network, one at a time; gives them back in order."""
        return [self(picture[None, ..., None])[0, ..., 0] for picture in maps]


def build(keras: Any, padding: str = "zero") -> Any:  # noqa: ANN401 - Keras is not typed
    """The U-Net as a Keras model whose layers have the names of the published file."""
    layers = keras.layers
    picture = keras.Input((None, None, 1))
    same = padding == "zero"

    def convolution(place: int, x: Any) -> Any:  # noqa: ANN401
        shape = CONVOLUTIONS[place]
        if place in _UP:
            x = layers.UpSampling2D()(x)
        if not same:  # before and after, as much as `same` adds
            beside = (1, 2) if place in _UP else (1, 1)
            x = keras.ops.pad(x, ((0, 0), beside, beside, (0, 0)), "reflect")
        x = layers.Conv2D(
            shape.outputs,
            shape.kernel,
            strides=shape.stride,
            padding="same" if same else "valid",
            name=f"conv2d_{place + 1}",
        )(x)
        if place == len(CONVOLUTIONS) - 1:
            return x
        x = layers.BatchNormalization(epsilon=EPSILON, name=f"batch_normalization_{place + 1}")(x)
        return layers.ReLU()(x)

    down = [convolution(0, picture)]
    for place in (1, 3, 5):
        down.append(convolution(place + 1, convolution(place, down[-1])))
    down.append(convolution(7, down[-1]))
    x = convolution(8, down[-1])
    for place, beside in zip(_UP, reversed(down[1:]), strict=True):
        x = convolution(place + 1, convolution(place, layers.Concatenate()([beside, x])))
    return keras.Model(picture, convolution(17, layers.Concatenate()([down[0], x])))


def _imported() -> tuple[Any, Any]:
    """TensorFlow and its Keras, quiet and modest."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # whatever the user's keras.json says
    try:
        import tensorflow
    except ImportError as error:
        raise SengaError(
            "[sketch] runtime = tensorflow needs TensorFlow, which is not installed: "
            "pip install -e .[tensorflow], or set it to torch."
        ) from error
    with suppress(RuntimeError):  # somebody has used TensorFlow before, and settled it
        for gpu in tensorflow.config.list_physical_devices("GPU"):
            tensorflow.config.experimental.set_memory_growth(gpu, True)
    # Its 10 bits of mantissa would make a poor reference.
    tensorflow.config.experimental.enable_tensor_float_32_execution(False)
    return tensorflow, tensorflow.keras
