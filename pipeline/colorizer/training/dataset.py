"""Packed pictures as samples to train a colorizer on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import AugmentOptions
from pipeline.colorizer.training.training_sample import (
    TrainingSample,
    make_sample,
    normalize,
)
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.picture import keep_freed_memory
from sketch_models.errors import DatasetError

__all__ = ["AugmentOptions", "ColorizationDataset", "HintOptions", "TrainingSample", "normalize"]


class ColorizationDataset(Dataset[TrainingSample]):
    """The pictures of a packed file, in the order of their post ids.

    The randomness of a sample depends on the seed, the epoch and the post alone: not on the order
    of access, the batch or the worker. `normalize` converts a sample or a batch to floats.

        >>> from senga import ColorizationDataset, normalize
        >>> from torch.utils.data import DataLoader
        >>> dataset = ColorizationDataset("data/sample/train.h5")
        >>> for batch in DataLoader(dataset, batch_size=4):
        ...     floats = normalize(batch)

    Args:
        path: `train.h5` or `test.h5`.
        lines: names of line art, such as `("original", "pured")`, one of which is picked at random
            for each sample; all that the file has if empty.
        augment: options of the augmentation; no augmentation if None.
        hints: options of the simulated hints; no hints if None.
        seed: of everything random, 0 or more.
        size: side that the pictures must have, in pixels; any if None.
        spread_hints: whether samples have `spread` too, for networks that see it.

    Attributes:
        attributes: of the file, such as `dataset` and `split`.
        ids: post ids, (N,) int64, ascending.
        line_names: the names of line art to pick from.
        size: side of the pictures, in pixels.

    Raises:
        DatasetError: If the file is missing, broken, empty, of another layout or another size, or
            lacks one of the lines.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        lines: Sequence[str] = (),
        augment: AugmentOptions | None = None,
        hints: HintOptions | None = HintOptions(),  # noqa: B008 - it is frozen
        seed: int = 0,
        size: int | None = None,
        spread_hints: bool = False,
    ) -> None:
        self._reader = DatasetReader(path)
        self.attributes: dict[str, Any] = self._reader.attributes
        self.ids: NDArray[np.int64] = self._reader.ids
        self.size = self._reader.size
        self.line_names = tuple(lines) or self._reader.line_names
        _require_usable(self._reader, self.line_names, size)
        self._augment = augment
        self._hints = hints
        self._spread_hints = spread_hints
        self._seed = seed
        epoch: Tensor = torch.zeros((), dtype=torch.int64)
        self._epoch = epoch.share_memory_()  # type: ignore[no-untyped-call]
        self._process = os.getpid()

    def __len__(self) -> int:
        return len(self._reader)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that randomness depends on, also in workers that run already.

        Call it between two passes over a DataLoader: workers prefetch.
        """
        self._epoch.fill_(epoch)

    def __getitem__(self, row: int) -> TrainingSample:
        self._init_worker()
        row = range(len(self))[row]
        post_id = int(self.ids[row])
        rng = self._rng(post_id)
        name = self.line_names[rng.integers(len(self.line_names))]
        line = self._reader.picture(f"line/{name}", row)
        color = self._reader.picture("color", row)
        left, top, right, bottom = self._reader.boxes[row].tolist()
        return make_sample(
            post_id,
            line,
            color,
            (left, top, right, bottom),
            augment=self._augment,
            hints=self._hints,
            rng=rng,
            spread=self._spread_hints,
        )

    def _rng(self, post_id: int) -> np.random.Generator:
        """Return the random generator of a sample."""
        # Seeds of NumPy may not be negative, ids may.
        return np.random.default_rng((self._seed, int(self._epoch), post_id % 2**64))

    def _init_worker(self) -> None:
        """Set up a worker process when it reads its first picture."""
        if self._process == os.getpid() or get_worker_info() is None:
            return
        self._process = os.getpid()
        cv2.setNumThreads(1)  # the other cores have workers of their own
        keep_freed_memory()


_threads = cv2.getNumThreads()


def _pause_threads() -> None:
    """Stop OpenCV's threads before a fork, which lacks them and would wait for them forever."""
    global _threads
    _threads = cv2.getNumThreads()
    cv2.setNumThreads(1)


def _resume_threads() -> None:
    cv2.setNumThreads(_threads)


os.register_at_fork(before=_pause_threads, after_in_parent=_resume_threads)


def _require_usable(reader: DatasetReader, lines: Sequence[str], size: int | None) -> None:
    if not len(reader):
        raise DatasetError(f"{reader.path} has no pictures: build it from more posts.")
    for name in lines:
        if name not in reader.line_names:
            raise DatasetError(
                f"{reader.path} has no line art {name}. Choose one of "
                f"{', '.join(reader.line_names)}, or build it again with {name}."
            )
    if size not in (None, reader.size):
        raise DatasetError(
            f"{reader.path} was packed with [pack] size = {reader.size}: expected {size}. "
            f"Ask for {reader.size}, or build it again with [pack] size = {size}."
        )
