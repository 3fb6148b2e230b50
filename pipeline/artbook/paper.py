"""Paper: what a sketch lies on, and how it was scanned or photographed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import chance, integer, log_uniform, smooth_noise

Floats = NDArray[np.float32]

PAPERS = ("white", "grey", "cream", "photo", "creased", "smudged", "faint", "scan", "ruled")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The paper of a sketch and its light.

    Attributes:
        tone: brightness of the paper, 0 to 1.
        darkest: brightness of the darkest pencil, 0 to 1, below `tone`.
        texture: deviation of the paper's brightness, 0 to 1.
        grain: how much of the pencil the paper's grain leaves out, 0 to 1.
        uneven: how much the light differs over the page, 0 to 1.
        creases: number of folds.
        smudge: how much pencil is smeared, 0 to 1.
        rules: distance of printed lines, in pixels; 0 for none.
        tilt: how far a corner is off in a photograph, as a share of the page.
    """

    tone: float = 1.0
    darkest: float = 0.05
    texture: float = 0.0
    grain: float = 0.0
    uneven: float = 0.0
    creases: int = 0
    smudge: float = 0.0
    rules: float = 0.0
    tilt: float = 0.0

    def lay_under(self, pencil: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return a sketch on this paper, and by how much the pencil is darker than the paper.

        Args:
            pencil: (H, W) in [0, 1], 1 = darkest.
            rng: the source of the texture.

        Returns:
            Both (H, W) float32 in [0, 1].
        """
        height, width = pencil.shape
        if self.smudge:
            smear = cv2.GaussianBlur(pencil, (0, 0), log_uniform(rng, 3, 16))
            cover = np.clip(smooth_noise(rng, height, width, 60), 0, 1)
            pencil = pencil * (1 - np.float32(self.smudge * 0.3) * cover) + smear * cover * (
                np.float32(self.smudge)
            )
        if self.grain:
            grain = smooth_noise(rng, height, width, log_uniform(rng, 1.0, 2.5))
            pencil = pencil * np.clip(1 - np.float32(self.grain) * (0.5 + grain), 0, 1)
        page = np.full((height, width), self.tone, np.float32)
        if self.texture:
            page += np.float32(self.texture) * smooth_noise(
                rng, height, width, log_uniform(rng, 1, 4)
            )
            page += np.float32(self.texture / 2) * smooth_noise(rng, height, width, 24)
        if self.rules:
            self._print_rules(page, rng)
        for _ in range(self.creases):
            self._fold(page, rng)
        darker = np.clip(pencil, 0, 1) * np.maximum(page - np.float32(self.darkest), 0)
        page = page - darker
        if self.uneven:
            field = smooth_noise(rng, height, width, max(height, width) * rng.uniform(0.4, 1.5))
            light = np.exp(np.float32(-self.uneven) * np.clip(0.5 + 0.5 * field, 0, 1.5))
            page, darker = page * light, darker * light
        return np.asarray(np.clip(page, 0, 1), np.float32), np.asarray(darker, np.float32)

    @property
    def contrast(self) -> float:
        """Of the darkest pencil and the paper, 0 to 1; what is printed and folded is fainter."""
        return self.tone - self.darkest

    def _print_rules(self, page: Floats, rng: np.random.Generator) -> None:
        strength = np.float32(rng.uniform(0.04, 0.25) * self.contrast)
        start = int(rng.integers(0, int(self.rules)))
        for at in np.arange(start, len(page), self.rules).astype(int):
            page[at] -= strength
        if chance(rng, 0.4):
            for at in np.arange(start, page.shape[1], self.rules).astype(int):
                page[:, at] -= strength

    def _fold(self, page: Floats, rng: np.random.Generator) -> None:
        """Fold the page: one side of a soft line is brighter, the other darker."""
        height, width = page.shape
        angle = rng.uniform(0, np.pi)
        x = np.arange(width, dtype=np.float32)[None] - np.float32(rng.uniform(0, width))
        y = np.arange(height, dtype=np.float32)[:, None] - np.float32(rng.uniform(0, height))
        across = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
        across = across / np.float32(log_uniform(rng, 1.2, 8))
        side, middle = rng.uniform(-0.15, 0.15), rng.uniform(0, 0.1)
        page += np.float32(side * self.contrast) * across * np.exp(-(across**2) / 2)
        page -= np.float32(middle * self.contrast) * np.exp(-(across**2))


def random_paper(rng: np.random.Generator, kind: str | None = None) -> Paper:
    """Return a paper; one of `PAPERS` if it is named, else anything in between them."""

    def has(name: str, probability: float) -> bool:
        return kind == name if kind else chance(rng, probability)

    faint = has("faint", 0.2)
    photo = has("photo", 0.2)
    tone = 1.0 if kind == "white" else float(rng.uniform(0.93, 1.0))
    if has("grey", 0.22):
        tone = float(rng.uniform(0.45, 0.9))
    elif has("cream", 0.15):
        tone = float(rng.uniform(0.8, 0.95))
    if photo:
        tone = float(rng.uniform(0.5, 0.95))
    darkest = tone * float(rng.uniform(0.55, 0.85) if faint else rng.uniform(0, 0.4))
    plain = kind == "white" or (kind is None and chance(rng, 0.3))
    return Paper(
        tone=tone,
        darkest=darkest,
        texture=0.0 if plain else log_uniform(rng, 0.003, 0.035),
        grain=0.0 if chance(rng, 0.3) else float(rng.uniform(0.1, 0.9)),
        uneven=float(rng.uniform(0.2, 0.9)) if photo else 0.0,
        creases=integer(rng, 1, 4) if has("creased", 0.15) else 0,
        smudge=float(rng.uniform(0.1, 0.6)) if has("smudged", 0.15) else 0.0,
        rules=float(rng.uniform(12, 40)) if has("ruled", 0.1) else 0.0,
        tilt=float(rng.uniform(0.01, 0.06)) if photo else 0.0,
    )
