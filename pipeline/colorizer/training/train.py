"""Trains a colorizer: `python -m pipeline.colorizer.training.train recipe.json folder`.

Under `torchrun` every process takes its part of each batch. Killed and started again it goes on
from the newest checkpoint as if nothing had happened.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import distributed
from torch.utils.data import DataLoader, default_collate

from pipeline.colorizer import recipe
from pipeline.colorizer.colorizer import WEIGHTS
from pipeline.colorizer.colorizer_file import write_colorizer
from pipeline.colorizer.held_out import read_held_out
from pipeline.colorizer.options import require_size
from pipeline.colorizer.recipe import Recipe
from pipeline.colorizer.training import checkpoint
from pipeline.colorizer.training.dataset import ColorizationDataset
from pipeline.colorizer.training.losses import Perceptual
from pipeline.colorizer.training.run_log import Course, RunLog
from pipeline.colorizer.training.sample import Sample
from pipeline.colorizer.training.sample_grid import SampleGrid
from pipeline.colorizer.training.sampler import BatchSampler
from pipeline.colorizer.training.trainer import Place, Trainer
from pipeline.run import command
from sketch_models.errors import SengaError
from sketch_models.perceptual import danbooru_resnet
from sketch_models.runner import choose_device, choose_precision
from sketch_models.weights import weights

CHECKPOINTS = "checkpoints"
_SAMPLES = 6  # rows of a sample grid


def train(task: Recipe, folder: Path, place: Place) -> None:
    """Trains to the end, from the newest checkpoint in the folder if there is one.

    Args:
        task: what to train from and how.
        folder: gets checkpoints, metrics, sample grids, and at the end the weights.
        place: device and processes.

    Raises:
        SengaError: data that cannot be trained on, a loss that is no number, no space left, a
            batch that does not fit into memory.
    """
    if _fits(task, folder, place):
        return
    fits = largest_batch(task, place)
    if not fits or not task.options.shrink_batch or place.processes > 1:
        raise SengaError(_too_large(task.options.batch_size, fits * place.processes))
    _train(_with_batch(task, fits), folder, place)


def _fits(task: Recipe, folder: Path, place: Place) -> bool:
    """Trains to the end; False where a step does not fit into memory, which is free again then."""
    try:
        _train(task, folder, place)
    except torch.OutOfMemoryError:
        return False  # the error holds on to all that the step was working on
    return True


def largest_batch(task: Recipe, place: Place) -> int:
    """How many pictures of a step fit into this process's memory; 0 if not even one does.

    Called where `[train] batch_size` has not fitted: tries steps with fewer. A distributed run
    ends with it, since the other processes have not stopped at the same place.
    """
    if distributed.is_initialized():
        distributed.destroy_process_group()
    dataset = ColorizationDataset(task.train, hints=task.hints)
    fits, too_many = 0, task.options.batch_size // place.processes
    alone = replace(place, processes=1, compiled=False)
    while too_many - fits > 1:
        gc.collect()
        torch.cuda.empty_cache()
        count = (fits + too_many) // 2
        batch = default_collate([dataset[row % len(dataset)] for row in range(count)])
        try:
            _trainer(task, alone, dataset.size, steps=1).step(batch)
        except torch.OutOfMemoryError:
            too_many = count
        else:
            fits = count
    return fits


def _with_batch(task: Recipe, pictures: int) -> Recipe:
    return replace(task, options=replace(task.options, batch_size=pictures))


def _too_large(batch_size: int, fits: int) -> str:
    if not fits:
        return (
            f"[train] batch_size = {batch_size} does not fit into memory, and neither does a "
            "single picture: choose a smaller [colorizer] width or [pack] size."
        )
    return (
        f"[train] batch_size = {batch_size} does not fit into memory, expected at most {fits}: "
        f"run with --train-batch-size {fits}, or let it shrink with --train-shrink-batch true."
    )


def _trainer(task: Recipe, place: Place, size: int, steps: int) -> Trainer:
    return Trainer(
        size,
        network=task.network,
        weights=task.losses,
        options=task.options,
        place=place,
        steps=steps,
        seed=task.seed,
        perceptual=perceptual(task),
    )


def _train(task: Recipe, folder: Path, place: Place) -> None:
    newest = checkpoint.newest(folder / CHECKPOINTS)
    state = checkpoint.load(newest, task.fingerprint()) if newest else None
    if state is not None:  # its batch may have shrunk to what fitted
        task = _with_batch(task, state["batch_size"])
    dataset = ColorizationDataset(
        task.train,
        lines=task.options.lines,
        augment=task.augment,
        hints=task.hints,
        seed=task.seed,
    )
    require_size(dataset.size)
    course = Course.of(len(dataset), task.options.batch_size, task.options.epochs)
    trainer = _trainer(task, place, dataset.size, course.steps)
    log = RunLog(folder, course, tensorboard=task.options.tensorboard) if place.rank == 0 else None
    if state is not None:
        trainer.load_state(state)
        state = None  # gigabytes, for a wide network
    known = {"fingerprint": task.fingerprint(), "batch_size": task.options.batch_size}
    if log is not None:
        log.go_on_from(trainer.step_number)
    grid = _grid(task) if place.rank == 0 else None
    # train, log, sample, save
    for batch in batches(dataset, task, course, place, trainer.step_number):
        found = trainer.step(batch)
        step = trainer.step_number
        if log is None or grid is None:
            continue
        log.add(found)
        if course.crossed(step, task.options.log_every):
            log.write(step)
        if course.crossed(step, task.options.sample_every):
            log.picture(step, grid.draw(trainer.average, task.network.latent, place.device))
        if course.crossed(step, task.options.checkpoint_every):
            log.write(step)  # a checkpoint is only of losses that were numbers
            now = {**trainer.state(), **known}
            checkpoint.save(folder / CHECKPOINTS, step, now, keep=task.options.keep_checkpoints)
    if log is not None:
        log.close()
        encoder = trainer.painter.encoder
        write_colorizer(folder / WEIGHTS, encoder, trainer.average, task, dataset.size)


def _grid(task: Recipe) -> SampleGrid:
    """Of the first test pictures; of the first training pictures where there is no test file."""
    line = task.options.lines[0] if task.options.lines else ""
    pictures = read_held_out(task.test or task.train, line, _SAMPLES)
    return SampleGrid(pictures, task.hints, task.seed)


def batches(
    dataset: ColorizationDataset, task: Recipe, course: Course, place: Place, done: int
) -> Iterator[Sample]:
    """This process's part of every batch that is still to come."""
    sampler = BatchSampler(
        course.pictures,
        course.batch_size // place.processes,
        seed=task.seed,
        rank=place.rank,
        world_size=place.processes,
    )
    workers = task.options.loader_workers
    loader = DataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        # A fork would take over locks that threads of PyTorch or CUDA hold, and hang on them.
        multiprocessing_context="spawn" if workers else None,
        pin_memory=place.device.type == "cuda",
    )
    while done < course.steps:
        epoch, start = divmod(done, course.steps_an_epoch)
        sampler.set_epoch(epoch, start)
        dataset.set_epoch(epoch)
        for batch in loader:
            yield batch
            done += 1
            if done == course.steps:
                return


