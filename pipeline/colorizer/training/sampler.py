"""The batches of an epoch: shuffled, shared among processes, and resumable."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class BatchSampler(Sampler[list[int]]):
    """The batches of one process in one epoch.

    All processes shuffle alike, from seed and epoch. A global batch is the next `batch_size` x
    `world_size` pictures of that order, and process `rank` has the `rank`-th part of it. Hence a
    picture is seen at most once per epoch, and a run that resumes has the same global batches. The
    pictures that do not fill a global batch are left out; a dataset smaller than one is repeated
    until it fills one.

    Args:
        length: pictures in the dataset, 1 or more.
        batch_size: pictures per batch of one process.
        seed: of the order, 0 or more.
        epoch: from 0; change it with `set_epoch`.
        start_batch: batches of the epoch to skip; the next epoch starts at 0.
        rank: of this process, from 0.
        world_size: number of processes.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        *,
        seed: int,
        epoch: int = 0,
        start_batch: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        assert length > 0
        assert batch_size > 0
        assert 0 <= rank < world_size
        self._length = length
        self._batch_size = batch_size
        self._seed = seed
        self._rank = rank
        self._world_size = world_size
        self.set_epoch(epoch, start_batch)

    @property
    def batches(self) -> int:
        """Number of batches in a whole epoch, 1 or more."""
        size = self._batch_size * self._world_size  # of a global batch
        return max(1, self._length // size)

    def set_epoch(self, epoch: int, start_batch: int = 0) -> None:
        """Choose an epoch, without its first `start_batch` batches."""
        self._epoch = epoch
        self._start = start_batch

    def __len__(self) -> int:
        """Return the number of batches that are left of the epoch."""
        return max(0, self.batches - self._start)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(self._length)
        shape = self.batches, self._world_size, self._batch_size
        share = np.resize(order, shape)[:, self._rank]  # repeats the order if it is too short
        yield from share[self._start :].tolist()
