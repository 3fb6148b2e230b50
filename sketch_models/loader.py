"""Sketch and line models for use from Python, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from sketch_models import registry
from sketch_models.errors import ConfigError
from sketch_models.model import LineModel, SketchModel
from sketch_models.network_options import ComputeOptions
from sketch_models.option import Options
from sketch_models.pixels import to_grey, to_rgb

SketchName = Literal["tracer", "xdog", "sketchkeras"]
LineName = Literal["inker", "centerline", "simo_serra"]

R = TypeVar("R")


class LoadedSketchModel:
    """A sketch model that takes pictures as people have them.

    Args:
        model: the model.
    """

    def __init__(self, model: SketchModel) -> None:
        self.batch_size, self.threads = model.batch_size, model.threads
        self._model = model

    def lines(self, pictures: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Return ink maps; `ink_to_sketch` makes sketches of them.

        Args:
            pictures: uint8 or uint16, of any sizes: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA,
                whose transparent pixels become white.

        Returns:
            (H, W) float32 in [0, 1], 1 = ink, one per picture; the result for a picture does not
            depend on the others.

        Raises:
            ValueError: If something is not such a picture.
            SengaError: If the device has not enough memory.
        """
        return _run(self._model.lines, to_rgb, pictures, self.batch_size)


class LoadedLineModel:
    """A line model that takes sketches as people have them.

    Args:
        model: the model.
    """

    def __init__(self, model: LineModel) -> None:
        self.batch_size, self.threads = model.batch_size, model.threads
        self._model = model

    def simplify(self, sketches: Sequence[NDArray[Any]]) -> list[NDArray[np.uint8]]:
        """Return line art.

        Args:
            sketches: dark lines on light paper, as the pictures of `LoadedSketchModel.lines`.

        Returns:
            (H, W) uint8, 0 = ink, 255 = paper, aligned to the sketches to the pixel, one per
            sketch; the result for a sketch does not depend on the others.

        Raises:
            ValueError: If something is not such a sketch.
            SengaError: If the device has not enough memory.
        """
        return _run(self._model.simplify, to_grey, sketches, self.batch_size)


@overload
def load(
    name: SketchName, *, device: str = "auto", precision: str = "auto", **options: object
) -> LoadedSketchModel: ...


@overload
def load(
    name: LineName, *, device: str = "auto", precision: str = "auto", **options: object
) -> LoadedLineModel: ...


def load(
    name: str, *, device: str = "auto", precision: str = "auto", **options: object
) -> LoadedSketchModel | LoadedLineModel:
    """Return a sketch model or a line model; it may be called from several threads.

    Weights are found by themselves: those of `tracer` and `inker` come with the package, those of
    `sketchkeras` and `simo_serra` are downloaded once.

    Args:
        name: tracer, xdog or sketchkeras; or inker, centerline or simo_serra.
        device: of a network: auto, cpu, cuda, cuda:1 ..., or mps.
        precision: of a network: auto, fp32, bf16 or fp16.
        **options: the model's own, such as `weights="mine.safetensors"`: the keys of the section
            of its name in the configuration.

    Raises:
        ConfigError: If there is no such model, option or device, or a value cannot be used.
        WeightsError: If its weights are missing, damaged, or cannot be downloaded.
    """
    compute = ComputeOptions(device=device, precision=precision)
    if name in registry.SKETCH_MODELS:
        sketch_options = _make_options(registry.SKETCH_OPTIONS[name], options)
        return LoadedSketchModel(registry.sketch_model(sketch_options, compute, "torch"))
    if name in registry.LINE_MODELS:
        line_options = _make_options(registry.LINE_OPTIONS[name], options)
        return LoadedLineModel(registry.line_model(line_options, compute))
    raise ConfigError(
        f"There is no model {name}. Sketch models: {', '.join(registry.SKETCH_MODELS)}; line "
        f"models: {', '.join(registry.LINE_MODELS)}."
    )


def _make_options(options_type: type[R], values: dict[str, object]) -> R:
    assert issubclass(options_type, Options)
    names = [key.name for key in fields(options_type)]
    for key in values:
        if key not in names:
            raise ConfigError(
                f"{options_type.section} has no option {key}. Options: {', '.join(names)}."
            )
    return options_type(**values)


def _run(
    model: Callable[[Sequence[NDArray[np.uint8]]], list[R]],
    convert: Callable[[object], NDArray[np.uint8]],
    pictures: Sequence[NDArray[Any]] | NDArray[Any],
    batch_size: int,
) -> list[R]:
    """Convert pictures and run a model on them, a batch at a time, in bounded memory."""
    if isinstance(pictures, np.ndarray):
        raise ValueError("One array is given: expected a list of pictures, such as [picture].")
    results: list[R] = []
    for start in range(0, len(pictures), batch_size):
        results += model([convert(each) for each in pictures[start : start + batch_size]])
    return results
