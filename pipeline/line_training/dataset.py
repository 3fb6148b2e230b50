"""Endless pages of the artbook as samples to train a network of lines on."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.artbook.sketch import Tracer
from pipeline.line_training.example import TRAINING, Example, draw_example, page_seed
from pipeline.line_training.options import LineOptions
from pipeline.picture import keep_freed_memory
from pipeline.training.loader import iterate, loader_options
from sketch_models import line_weights, local_contrast, tracer
from sketch_models.network_options import ComputeOptions


class LineBatch(TypedDict):
    """N images of S x S pixels."""

    picture: Tensor  # (N, C, S, S) float32, as `local_contrast.normalize` returns it
    ink: Tensor  # (N, 1, S, S) uint8, 0 = paper, 255 = ink
    weight: Tensor  # (N, 1, S, S) uint8, 0 where nobody can say, else how much a pixel counts


class LinePages(Dataset[LineBatch]):
    """The pages of a training, each as a batch of all its views.

    A page depends on the seed and its number alone: not on the batch, the order or the worker.

    Args:
        network: tracer or inker.
        seed: of the training.
        size: side of the pages, in pixels.
        views: number of views of each page.
        tracer_weights: of the tracer that makes some of the sketches: shipped, or the path of a
            file; none if empty. It is loaded by the process that draws the first page.
    """

    def __init__(
        self, network: str, seed: int, size: int, views: int, tracer_weights: str = ""
    ) -> None:
        self._network, self._seed, self._size, self._views = network, seed, size, views
        self._tracer_weights = tracer_weights
        self._tracer: Tracer | None = None

    def __getitem__(self, index: int) -> LineBatch:
        seed = page_seed(self._seed, TRAINING, index)
        if self._tracer_weights and self._tracer is None:
            self._tracer = load_tracer(self._tracer_weights)
        page = to_batch(draw_example(self._network, seed, self._size, self._tracer))
        order = np.random.default_rng((seed, 2)).permutation(8)
        return join([_turn(page, int(turn)) for turn in order[: self._views]])


class _Steps:
    """The numbers of the pages of each step that is left, for a DataLoader."""

    def __init__(self, first: int, end: int, pages: int) -> None:
        self._steps, self._pages = range(first, end), pages

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._steps:
            yield list(range(step * self._pages, (step + 1) * self._pages))


def batches(
    network: str,
    options: LineOptions,
    seed: int,
    device: torch.device,
    *,
    first_step: int,
    steps: int,
) -> Generator[LineBatch]:
    """Yield the batches from `first_step` on to `steps`; steps count from 0.

    They are the same for any number of workers, and after any resume.

    Args:
        network: tracer or inker.
        options: size and number of the images, and of the workers.
        seed: of the training.
        device: that the batches will be copied to.
        first_step: number of steps done.
        steps: of the whole training.
    """
    tracer_weights = options.sketches_by(network)
    loader: DataLoader[LineBatch] = DataLoader(
        LinePages(network, seed, options.size, options.views, tracer_weights),
        batch_sampler=_Steps(first_step, steps, options.batch_size // options.views),
        collate_fn=join,
        worker_init_fn=_init_worker,
        **loader_options(options.num_workers, device),
    )
    yield from iterate(loader)


def load_tracer(weights: str) -> Tracer | None:
    """Return what makes sketches of pictures, on the CPU; None without weights.

    Args:
        weights: shipped, or the path of a file; empty for none.

    Raises:
        WeightsError: If the weights cannot be used.
    """
    if not weights:
        return None
    path = line_weights.find(weights, "tracer")
    model = tracer.Tracer.load(path, ComputeOptions(device="cpu"))

    def find_lines(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        return model.lines([picture])[0]

    return find_lines


def to_batch(example: Example) -> LineBatch:
    """Return a batch of one image."""
    picture = local_contrast.normalize(example.picture)
    ink = np.ascontiguousarray(255 - example.lines)
    return LineBatch(
        picture=torch.from_numpy(picture[None]),
        ink=torch.from_numpy(ink[None, None]),
        weight=torch.from_numpy(np.ascontiguousarray(example.weight)[None, None]),
    )


def join(parts: Sequence[LineBatch]) -> LineBatch:
    """Return several batches as one."""
    return LineBatch(
        picture=torch.cat([part["picture"] for part in parts]),
        ink=torch.cat([part["ink"] for part in parts]),
        weight=torch.cat([part["weight"] for part in parts]),
    )


def _turn(batch: LineBatch, turn: int) -> LineBatch:
    """Return one of the eight views of a batch: mirrored or not, in quarter turns."""

    def view(layer: Tensor) -> Tensor:
        turned = torch.rot90(layer, turn % 4, (2, 3))
        return turned if turn < 4 else turned.flip(3)

    return LineBatch(
        picture=view(batch["picture"]), ink=view(batch["ink"]), weight=view(batch["weight"])
    )


def _init_worker(_: int) -> None:
    cv2.setNumThreads(1)  # the other cores have workers of their own
    torch.set_num_threads(1)
    keep_freed_memory()
