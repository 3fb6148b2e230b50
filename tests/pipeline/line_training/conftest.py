"""A tiny artbook: pages with a few strokes, drawn in no time; a job that trains on them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.artbook.sketch import Tracer
from pipeline.line_training import example
from pipeline.line_training.options import LineOptions
from pipeline.line_training.train_job import LineTrainJob
from pipeline.training.context import TrainContext

CONTEXT = TrainContext(device=torch.device("cpu"))
SIZE = 64


@dataclass(frozen=True, kw_only=True)
class FakePage:
    color: NDArray[np.uint8]
    sketch: NDArray[np.uint8]
    lines: NDArray[np.uint8]
    weight: NDArray[np.uint8]
    subject: str
    width: float = 3.0
    patterned: bool = False
    paint: str = "flat"
    ink: str = "black"
    source: str = "hand"
    medium: str = ""
    has_distractors: bool = False
    is_faint: bool = False


def fake_sketch(seed: int, size: int, *, tracer: Tracer | None = None) -> FakePage:
    """Return a page whose sketch the tracer makes, if there is one."""
    page = fake_page(seed, size)
    if tracer is None:
        return page
    sketch = np.rint(255 * (1 - tracer(page.color))).astype(np.uint8)
    return replace(page, sketch=sketch, source="tracer")


def fake_page(seed: int, size: int) -> FakePage:
    """Return three dark strokes on a pale page, and the same in grey."""
    rng = np.random.default_rng(seed)
    lines = np.full((size, size), 255, np.uint8)
    for _ in range(3):
        points = rng.integers(0, size, (3, 1, 2)).astype(np.int32)
        cv2.polylines(lines, [points], False, (0,), 2, cv2.LINE_AA)
    tint = rng.integers(180, 256, 3)
    return FakePage(
        color=(lines[..., None] / 255 * tint).round().astype(np.uint8),
        sketch=np.maximum(lines, 90),
        lines=lines,
        weight=np.ones_like(lines),
        subject=("strokes", "lines")[seed % 2],
    )


@pytest.fixture
def artbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the artbook."""
    monkeypatch.setattr(example, "draw_page", fake_page)
    monkeypatch.setattr(example, "draw_sketch", fake_sketch)


def make_job(network: str = "tracer", **options: object) -> LineTrainJob:
    """Return a job of a tiny network."""
    values = {
        "images": 32,
        "batch_size": 4,
        "views": 2,
        "size": SIZE,
        "tracer_widths": (4, 8),
        "inker_widths": (4, 8),
        "inker_tracer_weights": "",
        "validation_pages": 3,
        "evaluate_every": 8,
        "log_every": 8,
        "sample_every": 16,
        "checkpoint_every": 8,
        "num_workers": 0,
        "tensorboard": False,
        **options,
    }
    return LineTrainJob(network=network, seed=3, options=LineOptions(**values))


WriteFolder = Callable[..., Path]


@pytest.fixture
def write_folder(tmp_path: Path) -> WriteFolder:
    """Return a function that writes a folder of pictures with known lines."""

    def write(*seeds: int, size: tuple[int, int] = (50, 70)) -> Path:
        folder = tmp_path / "pictures"
        folder.mkdir(exist_ok=True)
        for seed in seeds:
            page = fake_page(seed, max(size))
            part = np.s_[: size[0], : size[1]]
            cv2.imwrite(str(folder / f"{seed}.color.png"), page.color[part][..., ::-1])
            cv2.imwrite(str(folder / f"{seed}.sketch.png"), page.sketch[part])
            cv2.imwrite(str(folder / f"{seed}.lines.png"), page.lines[part])
        return folder

    return write
