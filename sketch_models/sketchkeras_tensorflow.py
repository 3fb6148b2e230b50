"""sketchKeras in TensorFlow, as its authors ran it: the reference for the PyTorch network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketch_models.errors import ConfigError
from sketch_models.weights.keras_file import CONVOLUTIONS, EPSILON, read_layers

_UPSAMPLING = (9, 11, 13, 15)
"""Indices of the convolutions that upsample, and take a skip connection besides."""

Maps = Sequence[NDArray[np.float32]]
"""(H, W) float32 each."""


class TensorflowNetwork:
    """The U-Net with the weights of a file in Keras's layout.

    The memory of a GPU is allocated as needed, not all at once.

    Args:
        path: of `mod.h5`.
        padding: `zero` or `reflect`, around every convolution.

    Raises:
        ConfigError: If TensorFlow is not installed.
        WeightsError: If the file is not sketchKeras's.
    """

    def __init__(self, path: Path, padding: str = "zero") -> None:
        layers = read_layers(path)
        self._tensorflow, keras = _import_tensorflow()
        self._model = build_model(keras, padding)
        for number, layer in enumerate(layers, 1):
            self._model.get_layer(f"conv2d_{number}").set_weights([layer.kernel, layer.bias])
            norm = layer.batch_norm
            if norm is not None:
                self._model.get_layer(f"batch_normalization_{number}").set_weights(
                    [norm.gamma, norm.beta, norm.mean, norm.variance]
                )

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Extract lines.

        Args:
            batch: (N, H, W, 1), as for the PyTorch network; sides are multiples of 16, and at
                least 32 if the padding is `reflect`.

        Returns:
            (N, H, W, 1) float32, about [0, 1], high = ink.
        """
        ink: NDArray[np.float32]
        ink = self._model(self._tensorflow.constant(batch), training=False).numpy()
        return ink

    def run(self, maps: Maps) -> list[NDArray[np.float32]]:
        """Run the network on (H, W) maps, one at a time, in order."""
        return [self(picture[None, ..., None])[0, ..., 0] for picture in maps]


def build_model(keras: Any, padding: str = "zero") -> Any:  # noqa: ANN401 - Keras is not typed
    """Build the U-Net as a Keras model whose layers have the names of the published file."""
    layers = keras.layers
    picture = keras.Input((None, None, 1))
    same = padding == "zero"

    def convolution(index: int, x: Any) -> Any:  # noqa: ANN401
        shape = CONVOLUTIONS[index]
        if index in _UPSAMPLING:
            x = layers.UpSampling2D()(x)
        if not same:  # as much as `same` adds
            border = (1, 2) if index in _UPSAMPLING else (1, 1)
            x = keras.ops.pad(x, ((0, 0), border, border, (0, 0)), "reflect")
        x = layers.Conv2D(
            shape.out_channels,
            shape.kernel,
            strides=shape.stride,
            padding="same" if same else "valid",
            name=f"conv2d_{index + 1}",
        )(x)
        if index == len(CONVOLUTIONS) - 1:
            return x
        x = layers.BatchNormalization(epsilon=EPSILON, name=f"batch_normalization_{index + 1}")(x)
        return layers.ReLU()(x)

    skips = [convolution(0, picture)]
    for index in (1, 3, 5):
        skips.append(convolution(index + 1, convolution(index, skips[-1])))
    skips.append(convolution(7, skips[-1]))
    x = convolution(8, skips[-1])
    for index, skip in zip(_UPSAMPLING, reversed(skips[1:]), strict=True):
        x = convolution(index + 1, convolution(index, layers.Concatenate()([skip, x])))
    return keras.Model(picture, convolution(17, layers.Concatenate()([skips[0], x])))


def _import_tensorflow() -> tuple[Any, Any]:
    """Import TensorFlow and its Keras, with few log lines, growing memory and full float32."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # whatever the user's keras.json says
    try:
        import tensorflow
    except ImportError as error:
        raise ConfigError(
            "[sketch] backend = tensorflow: TensorFlow is not installed. Run "
            "`pip install -e .[tensorflow]`, or use torch."
        ) from error
    with suppress(RuntimeError):  # raised if TensorFlow has set up its memory already
        for gpu in tensorflow.config.list_physical_devices("GPU"):
            tensorflow.config.experimental.set_memory_growth(gpu, True)
    # TensorFloat-32 has 10 bits of mantissa: too inexact for a reference.
    tensorflow.config.experimental.enable_tensor_float_32_execution(False)
    return tensorflow, tensorflow.keras
