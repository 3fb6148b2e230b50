"""The file of a trained colorizer: weights as safetensors, with the training job in its header."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save
from torch import nn
from torch.nn.utils import parametrize

from pipeline import store
from pipeline.colorizer.networks.painter import Painter
from pipeline.colorizer.train_job import SCHEMA, TrainJob
from sketch_models.errors import WeightsError

_KEY = "colorizer"  # of the file's metadata


@dataclass(frozen=True)
class LoadedModel:
    """What a colorizer's file holds.

    Attributes:
        painter: encoder and generator, in evaluation mode.
        job: that trained them.
        size: side of the pictures that they were trained on, in pixels.
    """

    painter: Painter
    job: TrainJob
    size: int


def write_colorizer(
    path: Path, encoder: nn.Module, generator: nn.Module, job: TrainJob, size: int
) -> None:
    """Publish an encoder and a generator, and beside them their training job as `<name>.json`.

    The header of the weights holds the job too, with the names of its files but not their folders.
    Spectral norms are folded into the weights that they scale.

    Raises:
        WeightsError: If the files cannot be written.
    """
    painter = Painter(job.network, size)
    painter.encoder.load_state_dict(encoder.state_dict())
    painter.generator.load_state_dict(generator.state_dict())
    fold_spectral_norms(painter.eval())
    # Without folders: weights are given to others, who need not know whose they were.
    public = replace(job, train=Path(job.train).name, test=Path(job.test).name)
    # One key: safetensors writes several in no fixed order; equal weights shall be equal files.
    header = {_KEY: json.dumps({"schema": SCHEMA, "size": size, "recipe": public.to_json()})}
    with store.publish(path) as temporary:
        # Not by the library's own writing, after which its owner alone may read the file.
        temporary.write_bytes(save(painter.state_dict(), metadata=header))
    with store.publish(path.with_suffix(".json")) as temporary:
        temporary.write_text(job.to_json(), encoding="utf-8")


def read_colorizer(path: Path) -> LoadedModel:
    """Load a colorizer onto the CPU.

    Raises:
        WeightsError: If the file is not a whole colorizer.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_KEY])
        if header["schema"] != SCHEMA:
            raise _unreadable(path)
        job, size = TrainJob.from_json(header["recipe"], path), int(header["size"])
        painter = fold_spectral_norms(Painter(job.network, size).eval())
        load_model(painter, str(path))
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    return LoadedModel(painter, job, size)


def _unreadable(path: Path) -> WeightsError:
    return WeightsError(
        f"{path} cannot be read as a colorizer. Choose a colorizer.safetensors that "
        "TrainColorizer wrote, or the folder that it is in."
    )


def fold_spectral_norms(network: Painter) -> Painter:
    """Replace weights under spectral normalisation by plain ones of the same value, in place."""
    for layer in network.modules():
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight")
    return network
