"""Batches: each picture once, shared among processes, the same after an interruption."""

from itertools import chain

import numpy as np
import pytest

from pipeline.colorizer.training.sampler import BatchSampler


def test_epoch_is_one_permutation() -> None:
    batches = list(BatchSampler(103, 10, seed=1, epoch=2))
    assert len(batches) == len(BatchSampler(103, 10, seed=1, epoch=2)) == 10
    order = np.random.default_rng((1, 2)).permutation(103)
    assert batches == order[:100].reshape(10, 10).tolist()
    assert all(isinstance(row, int) for batch in batches for row in batch)


def test_order_depends_on_epoch_and_seed() -> None:
    def first(seed: int, epoch: int) -> list[int]:
        return next(iter(BatchSampler(100, 50, seed=seed, epoch=epoch)))

    assert first(0, 0) == first(0, 0)
    assert len({tuple(first(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4
    sampler = BatchSampler(100, 50, seed=0)
    sampler.set_epoch(1)
    assert next(iter(sampler)) == first(0, 1)


@pytest.mark.parametrize("done", range(11))
def test_epoch_resumes_after_the_batches_done(done: int) -> None:
    whole = list(BatchSampler(103, 10, seed=1, epoch=2))
    rest = BatchSampler(103, 10, seed=1, epoch=2, start_batch=done)
    assert list(rest) == whole[done:]
    assert len(rest) == 10 - done
    rest.set_epoch(2)
    assert list(rest) == whole


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_every_global_batch(world: int) -> None:
    each = [list(BatchSampler(100, 4, seed=1, rank=r, world_size=world)) for r in range(world)]
    together = [list(chain(*parts)) for parts in zip(*each, strict=True)]
    assert together == list(BatchSampler(100, 4 * world, seed=1))
    flat = list(chain(*together))
    assert len(set(flat)) == len(flat) == 100 // (4 * world) * 4 * world


def test_dataset_smaller_than_a_batch_is_repeated() -> None:
    each = [list(BatchSampler(3, 4, seed=0, rank=rank, world_size=2)) for rank in (0, 1)]
    assert [len(batches) for batches in each] == [1, 1]
    both = each[0][0] + each[1][0]
    assert sorted(both[:3]) == sorted(both[3:6]) == [0, 1, 2]
    assert both[6:] == both[:2]
