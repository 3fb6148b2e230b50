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
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.train_job import SCHEMA, TrainJob
from sketch_models.errors import SengaError, WeightsError

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
        if header["schema"] != SCHEMA:
            raise _unreadable(path)
        job, size = TrainJob.from_json(header[_JOB_KEY], path), int(header["size"])
        vae = fold_spectral_norms(Vae(job.network, size).eval())
        load_model(vae, str(path))
    except (SengaError, OSError, SafetensorError, RuntimeError) as error:
        raise _unreadable(path) from error
    except (ValueError, KeyError, TypeError) as error:  # another header
        raise _unreadable(path) from error
    return LoadedModel(vae, job, size)


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