def perceptual(task: Recipe) -> Perceptual | None:
    """The perceptual loss, where it has a weight and its network is on this machine.

    Raises:
        SengaError: where it is not, and the options refuse to go without.
    """
    if not task.losses.perceptual:
        return None
    name, option = task.losses.perceptual_weights, "[losses] perceptual_weights"
    weights.identity(name, option=option, network="danbooru_resnet")
    if weights.is_available(name):
        path = weights.ensure_safetensors(
            name, "danbooru_resnet", danbooru_resnet.read, option=option
        )
        return Perceptual(danbooru_resnet.load(path))
    if task.losses.without_weights == "refuse":
        raise SengaError(
            f"{option} = {name}: these weights are not on this machine, expected them since "
            f"[losses] without_weights = refuse: run `python -m sketch_models.weights fetch {name}`"
            ", or set it to continue."
        )
    return None


@contextmanager
def _processes(task: Recipe) -> Iterator[Place]:
    """This process's place among those that torchrun started; alone without it."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    name = task.gpu.device
    if count > 1 and name in ("auto", "cuda") and torch.cuda.is_available():
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    device = choose_device(name)
    dtype = choose_precision(task.gpu.precision, device)
    if dtype == torch.float16:
        raise SengaError(
            "[gpu] precision = fp16: the small gradients of a training vanish in it, expected "
            "bf16 or fp32: run with --gpu-precision auto."
        )
    if task.gpu.compile and device.type == "cpu":  # PyTorch 2.13, where both are channels-last
        raise SengaError(
            "[gpu] compile = true: on a CPU PyTorch's compiler gets batch normalisation behind a "
            "LeakyReLU wrong, expected a GPU: run with --gpu-compile false."
        )
    if device.type == "cuda":
        if device.index is not None:
            torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True  # all batches have one shape
    if count > 1:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Place(
            device=device, dtype=dtype, rank=rank, processes=count, compiled=task.gpu.compile
        )
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def main(arguments: list[str]) -> None:
    """The command: trains by a recipe, into a folder."""
    if len(arguments) != 2:
        raise SengaError("usage: python -m pipeline.colorizer.training.train RECIPE.json FOLDER")
    source, folder = Path(arguments[0]), Path(arguments[1])
    try:
        task = recipe.read(source.read_text(encoding="utf-8"), source)
    except OSError as error:
        raise SengaError(
            f"{source} cannot be read ({error.strerror}), expected a recipe."
        ) from None
    with _processes(task) as place:
        if task.options.batch_size % place.processes:
            raise SengaError(
                f"[train] batch_size = {task.options.batch_size}: expected a multiple of "
                f"{place.processes}, the number of processes."
            )
        train(task, folder, place)


if __name__ == "__main__":
    sys.exit(command(main, sys.argv[1:]))
