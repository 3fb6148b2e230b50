"""The demo's models: their loading, their description for the API, and their use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.initial_weights import find_colorizer
from pipeline.colorizer.train_job import WEIGHTS
from pipeline.demo.api_error import ApiError
from pipeline.demo.options import DemoOptions
from pipeline.demo.worker import ColorizeJob, Job, SimplifyJob, SketchJob
from sketch_models.centerline import CenterlineOptions
from sketch_models.errors import SengaError, WeightsError
from sketch_models.model import LineModel, SketchModel
from sketch_models.network_options import (
    ComputeOptions,
    InkerOptions,
    SimoSerraOptions,
    SketchKerasOptions,
    TracerOptions,
)
from sketch_models.registry import line_model, sketch_model
from sketch_models.runner import choose_device
from sketch_models.styles import STYLES
from sketch_models.weights import weights
from sketch_models.xdog import XdogOptions

SHIPPED = Path(__file__).parent / "model"
"""The folder of the colorizer that comes with the demo."""

TRAIN_COMMAND = "LUIGI_CONFIG_PATH=configs/demo.cfg senga TrainColorizer"
"""The command that trained the shipped colorizer."""

_METRICS_FILE = "metrics.json"

Model = TypeVar("Model")


@dataclass(frozen=True)
class LoadResult(Generic[Model]):
    """A model, or the reason why it is not loaded.

    Attributes:
        model: the model; None if it is not loaded.
        reason: for people, why it is not loaded and what to do; None if it is loaded.
    """

    model: Model | None
    reason: str | None = None

    @classmethod
    def load(cls, load: Callable[[], Model], option: str) -> LoadResult[Model]:
        """Call `load`; turn any error into a reason.

        Args:
            load: a function that returns the model.
            option: the option to choose another file with, such as `--colorizer`.
        """
        try:
            return cls(load())
        except SengaError as error:
            return cls(None, str(error))
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            return cls(None, f"{option}: the file cannot be loaded ({message}). Use another.")

    def get(self) -> Model:
        """Return the model, which must be loaded."""
        assert self.model is not None
        return self.model


class Models:
    """All models of the demo, loaded or not.

    `run_batch` is for one thread at a time, everything else for any.

    Args:
        colorizer: the colorizer.
        source: file of the colorizer.
        sketch: sketch models by name.
        simplify: line models by name.
        device: the device of the networks.
    """

    def __init__(
        self,
        colorizer: LoadResult[Colorizer],
        source: Path,
        sketch: Mapping[str, LoadResult[SketchModel]],
        simplify: Mapping[str, LoadResult[LineModel]],
        device: torch.device,
    ) -> None:
        self._colorizer, self._source, self._device = colorizer, source, device
        self._sketch, self._simplify = dict(sketch), dict(simplify)
        self._description = self._describe()

    @classmethod
    def load(cls, options: DemoOptions) -> Models:
        """Load all models that are on this machine; nothing is downloaded.

        Raises:
            ConfigError: If this machine has no such device.
        """
        compute = ComputeOptions(device=options.device)
        device = choose_device(compute.device)
        named = Path(options.colorizer).expanduser()
        source = find_colorizer(named) if options.colorizer else SHIPPED / WEIGHTS
        return cls(
            LoadResult.load(
                lambda: _load_colorizer(source, options.device), f"--colorizer = {source}"
            ),
            source,
            {
                "tracer": LoadResult.load(
                    lambda: sketch_model(TracerOptions(), compute, "torch"), "tracer"
                ),
                "xdog": LoadResult(sketch_model(XdogOptions(), compute, "torch")),
                "sketchkeras": LoadResult.load(
                    lambda: _load_sketchkeras(options.sketchkeras, compute), "--sketchkeras"
                ),
            },
            {
                "inker": LoadResult.load(lambda: line_model(InkerOptions(), compute), "inker"),
                "centerline": LoadResult(line_model(CenterlineOptions(), compute)),
                "simo_serra": LoadResult.load(
                    lambda: _load_simo_serra(options.simo_serra, compute), "--simo-serra"
                ),
            },
            device,
        )

    @property
    def colorizer(self) -> Colorizer | None:
        """The colorizer, or None if it failed to load."""
        return self._colorizer.model

    @property
    def size(self) -> int:
        """Side of the colorizer's square pictures, in pixels."""
        return self._colorizer.get().size

    @property
    def latent_dim(self) -> int:
        """Number of dimensions of the colorizer's z."""
        return self._colorizer.get().latent_dim

    @property
    def max_batch(self) -> int:
        """The largest number of pictures in a batch, for the best throughput.

        A CPU needs a quarter more time per picture for eight than for four, which fit its caches;
        and four are ready sooner.
        """
        return 4 if self._device.type == "cpu" else 8

    def describe(self) -> dict[str, Any]:
        """Return `colorizer`, `sketch`, `simplify` and `styles` of `/api/models`."""
        return self._description

    def require_colorizer(self) -> None:
        """Raise unless the colorizer is loaded.

        Raises:
            ApiError: `colorizer_unavailable`.
        """
        if self._colorizer.model is None:
            raise ApiError("colorizer_unavailable", str(self._colorizer.reason))

    def require_model(self, stage: str, name: str) -> None:
        """Raise unless a sketch or line model is loaded.

        Args:
            stage: `sketch` or `simplify`.
            name: of the model.

        Raises:
            ApiError: `model_unavailable`, or `bad_field` for an unknown name.
        """
        models: Mapping[str, LoadResult[Any]]
        models = self._sketch if stage == "sketch" else self._simplify
        if name not in models:
            names = " or ".join(models)
            raise ApiError("bad_field", f"`model` is {name[:40]!r}, expected {names}.")
        if models[name].model is None:
            raise ApiError("model_unavailable", str(models[name].reason))

    def run_batch(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        """Return one output per job; all jobs are of the same stage and model, which is loaded."""
        first = jobs[0]
        if isinstance(first, ColorizeJob):
            colorize = cast("Sequence[ColorizeJob]", jobs)
            lines, hints = [job.line for job in colorize], [job.hints for job in colorize]
            whole = (0, 0, self.size, self.size)
            colorizer = self._colorizer.get()
            return colorizer.colorize_batch(
                lines,
                hints,
                np.stack([_z_of(colorizer, job) for job in colorize]),
                boxes=[job.box or whole for job in colorize],
            )
        if isinstance(first, SketchJob):
            sketch = cast("Sequence[SketchJob]", jobs)
            return self._sketch[first.model].get().lines([job.picture for job in sketch])
        simplify = cast("Sequence[SimplifyJob]", jobs)
        return self._simplify[first.model].get().simplify([job.sketch for job in simplify])

    def warmup_job(self) -> ColorizeJob:
        """Return a job with a blank drawing, for the first run, which takes longer than others."""
        paper = np.full((self.size, self.size), 255, np.uint8)
        return ColorizeJob(paper, None, np.zeros(self.latent_dim, np.float32))

    def _describe(self) -> dict[str, Any]:
        return {
            "colorizer": self._describe_colorizer(),
            "sketch": _describe_models(self._sketch),
            "simplify": _describe_models(self._simplify),
            "styles": list(STYLES),
        }

    def _describe_colorizer(self) -> dict[str, Any]:
        colorizer, shipped = self._colorizer.model, self._source.parent == SHIPPED
        folder, stem = self._source.parent.name, self._source.stem
        name = folder if self._source.name == WEIGHTS else stem
        return {
            "available": colorizer is not None,
            "reason": self._colorizer.reason,
            "name": "senga-demo" if shipped else name,
            "shipped": shipped,
            "generator": colorizer and colorizer.train_job.network.generator,
            "size": colorizer and colorizer.size,
            "latent": colorizer and colorizer.latent_dim,
            "parameters": colorizer and colorizer.num_parameters,
            "device": str(self._device),
            "metrics": _read_metrics(self._source.with_name(_METRICS_FILE)) if colorizer else None,
            "train": TRAIN_COMMAND,
        }


def _describe_models(models: Mapping[str, LoadResult[Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "available": loaded.model is not None, "reason": loaded.reason}
        for name, loaded in models.items()
    ]


def _read_metrics(path: Path) -> object:
    """Return the metrics of a colorizer, or None if they cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _load_colorizer(source: Path, device: str) -> Colorizer:
    if not source.is_file():
        raise WeightsError(
            f"There is no colorizer at {source}. Name a colorizer.safetensors with --colorizer, or "
            f"train one with {TRAIN_COMMAND}."
        )
    return Colorizer.load(source, device)


def _load_sketchkeras(chosen: str, compute: ComputeOptions) -> SketchModel:
    options = SketchKerasOptions(weights=chosen or "sketchkeras")
    _require_on_disk(options.weights, "sketchkeras")
    return sketch_model(options, compute, "torch")


def _load_simo_serra(chosen: str, compute: ComputeOptions) -> LineModel:
    options = SimoSerraOptions(weights=chosen or "gan")
    _require_on_disk(options.weights, "simo_serra")
    return line_model(options, compute)


def _require_on_disk(name: str, network: str) -> None:
    """Raise if weights would have to be downloaded.

    Raises:
        WeightsError: with the command that downloads them.
    """
    option = f"--{network.replace('_', '-')}"
    weights.identity(name, option=option, network=network)
    if not weights.is_available(name):
        advice = ", then start the demo again"
        raise WeightsError(weights.missing_weights_message(name, option, advice))


def _z_of(colorizer: Colorizer, job: ColorizeJob) -> NDArray[np.float32]:
    """Return the z of a job, that of its reference picture included."""
    return job.z if job.reference is None else job.z + colorizer.encode_reference(job.reference)
