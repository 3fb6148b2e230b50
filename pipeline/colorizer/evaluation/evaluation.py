"""What is painted for an evaluation, by which methods, and how it is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation import metrics as measures
from pipeline.colorizer.evaluation.baselines import nearest_hint_fill, white_fill
from pipeline.colorizer.evaluation.bootstrap import interval
from pipeline.colorizer.evaluation.deep_metrics import DeepMeasures
from pipeline.colorizer.evaluation.evaluate_job import Job
from pipeline.colorizer.evaluation.scores import Score
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.packed_pictures import HeldOut

Pictures = Sequence[NDArray[np.uint8]]
"""N of (S, S, 3) uint8 RGB."""

PRIOR, ZERO, POSTERIOR = "prior", "zero", "posterior"
"""Where z comes from: drawn, its mean, or the truth that is to be painted - an upper bound."""

NAMES = {"netl_spade": "netL-SPADE", "spade": "SPADE"}
SHOWN = 6  # pictures that figures may show
_DIVERSE = 20  # pictures that diversity is measured on


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
                nearest_hint_fill(picture.line, put)
                for picture, put in zip(pictures, hints, strict=True)
            ],
        ),
    ]


THE_TRUTH = Method(name="the truth", paint=lambda pictures, _: [one.color for one in pictures])
"""Scores what the measures themselves allow: its lines are not found to a pixel either."""


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
        values = {
            "psnr": measures.psnr(painted, truth),
            "ssim": measures.ssim(painted, truth),
            "ms_ssim": measures.ms_ssim(painted, truth),
            "hint_difference": measures.hint_difference(painted, truth, put.mask[area]),
            "line_f1": measures.line_f1(painted, picture.line[area]),
        }
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return found


def score(
    method: Method, patches: int, found: Mapping[str, Sequence[float]], seed: int
) -> Iterator[Score]:
    """Means with their intervals."""
    for name, values in found.items():
        bounds = interval(values, seed=seed)
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


def of_the_set(
    method: Method, patches: int, found: Mapping[str, float], pictures: int
) -> Iterator[Score]:
    """Numbers that only the whole set has, which no interval goes with."""
    for name, value in found.items():
        yield Score(
            method=method.name,
            z=method.z,
            hints=patches,
            measure=name,
            mean=value,
            low=math.nan,
            high=math.nan,
            n=pictures,
        )


@dataclass(frozen=True, kw_only=True)
class Painted:
    """What one method painted, for the figures.

    Attributes:
        method: its name.
        z: where its z came from.
        hints: patches per picture.
        results: of the first pictures.
    """

    method: str
    z: str
    hints: int
    results: Pictures


def measure_all(
    pictures: Sequence[HeldOut],
    colorizers: Mapping[str, Colorizer],
    job: Job,
    hear: Callable[[int, int], None],
) -> tuple[list[Score], list[Painted]]:
    """Lets every method paint with every number of hints.

    Args:
        pictures: to paint.
        colorizers: by name.
        job: hints, seed and options.
        hear: told how many pictures are painted, of how many.

    Returns:
        All scores; what the methods painted of the first pictures.
    """
    methods = [*baselines(), THE_TRUTH]
    for name, colorizer in colorizers.items():
        methods += trained(name, colorizer, job.seed, job.options.batch_size)
    deep = DeepMeasures(job.options, [picture.color for picture in pictures], job.gpu)
    total = len(pictures) * len(job.options.hints) * len(methods)
    scores: list[Score] = []
    painted: list[Painted] = []
    for patches in job.options.hints:
        hints = [picture.hints(patches, job.hints, job.seed) for picture in pictures]
        for method in methods:
            results = method.paint(pictures, hints)
            found = measure(pictures, hints, results) | deep.distances(results)
            scores += score(method, patches, found, job.seed)
            scores += of_the_set(method, patches, deep.of_all(results), len(pictures))
            shown = results[:SHOWN]
            painted.append(Painted(method=method.name, z=method.z, hints=patches, results=shown))
            hear(len(painted) * len(pictures), total)
        for name, colorizer in colorizers.items():
            of_z = Method(name=name, z=PRIOR, paint=THE_TRUTH.paint)
            shifts = {"diversity": diversities(pictures, hints, colorizer, job)}
            scores += score(of_z, patches, shifts, job.seed)
    return scores, painted


def diversities(
    pictures: Sequence[HeldOut], hints: Sequence[Hints], colorizer: Colorizer, job: Job
) -> list[float]:
    """How much z changes each of the first pictures."""
    found = []
    for picture, put in zip(pictures[:_DIVERSE], hints, strict=False):
        count = job.options.shifts
        z = [drawn_z(colorizer.latent, job.seed, picture.id, shift) for shift in range(count)]
        results = colorizer.paint([picture.line] * count, [put] * count, np.stack(z))
        left, top, right, bottom = picture.box
        inside = [np.float32(result[top:bottom, left:right]) / 255 for result in results]
        found.append(measures.diversity(inside))
    return found
