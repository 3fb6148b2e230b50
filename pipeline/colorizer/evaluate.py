"""Measures colorizers on held-out pictures: `python -m pipeline.colorizer.evaluate job folder`.

Every method paints the same line art with the same hints; all measures are taken inside the
content box and lie between 0 and 1 levels in, in their own units out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.colorizer import measures
from pipeline.colorizer.baselines import nearest_hint_fill, white_fill
from pipeline.colorizer.bootstrap import interval
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.held_out import HeldOut, read_held_out
from pipeline.colorizer.hints import HintOptions, Hints
from pipeline.colorizer.options import EvaluateOptions
from pipeline.colorizer.run import command
from pipeline.colorizer.scores import Score, scores_to_json
from pipeline.errors import SengaError
from sketch_models.networks import GpuOptions

Pictures = Sequence[NDArray[np.uint8]]
"""N of (S, S, 3) uint8 RGB."""

PRIOR, ZERO, POSTERIOR = "prior", "zero", "posterior"
"""Where z comes from: drawn, its mean, or the truth that is to be painted - an upper bound."""

NAMES = {"netl_spade": "netL-SPADE", "spade": "SPADE"}
_LINE_RADIUS = 2.0 / 256  # of a picture's side, within which a line counts as kept
_RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is evaluated.

    Attributes:
        test: path of the file to measure on.
        colorizers: by generator, the folder that TrainColorizer made.
        seed: of hints and z.
    """

    test: str
    colorizers: dict[str, str]
    seed: int = 0
    options: EvaluateOptions = field(default_factory=EvaluateOptions)
    hints: HintOptions = field(default_factory=HintOptions)
    gpu: GpuOptions = field(default_factory=GpuOptions)

    def text(self) -> str:
        """As JSON, for `read_job`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_job(text: str) -> Job:
    """What `Job.text` wrote."""
    found = json.loads(text)
    kinds = {"options": EvaluateOptions, "hints": HintOptions, "gpu": GpuOptions}
    for name, kind in kinds.items():
        values = found[name].items()
        found[name] = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values})
    return Job(**found)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to paint line art.

    Attributes:
        name: for people.
        z: where z comes from; empty for a method without.
        paint: from line art and hints to colour, all at once.
    """

    name: str
    z: str = ""
    paint: Callable[[Sequence[HeldOut], Sequence[Hints]], Pictures]


def baselines() -> list[Method]:
    """What costs no network."""
    return [
        Method(
            name="white fill",
            paint=lambda pictures, _: [white_fill(picture.line) for picture in pictures],
        ),
        Method(
            name="nearest-hint fill",
            paint=lambda pictures, hints: [
                nearest_hint_fill(picture.line, put.color, put.mask)
                for picture, put in zip(pictures, hints, strict=True)
            ],
        ),
    ]


def trained(name: str, colorizer: Colorizer, seed: int, batch_size: int) -> list[Method]:
    """A colorizer, once for each place that z may come from."""

    def with_z(
        latent: Callable[[HeldOut], NDArray[np.float32]],
    ) -> Callable[[Sequence[HeldOut], Sequence[Hints]], Pictures]:
        def paint(pictures: Sequence[HeldOut], hints: Sequence[Hints]) -> Pictures:
            painted: list[NDArray[np.uint8]] = []
            for start in range(0, len(pictures), batch_size):
                some = pictures[start : start + batch_size]
                z = np.stack([latent(picture) for picture in some])
                lines = [picture.line for picture in some]
                painted += list(colorizer.paint(lines, hints[start : start + batch_size], z))
            return painted

        return paint

    sources = {
        PRIOR: lambda picture: drawn_z(colorizer.latent, seed, picture.id),
        ZERO: lambda _: np.zeros(colorizer.latent, np.float32),
        POSTERIOR: lambda picture: colorizer.encode(picture.color[None])[0],
    }
    return [Method(name=name, z=z, paint=with_z(latent)) for z, latent in sources.items()]


