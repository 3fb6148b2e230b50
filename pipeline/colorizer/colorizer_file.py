"""The file of a trained colorizer: weights as safetensors, with the training job in its header."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_model, save
from torch import nn
from torch.nn.utils import parametrize

from pipeline import store
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.options import NetworkOptions
from pipeline.colorizer.train_job import SCHEMA, TrainJob
from sketch_models.errors import WeightsError

_KEY = "colorizer"  # of the file's metadata
_JOB_KEY = "recipe"  # of the training job in it, as in the files of earlier versions


@dataclass(frozen=True)
class LoadedModel:
    """The content of a colorizer's file.

    Attributes:
        vae: encoder and generator, in evaluation mode.
        job: the settings that they were trained with.
        size: side of the pictures that they were trained on, in pixels.
    """

    vae: Vae
    job: TrainJob
    size: int


def write_colorizer(
    path: Path, encoder: nn.Module, generator: nn.Module, job: TrainJob, size: int
) -> None:
    """Write an encoder and a generator, and beside them their training job as `<name>.json`.

    The header of the weights holds the job too, with the names of its files but not their folders.
    Spectral norms are folded into the weights that they scale.

    Raises:
        SengaError: If the files cannot be written.
    """
    vae = Vae(job.network, size)
    vae.encoder.load_state_dict(encoder.state_dict())
    vae.generator.load_state_dict(generator.state_dict())
    fold_spectral_norms(vae.eval())
    # Without folders: weights are given to others, who need not learn the names of users.
    public = replace(
        job,
        train=Path(job.train).name,
        test=Path(job.test).name,
        options=replace(job.options, initial_weights=Path(job.options.initial_weights).name),
        losses=replace(job.losses, perceptual_weights=Path(job.losses.perceptual_weights).name),
    )
    # One key: safetensors writes several in no fixed order, but equal weights shall be equal files.
    header = {_KEY: json.dumps({"schema": SCHEMA, "size": size, _JOB_KEY: public.to_json()})}
    with store.publish(path) as temporary:
        # Not by safetensors' `save_file`, which makes the file readable by its owner alone.
        temporary.write_bytes(save(vae.state_dict(), metadata=header))
    with store.publish(path.with_suffix(".json")) as temporary:
        temporary.write_text(job.to_json(), encoding="utf-8")


def read_colorizer(path: Path) -> LoadedModel:
    """Load a colorizer onto the CPU.

    Raises:
        WeightsError: If there is no such file, or if it is not a whole colorizer.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_KEY])
            weights = sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
        if header["schema"] != SCHEMA:
            raise _unreadable(path)
        job, size = TrainJob.from_json(header[_JOB_KEY], path), int(header["size"])
        if weights < _min_weights(job.network, size):
            raise _unreadable(path)
        vae = fold_spectral_norms(Vae(job.network, size).eval())
        load_model(vae, str(path))
    except MemoryError:
        raise
    except Exception as error:  # whatever the libraries raise, and another header
        raise _unreadable(path) from error
    return LoadedModel(vae, job, size)


def _min_weights(options: NetworkOptions, size: int) -> int:
    """Return how many weights the largest layers of the networks have together, or fewer.

    So the networks are made only if the file holds them: a header may claim any width.
    """
    deepest, side = 16 * options.width, max(1, size // 32)
    kernel = 9  # of 3 x 3
    weights = options.latent_dim * deepest * side**2  # from z to the first block
    weights += kernel * (deepest**2 + 2 * deepest * options.hidden)  # convolution, gamma and beta
    weights += kernel * 2 * options.encoder_width**2
    return weights + (kernel * options.map_width**2 if options.generator == "netl_spade" else 0)


def _unreadable(path: Path) -> WeightsError:
    return WeightsError(
        f"{path} cannot be read as a colorizer. Choose a colorizer.safetensors that "
        "TrainColorizer wrote, or the folder that it is in."
    )


def fold_spectral_norms(vae: Vae) -> Vae:
    """Replace weights under spectral normalisation by plain ones of the same value, in place."""
    for layer in vae.modules():
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight")
    return vae
