"""The metrics of the results of all methods that an evaluation compares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation import metrics
from pipeline.colorizer.evaluation.areas import area_metrics
from pipeline.colorizer.evaluation.bootstrap import bootstrap_interval
from pipeline.colorizer.evaluation.comparison import Difference, compare
from pipeline.colorizer.evaluation.deep_metrics import DeepMetrics
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.evaluation.methods import (
    Method,
    Pictures,
    colorizer_methods,
    random_z,
    reference_methods,
)
from pipeline.colorizer.evaluation.scores import PRIOR, Score
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.packed_pictures import PackedPicture
from pipeline.progress import OnProgress

GENERATOR_NAMES = {"netl_spade": "netL-SPADE", "spade": "SPADE"}
"""Names of the generators for people."""

FIGURE_PICTURES = 6
"""Number of the first pictures, which figures may show."""

_DIVERSITY_PICTURES = 20  # number of the first pictures, on which diversity is measured


def picture_metrics(
    pictures: Sequence[PackedPicture], hints: Sequence[Hints], results: Pictures
) -> dict[str, list[float]]:
    """Return all metrics of single pictures, by name, one value per picture."""
    values: dict[str, list[float]] = {}
    truths = crop(pictures, [picture.color for picture in pictures])
    for picture, each, content, color in zip(
        pictures, hints, crop(pictures, results), truths, strict=True
    ):
        left, top, right, bottom = picture.box
        area = slice(top, bottom), slice(left, right)
        result_content, truth = np.float32(content) / 255, np.float32(color) / 255
        picture_values = {
            "psnr": metrics.psnr(result_content, truth),
            "ssim": metrics.ssim(result_content, truth),
            "ms_ssim": metrics.ms_ssim(result_content, truth),
            "hint_difference": metrics.hint_difference(result_content, truth, each.mask[area]),
            "line_f1": metrics.line_f1(result_content, picture.line[area]),
            **area_metrics(result_content, truth, picture.line[area], each.within(area)),
        }
        for name, value in picture_values.items():
            values.setdefault(name, []).append(value)
    return values


def crop(pictures: Sequence[PackedPicture], results: Pictures) -> list[NDArray[np.uint8]]:
    """Return the results without the padding of their pictures: (H, W, 3) uint8 RGB each."""
    contents = []
    for picture, result in zip(pictures, results, strict=True):
        left, top, right, bottom = picture.box
        contents.append(np.ascontiguousarray(result[top:bottom, left:right]))
    return contents


def score(
    name: str, z: str, patches: int, values: Mapping[str, Sequence[float]], seed: int
) -> Iterator[Score]:
    """Yield the mean of each metric with its interval.

    Args:
        name: of the method.
        z: where its z comes from.
        patches: hint patches per picture.
        values: by metric, one per picture.
        seed: of the bootstrap.
    """
    for metric, of_pictures in values.items():
        interval = bootstrap_interval(of_pictures, seed=seed)
        yield Score(
            method=name,
            z=z,
            hints=patches,
            metric=metric,
            mean=interval.mean,
            low=interval.low,
            high=interval.high,
            n=interval.n,
        )


def score_set(
    name: str, z: str, patches: int, values: Mapping[str, float], pictures: int
) -> Iterator[Score]:
    """Yield the values of metrics of the whole set, which have no interval.

    Args:
        name: of the method.
        z: where its z comes from.
        patches: hint patches per picture.
        values: by metric.
        pictures: number of pictures in the set.
    """
    for metric, value in values.items():
        yield Score(
            method=name,
            z=z,
            hints=patches,
            metric=metric,
            mean=value,
            low=math.nan,
            high=math.nan,
            n=pictures,
        )


@dataclass(frozen=True, kw_only=True)
class MethodResults:
    """Results of one method with one number of hints, for the figures.

    Attributes:
        method: its name.
        z: where its z comes from.
        hints: patches per picture.
        results: for the first pictures.
    """

    method: str
    z: str
    hints: int
    results: Pictures


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What an evaluation on one test set found.

    Attributes:
        scores: of all methods.
        differences: between pairs of methods, picture by picture.
        results: for the first pictures.
    """

    scores: list[Score]
    differences: list[Difference]
    results: list[MethodResults]


def all_methods(colorizers: Mapping[str, Colorizer], job: EvaluateJob) -> list[Method]:
    """Return the methods that are compared: the references, and every colorizer by its name."""
    methods = reference_methods()
    for name, colorizer in colorizers.items():
        methods += colorizer_methods(name, colorizer, job.seed, job.options.batch_size)
    return methods


def evaluate_methods(
    pictures: Sequence[PackedPicture],
    colorizers: Mapping[str, Colorizer],
    job: EvaluateJob,
    on_progress: OnProgress,
) -> Evaluation:
    """Colorize and measure with every method and every number of hints.

    Args:
        pictures: to colorize.
        colorizers: by name.
        job: hints, seed and options.
        on_progress: called with the number of pictures colorized since the last call.
    """
    methods = all_methods(colorizers, job)
    truth = crop(pictures, [picture.color for picture in pictures])
    deep = DeepMetrics(job.options, truth, job.compute.device)
    scores: list[Score] = []
    differences: list[Difference] = []
    method_results: list[MethodResults] = []
    for patches in job.options.hint_counts:
        hints = [picture.hints(patches, job.hints, job.seed) for picture in pictures]
        by_method = {}
        for method in methods:
            name, z = method.name, method.z
            results = method.colorize(pictures, hints)
            contents = crop(pictures, results)
            values = picture_metrics(pictures, hints, results) | deep.picture_metrics(contents)
            by_method[name, z] = values
            scores += score(name, z, patches, values, job.seed)
            scores += score_set(name, z, patches, deep.set_metrics(contents), len(pictures))
            first = results[:FIGURE_PICTURES]
            method_results.append(MethodResults(method=name, z=z, hints=patches, results=first))
            on_progress(len(pictures))
        differences += compare(by_method, patches, job.seed)
        for name, colorizer in colorizers.items():
            diversity = {"diversity": diversities(pictures, hints, colorizer, job)}
            scores += score(name, PRIOR, patches, diversity, job.seed)
    return Evaluation(scores=scores, differences=differences, results=method_results)


def diversities(
    pictures: Sequence[PackedPicture],
    hints: Sequence[Hints],
    colorizer: Colorizer,
    job: EvaluateJob,
) -> list[float]:
    """Return the diversity of the results with random z, for each of the first pictures."""
    values = []
    for picture, each in zip(pictures[:_DIVERSITY_PICTURES], hints, strict=False):
        count = job.options.diversity_samples
        z = [random_z(colorizer.latent_dim, job.seed, picture.id, n) for n in range(count)]
        results = colorizer.colorize_batch(
            [picture.line] * count, [each] * count, np.stack(z), boxes=[picture.box] * count
        )
        left, top, right, bottom = picture.box
        contents = [np.float32(result[top:bottom, left:right]) / 255 for result in results]
        values.append(metrics.diversity(contents))
    return values
