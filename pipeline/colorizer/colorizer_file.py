"""The file of a trained colorizer: weights as safetensors, with the recipe in its header."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save
from torch import nn
from torch.nn.utils import parametrize

from pipeline import store
from pipeline.colorizer import train_job as recipe
from pipeline.colorizer.networks.painter import Painter
from pipeline.colorizer.train_job import SCHEMA, Recipe
from sketch_models.errors import SengaError

_KEY = "colorizer"  # of the file's metadata


def write_colorizer(
    path: Path, encoder: nn.Module, generator: nn.Module, task: Recipe, size: int
) -> None:
    """Publishes an encoder and a generator, and `<name>.json`, the recipe, beside them.

    The weights hold the recipe too, with the names of its files but not their folders.
    Spectral norms are folded into the weights that they scale.

    Raises:
        SengaError: where the files cannot be written.
    """
    painter = Painter(task.network, size)
    painter.encoder.load_state_dict(encoder.state_dict())
    painter.generator.load_state_dict(generator.state_dict())
    fold(painter.eval())
    # Without folders: weights are given to others, who need not know whose they were.
    told = replace(task, train=Path(task.train).name, test=Path(task.test).name)
    # One key: safetensors writes several in no fixed order; equal weights shall be equal files.
    said = {_KEY: json.dumps({"schema": SCHEMA, "size": size, "recipe": told.text()})}
    with store.publish(path) as temporary:
        # Not by the library's own writing, after which its owner alone may read the file.
        temporary.write_bytes(save(painter.state_dict(), metadata=said))
    with store.publish(path.with_suffix(".json")) as temporary:
        temporary.write_text(task.text(), encoding="utf-8")


def read_colorizer(path: Path) -> tuple[Painter, Recipe, int]:
    """Encoder and generator on the CPU, ready to paint; their recipe; the side of pictures.

    Raises:
        SengaError: where the file is no whole colorizer.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            said = json.loads((opened.metadata() or {})[_KEY])
        if said["schema"] != SCHEMA:
            raise _not_one(path)
        task, size = recipe.read(said["recipe"], path), int(said["size"])
        painter = fold(Painter(task.network, size).eval())
        load_model(painter, str(path))
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise _not_one(path) from error
    return painter, task, size


def _not_one(path: Path) -> SengaError:
    return SengaError(
        f"{path} cannot be read as a colorizer, expected the colorizer.safetensors that "
        "TrainColorizer writes."
    )


def fold(network: Painter) -> Painter:
    """Puts spectral norms into the weights, which are from then on plain ones."""
    for layer in network.modules():
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight")
    return network
