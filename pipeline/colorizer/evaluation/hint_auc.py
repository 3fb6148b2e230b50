"""Hint-AUC: how good colorizations are over all amounts of hints, as one number.

Madono, Yuan and Simo-Serra (IEEE TVCG 2026): a metric's mean over the pictures is integrated over
the share of the regions that have a hint, by the trapezoid rule; mean and standard deviation are
over the sources of the line art, never over seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation import metrics
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.evaluation.methods import (
    Method,
    Pictures,
    colorizer_methods,
    reference_methods,
)
from pipeline.colorizer.evaluation.region_hints import KINDS, RATIOS, RegionHints, find_region_hints
from pipeline.colorizer.evaluation.scores import THE_TRUTH, Z_LABELS, ZERO
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.packed_pictures import PackedPicture, read_pictures
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.progress import OnProgress

FILE = "hint_auc.json"
"""Name of the file of the scores in the folder of an evaluation."""

_METRICS: dict[str, Callable[[NDArray[np.float32], NDArray[np.float32]], float]] = {
    "psnr": metrics.psnr,
    "ssim": metrics.ssim,
}


@dataclass(frozen=True, kw_only=True)
class AucScore:
    """The Hint-AUC of a method.

    Attributes:
        method: its name.
        z: where z comes from; empty for a method without z.
        hints: one of `KINDS`.
        metric: `psnr` or `ssim`.
        mean: over the sources of the line art.
        deviation: their standard deviation; 0 if there is only one.
        sources: names of the line art.
        n: number of pictures.
    """

    method: str
    z: str
    hints: str
    metric: str
    mean: float
    deviation: float
    sources: Sequence[str]
    n: int

    @property
    def label(self) -> str:
        """Method and z, for people."""
        return self.method + Z_LABELS[self.z]


@dataclass(frozen=True, kw_only=True)
class HintAuc:
    """The comparison of methods by their Hint-AUC.

    Attributes:
        sources: the same pictures with line art of every source, by its name; may be empty.
        methods: to compare.
    """

    sources: Mapping[str, Sequence[PackedPicture]]
    methods: Sequence[Method]

    @classmethod
    def of(cls, job: EvaluateJob, colorizers: Mapping[str, Colorizer]) -> HintAuc:
        """Return that of a job: every line art of the test file, z = 0.

        Raises:
            DatasetError: If the test file cannot be read.
        """
        options = job.options
        count = options.hint_auc_pictures
        if options.max_pictures:
            count = min(count, options.max_pictures)
        names = DatasetReader(job.test).line_names if count else ()
        methods = [method for method in reference_methods() if method.name != THE_TRUTH]
        for name, colorizer in colorizers.items():
            of_colorizer = colorizer_methods(name, colorizer, job.seed, options.batch_size)
            methods += [method for method in of_colorizer if method.z == ZERO]
        sources = {name: read_pictures(job.test, name, count) for name in names}
        return cls(sources=sources, methods=methods)

    @property
    def images(self) -> int:
        """How many pictures are colorized."""
        pictures = sum(map(len, self.sources.values()))
        return pictures * len(self.methods) * len(KINDS) * len(RATIOS)

    def scores(self, on_progress: OnProgress) -> list[AucScore]:
        """Return the Hint-AUC of every method, for scribbles and for dots, in PSNR and in SSIM.

        Args:
            on_progress: called with the number of pictures colorized since the last call.
        """
        if not self.sources:
            return []
        first = next(iter(self.sources.values()))
        regions = [find_region_hints(_inside(picture, picture.color)) for picture in first]
        scores: list[AucScore] = []
        for kind in KINDS:
            hints = {ratio: _hints(first, regions, ratio, kind) for ratio in RATIOS}
            for method in self.methods:
                areas: dict[str, list[float]] = {name: [] for name in _METRICS}
                for pictures in self.sources.values():
                    for name, area in _areas(pictures, hints, method).items():
                        areas[name].append(area)
                    on_progress(len(pictures) * len(RATIOS))
                scores += self._summary(method, kind, areas)
        return scores

    def _summary(
        self, method: Method, kind: str, areas: Mapping[str, Sequence[float]]
    ) -> Iterator[AucScore]:
        for name, values in areas.items():
            yield AucScore(
                method=method.name,
                z=method.z,
                hints=kind,
                metric=name,
                mean=float(np.mean(values)),
                deviation=float(np.std(values)),
                sources=list(self.sources),
                n=len(next(iter(self.sources.values()))),
            )


def _areas(
    pictures: Sequence[PackedPicture], hints: Mapping[float, Sequence[Hints]], method: Method
) -> dict[str, float]:
    """Return the area under the curve of every metric."""
    curves: dict[str, list[float]] = {name: [] for name in _METRICS}
    for of_pictures in hints.values():
        results: Pictures = method.colorize(pictures, of_pictures)
        for name, metric in _METRICS.items():
            values = [
                metric(_content(picture, result), _content(picture, picture.color))
                for picture, result in zip(pictures, results, strict=True)
            ]
            curves[name].append(float(np.mean(values)))
    return {name: float(trapezoid(curve, list(hints))) for name, curve in curves.items()}


def _hints(
    pictures: Sequence[PackedPicture], regions: Sequence[RegionHints], ratio: float, kind: str
) -> list[Hints]:
    """Return the hints of a ratio, put into the box of every picture."""
    hints = []
    for picture, each in zip(pictures, regions, strict=True):
        left, top, right, bottom = picture.box
        inside = each.at(ratio, kind, bottom - top, right - left)
        whole = Hints.none(*picture.line.shape)
        whole.color[top:bottom, left:right] = inside.color
        whole.mask[top:bottom, left:right] = inside.mask
        hints.append(whole)
    return hints


def _inside(picture: PackedPicture, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what is in the box of a picture."""
    left, top, right, bottom = picture.box
    return np.ascontiguousarray(rgb[top:bottom, left:right])


def _content(picture: PackedPicture, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what is in the box of a picture, as the metrics take it."""
    return np.asarray(_inside(picture, rgb) / np.float32(255), np.float32)


def auc_to_json(scores: Sequence[AucScore]) -> str:
    """Return scores as a JSON list of objects, one per line."""
    return "[\n" + ",\n".join(json.dumps(asdict(score)) for score in scores) + "\n]\n"
