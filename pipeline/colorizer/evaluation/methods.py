"""The methods that an evaluation compares: colorizers, fills, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation.baselines import geodesic_fill, nearest_hint_fill, white_fill
from pipeline.colorizer.evaluation.scores import POSTERIOR, PRIOR, THE_TRUTH, ZERO
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.packed_pictures import PackedPicture

Pictures = Sequence[NDArray[np.uint8]]
"""N of (S, S, 3) uint8 RGB."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to colorize line art.

    Attributes:
        name: for people.
        z: where z comes from; empty for a method without z.
        colorize: a function from pictures and their hints to results.
    """

    name: str
    z: str = ""
    colorize: Callable[[Sequence[PackedPicture], Sequence[Hints]], Pictures]


def reference_methods() -> list[Method]:
    """Return the methods that need no network, and the ground truth.

    The scores of the truth are the best that are possible: even its lines are not all detected.
    """
    return [
        Method(name="white fill", colorize=_filled(lambda line, _: white_fill(line))),
        Method(name="nearest-hint fill", colorize=_filled(nearest_hint_fill)),
        Method(name="geodesic fill", colorize=_filled(geodesic_fill)),
        Method(
            name=THE_TRUTH,
            colorize=lambda pictures, _: [picture.color for picture in pictures],
        ),
    ]


def _filled(
    fill: Callable[[NDArray[np.uint8], Hints], NDArray[np.uint8]],
) -> Callable[[Sequence[PackedPicture], Sequence[Hints]], Pictures]:
    """Return a fill of one line drawing as a function of pictures."""
    return lambda pictures, hints: [
        fill(picture.line, each) for picture, each in zip(pictures, hints, strict=True)
    ]


def colorizer_methods(name: str, colorizer: Colorizer, seed: int, batch_size: int) -> list[Method]:
    """Return a colorizer as one method for each source of z."""

    def with_z(
        z_of: Callable[[PackedPicture], NDArray[np.float32]],
    ) -> Callable[[Sequence[PackedPicture], Sequence[Hints]], Pictures]:
        def colorize(pictures: Sequence[PackedPicture], hints: Sequence[Hints]) -> Pictures:
            results: list[NDArray[np.uint8]] = []
            for start in range(0, len(pictures), batch_size):
                batch = pictures[start : start + batch_size]
                z = np.stack([z_of(picture) for picture in batch])
                lines = [picture.line for picture in batch]
                results += colorizer.colorize_batch(
                    lines,
                    hints[start : start + batch_size],
                    z,
                    boxes=[picture.box for picture in batch],
                )
            return results

        return colorize

    sources = {
        PRIOR: lambda picture: random_z(colorizer.latent_dim, seed, picture.id),
        ZERO: lambda _: np.zeros(colorizer.latent_dim, np.float32),
        POSTERIOR: lambda picture: colorizer.encode(picture.color[None])[0],
    }
    return [Method(name=name, z=z, colorize=with_z(z_of)) for z, z_of in sources.items()]


def random_z(latent_dim: int, seed: int, *key: int) -> NDArray[np.float32]:
    """Return a z from the prior, always the same for a seed and key: (latent_dim,)."""
    return np.random.default_rng((seed, *key)).standard_normal(latent_dim, np.float32)
