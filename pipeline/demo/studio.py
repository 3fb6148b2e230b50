"""The demo's models: which there are, and what they draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import WEIGHTS, Colorizer
from pipeline.demo.options import DemoOptions
from pipeline.demo.problem import Problem
from pipeline.demo.worker import Job, PaintJob, SimplifyJob, SketchJob
from sketch_models.centerline import CenterlineOptions
from sketch_models.errors import SengaError
from sketch_models.model import LineModel, SketchModel
from sketch_models.network_options import GpuOptions, SimoSerraOptions, SketchKerasOptions
from sketch_models.registry import line_model, sketch_model
from sketch_models.runner import choose_device
from sketch_models.styles import STYLES
from sketch_models.weights import weights
from sketch_models.xdog import XdogOptions

SHIPPED = Path(__file__).parent / "model"
"""The folder of the colorizer that comes with the demo."""

TRAIN = "LUIGI_CONFIG_PATH=configs/demo.cfg luigi --module tasks TrainColorizer"
"""The command that trained it."""

_METRICS = "metrics.json"

Model = TypeVar("Model")


@dataclass(frozen=True)
class Place(Generic[Model]):
    """A model, or the sentence that says why it is not there and what to do."""

    model: Model | None
    reason: str | None = None

    @property
    def there(self) -> Model:
        """The model, where there is one."""
        assert self.model is not None
        return self.model

    @classmethod
    def of(cls, load: Callable[[], Model], what: str) -> Place[Model]:
        """What `load` gives; why not, where it fails, however that is."""
        try:
            return cls(load())
        except SengaError as error:
            return cls(None, str(error))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            return cls(None, f"{what} cannot be loaded ({said}), expected another; choose one.")


class Studio:
    """All models that are loaded.

    Its methods are for one thread at a time; `describe` and `require` are for any.

    Args:
        colorizer: that paints.
        source: file of the colorizer.
        sketch: sketch models by name.
        simplify: line models by name.
        device: that the networks run on.
    """

    def __init__(
        self,
        colorizer: Place[Colorizer],
        source: Path,
        sketch: Mapping[str, Place[SketchModel]],
        simplify: Mapping[str, Place[LineModel]],
        device: torch.device,
    ) -> None:
        self._colorizer, self._source, self._device = colorizer, source, device
        self._sketch, self._simplify = dict(sketch), dict(simplify)
        self._described = self._describe()

    @classmethod
    def load(cls, options: DemoOptions) -> Studio:
        """Loads what there is; nothing is downloaded.

        Raises:
            SengaError: where this machine has no such device.
        """
        gpu = GpuOptions(device=options.device)
        device = choose_device(gpu.device)
        source = Path(options.colorizer).expanduser() if options.colorizer else SHIPPED
        source = source / WEIGHTS if source.is_dir() or source == SHIPPED else source
        return cls(
            Place.of(lambda: _colorizer(source, gpu), str(source)),
            source,
            {
                "xdog": Place(sketch_model(XdogOptions(), gpu, "torch")),
                "sketchkeras": Place.of(lambda: _sketchkeras(options.sketchkeras, gpu), "It"),
            },
            {
                "centerline": Place(line_model(CenterlineOptions(), gpu)),
                "simo_serra": Place.of(lambda: _simo_serra(options.simo_serra, gpu), "It"),
            },
            device,
        )

    @property
    def colorizer(self) -> Colorizer | None:
        """That paints, where there is one."""
        return self._colorizer.model

    @property
    def size(self) -> int:
        """Side of the squares that the colorizer paints, in pixels."""
        return self._painter.size

    @property
    def latent(self) -> int:
        """Dimensions of the colorizer's z."""
        return self._painter.latent

    @property
    def at_once(self) -> int:
        """Pictures that are best drawn together.

        A CPU needs a quarter more time for each of eight than for each of four, which its caches
        hold; and four are ready sooner.
        """
        return 4 if self._device.type == "cpu" else 8

    def describe(self) -> dict[str, Any]:
        """`colorizer`, `sketch`, `simplify` and `styles`, as `/api/models` says them."""
        return self._described

    def require(self, kind: str, model: str = "") -> None:
        """Refuses what cannot be drawn.

        Args:
            kind: `colorizer`, `sketch` or `simplify`.
            model: its name; of the colorizer, none.

        Raises:
            Problem: `colorizer_unavailable`, `model_unavailable`, or `bad_field` for a name that
                there is not.
        """
        if kind == "colorizer":
            if self._colorizer.model is None:
                raise Problem("colorizer_unavailable", str(self._colorizer.reason))
            return
        places: Mapping[str, Place[Any]] = self._sketch if kind == "sketch" else self._simplify
        if model not in places:
            names = " or ".join(places)
            raise Problem("bad_field", f"`model` is {model[:40]!r}, expected {names}.")
        if places[model].model is None:
            raise Problem("model_unavailable", str(places[model].reason))

    def draw(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        """Does jobs of one kind and model, which must be there; one result per job."""
        first = jobs[0]
        if isinstance(first, PaintJob):
            paints = cast("Sequence[PaintJob]", jobs)
            lines, hints = [job.line for job in paints], [job.hints for job in paints]
            return list(self._painter.paint(lines, hints, np.stack([job.z for job in paints])))
        if isinstance(first, SketchJob):
            sketches = cast("Sequence[SketchJob]", jobs)
            return self._sketch[first.model].there.extract_lines([job.picture for job in sketches])
        roughs = cast("Sequence[SimplifyJob]", jobs)
        return self._simplify[first.model].there.simplify([job.sketch for job in roughs])

    def blank(self) -> PaintJob:
        """Paints an empty square: the first painting takes longer than all others."""
        paper = np.full((self.size, self.size), 255, np.uint8)
        return PaintJob(paper, None, np.zeros(self.latent, np.float32))

    @property
    def _painter(self) -> Colorizer:
        return self._colorizer.there

    def _describe(self) -> dict[str, Any]:
        return {
            "colorizer": self._describe_colorizer(),
            "sketch": _listed(self._sketch),
            "simplify": _listed(self._simplify),
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
            "generator": colorizer and colorizer.recipe.network.generator,
            "size": colorizer and colorizer.size,
            "latent": colorizer and colorizer.latent,
            "parameters": colorizer and colorizer.parameters,
            "device": str(self._device),
            "metrics": _metrics(self._source.with_name(_METRICS)) if colorizer else None,
            "train": TRAIN,
        }


def _listed(places: Mapping[str, Place[Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "available": place.model is not None, "reason": place.reason}
        for name, place in places.items()
    ]


def _metrics(path: Path) -> object:
    """What was measured of a colorizer; None where that is not known."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _colorizer(source: Path, gpu: GpuOptions) -> Colorizer:
    if not source.is_file():
        raise SengaError(
            f"There is no colorizer at {source}, expected a colorizer.safetensors: name another "
            f"with --colorizer, or train one with {TRAIN}."
        )
    return Colorizer.load(source, gpu)


def _sketchkeras(chosen: str, gpu: GpuOptions) -> SketchModel:
    options = SketchKerasOptions(weights=chosen or "sketchkeras")
    _require_here(options.weights, "sketchkeras")
    return sketch_model(options, gpu, "torch")


def _simo_serra(chosen: str, gpu: GpuOptions) -> LineModel:
    options = SimoSerraOptions(weights=chosen or "gan")
    _require_here(options.weights, "simo_serra")
    return line_model(options, gpu)


def _require_here(name: str, network: str) -> None:
    """Refuses weights that would have to be downloaded.

    Raises:
        SengaError: which says how to get them.
    """
    option = f"--{network.replace('_', '-')}"
    weights.identity(name, option=option, network=network)
    if not weights.is_available(name):
        advice = ", then start the demo again"
        raise SengaError(weights.missing_weights_message(name, option, advice))