def drawn_z(latent: int, seed: int, *place: int) -> NDArray[np.float32]:
    """A z from the prior, the same for the same seed and place: (latent,)."""
    return np.random.default_rng((seed, *place)).standard_normal(latent, np.float32)


def measure(
    pictures: Sequence[HeldOut], hints: Sequence[Hints], results: Pictures
) -> dict[str, list[float]]:
    """All measures of single pictures, by name, one value per picture."""
    found: dict[str, list[float]] = {}
    for picture, put, result in zip(pictures, hints, results, strict=True):
        left, top, right, bottom = picture.box
        area = slice(top, bottom), slice(left, right)
        painted, truth = (
            np.float32(np.ascontiguousarray(rgb[area])) / 255 for rgb in (result, picture.color)
        )
        radius = max(1.0, _LINE_RADIUS * len(result))
        values = {
            "psnr": measures.psnr(painted, truth),
            "ssim": measures.ssim(painted, truth),
            "ms_ssim": measures.ms_ssim(painted, truth),
            "hint_difference": measures.hint_difference(painted, truth, put.mask[area]),
            "line_f1": measures.line_f1(painted, picture.line[area], radius),
        }
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return found


def score(
    method: Method, patches: int, found: Mapping[str, Sequence[float]], seed: int
) -> Iterator[Score]:
    """Means with their intervals."""
    for name, values in found.items():
        bounds = interval(values, seed=seed, resamples=_RESAMPLES)
        yield Score(
            method=method.name,
            z=method.z,
            hints=patches,
            measure=name,
            mean=bounds.mean,
            low=bounds.low,
            high=bounds.high,
            n=bounds.n,
        )


@dataclass(frozen=True)
class Painted:
    """What one method painted, for the figures.

    Attributes:
        method: that painted it.
        hints: number of patches.
        results: of the first pictures.
    """

    method: Method
    hints: int
    results: Pictures


def evaluate(job: Job, hear: Callable[[int, int], None]) -> tuple[list[Score], list[Painted]]:
    """Measures all methods.

    Args:
        job: what is evaluated.
        hear: told how many pictures are painted, of how many.

    Returns:
        All scores; what the methods painted of the first pictures.

    Raises:
        SengaError: a colorizer or a test file that cannot be used.
    """
    options = job.options
    pictures = read_held_out(job.test, options.line, options.pictures or None)
    colorizers = {
        NAMES[name]: Colorizer.load(folder, job.gpu) for name, folder in job.colorizers.items()
    }
    for name, colorizer in colorizers.items():
        require_same_size(name, colorizer, pictures[0], job.test)
    methods = baselines()
    for name, colorizer in colorizers.items():
        methods += trained(name, colorizer, job.seed, options.batch_size)
    total = len(pictures) * len(options.hints) * len(methods)
    scores: list[Score] = []
    painted: list[Painted] = []
    for patches in options.hints:
        hints = [picture.hints(patches, job.hints, job.seed) for picture in pictures]
        truth = Method(name="the truth", paint=lambda shown, _: [one.color for one in shown])
        for method in [*methods, truth]:
            results = method.paint(pictures, hints)
            scores += score(method, patches, measure(pictures, hints, results), job.seed)
            painted.append(Painted(method, patches, results[:_SHOWN]))
            hear(len(painted) * len(pictures), total)
        ...
    return scores, painted


def require_same_size(name: str, colorizer: Colorizer, picture: HeldOut, test: str) -> None:
    """Raises SengaError where a colorizer was trained on pictures of another size."""
    size = picture.line.shape[0]
    if colorizer.size != size:
        raise SengaError(
            f"{test} has pictures of {size} x {size}, expected {colorizer.size} x "
            f"{colorizer.size}, which {name} was trained on: pack them with "
            f"--pack-size {colorizer.size}."
        )
