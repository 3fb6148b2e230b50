"""Train a colorizer: `python -m pipeline.colorizer.training.train colorizer.json folder`.

Under `torchrun` every process takes its share of each batch. A training that is stopped by Ctrl-C
or SIGTERM saves a checkpoint first. One that was stopped or killed resumes from its latest
checkpoint, and ends with the same weights as if it had not been.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, default_collate

from pipeline.child_process import run_main
from pipeline.colorizer import perceptual_weights
from pipeline.colorizer.colorizer_file import read_colorizer, write_colorizer
from pipeline.colorizer.initial_weights import find_colorizer
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.options import require_size
from pipeline.colorizer.packed_pictures import read_pictures
from pipeline.colorizer.train_job import WEIGHTS, TrainJob
from pipeline.colorizer.training.dataset import ColorizationDataset
from pipeline.colorizer.training.losses import Perceptual
from pipeline.colorizer.training.sample_grid import SampleGrid
from pipeline.colorizer.training.sampler import BatchSampler
from pipeline.colorizer.training.trainer import Trainer
from pipeline.colorizer.training.training_sample import TrainingSample
from pipeline.training import checkpoint, job_file
from pipeline.training.checkpoint import CheckpointSchedule
from pipeline.training.context import TrainContext, leave_process_group, open_context
from pipeline.training.folder import CHECKPOINTS
from pipeline.training.loader import iterate, loader_options
from pipeline.training.stop_signal import catch_stop_signals, raise_stopped
from pipeline.training.train_log import TrainLog, TrainSchedule
from sketch_models.errors import ConfigError, SengaError, WeightsError
from sketch_models.option import settings_of, text_of
from sketch_models.perceptual import danbooru_resnet
from sketch_models.weights import weights
from sketch_models.weights.cache import expand_path

_GRID_ROWS = 6


def train(job: TrainJob, folder: Path, context: TrainContext) -> None:
    """Train to the end, from the latest checkpoint in the folder if there is one.

    If a batch does not fit into memory, the largest one that does is searched for; training goes
    on with it if the job allows that.

    Args:
        job: data and settings.
        folder: for checkpoints, the log, sample grids, and finally the weights.
        context: device, precision and processes.

    Raises:
        ConfigError: If the pictures have a size that the networks cannot work on, or a batch does
            not fit into memory.
        DatasetError: If a file of pictures cannot be read.
        WeightsError: If weights of the perceptual loss are required and missing.
        StoppedError: If a signal asks for the end; a checkpoint is saved.
        SengaError: If a checkpoint cannot be used, a loss is not finite, or the disk is full.
    """
    try:
        _train_to_end(job, folder, context)
    except torch.OutOfMemoryError:
        out_of_memory = True  # the error, and all that the step worked on, is freed here
    else:
        out_of_memory = False
    if out_of_memory:
        leave_process_group()  # the other processes have not stopped at the same step
        batch_size = max_batch_size(job, context)
        if not batch_size or not job.options.shrink_batch or context.world_size > 1:
            raise ConfigError(
                _out_of_memory_message(job.options.batch_size, batch_size * context.world_size)
            )
        _train_to_end(_with_batch_size(job, batch_size), folder, context)


def max_batch_size(job: TrainJob, context: TrainContext) -> int:
    """Return the number of pictures of a step that fit into this process's memory, 0 or more.

    This runs steps of fewer pictures than `[train] batch_size`, which has not fitted, in this
    process alone: a process group must have been left before.
    """
    dataset = ColorizationDataset(job.train, hints=job.hints, spread_hints=job.network.spread_hints)
    fits, too_many = 0, job.options.batch_size // context.world_size
    alone = replace(context, world_size=1, compile=False)
    job = replace(job, losses=replace(job.losses, adversarial_start=0.0))  # the largest step
    while too_many - fits > 1:
        gc.collect()
        torch.cuda.empty_cache()
        count = (fits + too_many) // 2
        batch = default_collate([dataset[row % len(dataset)] for row in range(count)])
        try:
            _make_trainer(job, alone, dataset.size, steps=1).step(batch)
        except torch.OutOfMemoryError:
            too_many = count
        else:
            fits = count
    return fits


def _with_batch_size(job: TrainJob, batch_size: int) -> TrainJob:
    return replace(job, options=replace(job.options, batch_size=batch_size))


def _out_of_memory_message(batch_size: int, fits: int) -> str:
    if not fits:
        return (
            f"[train] batch_size = {batch_size} does not fit into memory, and neither does a "
            "single picture. Choose a smaller [colorizer] width or [pack] size."
        )
    return (
        f"[train] batch_size = {batch_size} does not fit into memory; {fits} does. Run with "
        f"--train-batch-size {fits}, or let it shrink with --train-shrink-batch true."
    )


def _make_trainer(job: TrainJob, context: TrainContext, size: int, steps: int) -> Trainer:
    return Trainer(
        size,
        network=job.network,
        loss_weights=job.losses,
        options=job.options,
        context=context,
        steps=steps,
        seed=job.seed,
        perceptual=load_perceptual(job),
    )


def _train_to_end(job: TrainJob, folder: Path, context: TrainContext) -> None:
    latest = checkpoint.latest(folder / CHECKPOINTS)
    state = checkpoint.load(latest, job.fingerprint()) if latest else None
    if state is not None:  # its batch may have shrunk to what fitted
        job = _with_batch_size(job, min(job.options.batch_size, state["batch_size"]))
    dataset = ColorizationDataset(
        job.train,
        lines=job.options.lines,
        augment=job.augment,
        hints=job.hints,
        seed=job.seed,
        spread_hints=job.network.spread_hints,
    )
    require_size(dataset.size)
    schedule = TrainSchedule.of(len(dataset), job.options.batch_size, job.options.epochs)
    trainer = _make_trainer(job, context, dataset.size, schedule.steps)
    log = _open_log(job, folder, schedule) if context.rank == 0 else None
    _start(trainer, job, dataset.size, state)
    state = None  # gigabytes, for a wide network
    identity = {"fingerprint": job.fingerprint(), "batch_size": job.options.batch_size}
    grid = _make_grid(job) if log is not None else None
    checkpoints = CheckpointSchedule(schedule, job.options.checkpoint_every)
    keep = job.options.keep_checkpoints
    rest = batches(dataset, job, schedule, context, trainer.global_step)
    # train, log, sample, save, stop
    with catch_stop_signals() as stop, closing(rest):
        context.highest(0)  # waits until all processes catch signals
        if log is not None:
            log.resume_from(trainer.global_step)
        for batch in rest:
            losses = trainer.step(batch)
            step, stopped_by = trainer.global_step, context.highest(stop.number)
            if log is not None and grid is not None:
                log.add(losses)
                if schedule.is_due(step, job.options.log_every):
                    log.write(step)
                if schedule.is_due(step, job.options.sample_every):
                    picture = grid.draw(trainer.ema, job.network.latent_dim, context.device)
                    log.add_image(step, picture)
                if checkpoints.is_due(step) or stopped_by:
                    log.write(step)  # first: it stops the training at losses that are not finite
                    state = trainer.state() | identity
                    checkpoint.save(folder / CHECKPOINTS, step, state, keep=keep)
                log.report()
            if stopped_by:
                raise_stopped(stopped_by, schedule, step, context)
    if log is not None:
        log.close()
        encoder = trainer.vae.encoder
        write_colorizer(folder / WEIGHTS, encoder, trainer.ema, job, dataset.size)


def _start(trainer: Trainer, job: TrainJob, size: int, state: Mapping[str, Any] | None) -> None:
    """Load the state of a checkpoint; without one, the weights that the job starts from, if any."""
    if state is not None:
        trainer.load_state(state)
    elif job.options.initial_weights:
        trainer.start_from(_read_initial(job, size))


# Options that no layer depends on.
_WITHOUT_WEIGHTS = ("init_gain", "copy_beyond_lines", "even_areas")


def _read_initial(job: TrainJob, size: int) -> Vae:
    """Return the encoder and the generator of the colorizer that a job starts from.

    Raises:
        WeightsError: If it cannot be read.
        ConfigError: If its networks are others, or were trained on pictures of another size.
    """
    name = job.options.initial_weights
    found = read_colorizer(find_colorizer(expand_path(name)))
    own, others = (settings_of(each.network) for each in (job, found.job))
    differing = [key for key in own if key not in _WITHOUT_WEIGHTS and own[key] != others[key]]
    needed = [f"[colorizer] {key} = {text_of(others[key])}" for key in differing]
    needed += [f"[pack] size = {found.size}"] if found.size != size else []
    if needed:
        raise ConfigError(
            f"[train] initial_weights = {name}: this colorizer was trained with "
            f"{', '.join(needed)}. Set the same, or start from another colorizer."
        )
    return found.vae


def _open_log(job: TrainJob, folder: Path, schedule: TrainSchedule) -> TrainLog:
    return TrainLog(
        folder,
        schedule,
        tensorboard=job.options.tensorboard,
        lr_options="[train] generator_lr and discriminator_lr",
    )


def _make_grid(job: TrainJob) -> SampleGrid:
    """Return a grid of the first test pictures, or training pictures if there is no test file."""
    line = job.options.lines[0] if job.options.lines else ""
    pictures = read_pictures(job.test or job.train, line, _GRID_ROWS)
    return SampleGrid(pictures, job.hints, job.seed, spread=job.network.spread_hints)


def batches(
    dataset: ColorizationDataset,
    job: TrainJob,
    schedule: TrainSchedule,
    context: TrainContext,
    first_step: int,
) -> Generator[TrainingSample]:
    """Yield this process's share of every batch, from `first_step` on; steps count from 0."""
    step = first_step
    sampler = BatchSampler(
        schedule.pictures,
        schedule.batch_size // context.world_size,
        seed=job.seed,
        rank=context.rank,
        world_size=context.world_size,
    )
    loader = DataLoader(
        dataset,
        batch_sampler=sampler,
        **loader_options(job.options.num_workers, context.device),
    )
    while step < schedule.steps:
        epoch, start = divmod(step, schedule.steps_per_epoch)
        sampler.set_epoch(epoch, start)
        dataset.set_epoch(epoch)
        for batch in iterate(loader):
            yield batch
            step += 1
            if step == schedule.steps:
                return


def load_perceptual(job: TrainJob) -> Perceptual | None:
    """Return the perceptual loss; None if its weight is 0 or its network's weights are skipped.

    Raises:
        WeightsError: If its network's weights are missing, and `missing_weights` is error.
    """
    if not job.losses.perceptual:
        return None
    perceptual_weights.identity(job.losses)  # raises for an unknown name
    message = perceptual_weights.unmet_requirement(job.losses)
    if message is not None:
        raise WeightsError(message)
    if not perceptual_weights.are_ready(job.losses):
        return None
    path = weights.ensure_safetensors(
        job.losses.perceptual_weights,
        perceptual_weights.NETWORK,
        danbooru_resnet.read,
        option=perceptual_weights.OPTION,
    )
    pooled = job.losses.perceptual_stem == "pool"
    return Perceptual(danbooru_resnet.load(path, pooled_stem=pooled))


def main(arguments: list[str]) -> None:
    """Run the command: train by a job file, into a folder."""
    if len(arguments) != 2:
        raise SengaError("usage: python -m pipeline.colorizer.training.train JOB.json FOLDER")
    source, folder = Path(arguments[0]), Path(arguments[1])
    job = TrainJob.from_json(job_file.read_text(source), source)
    with open_context(job.compute) as context:
        if job.options.batch_size % context.world_size:
            raise ConfigError(
                f"[train] batch_size = {job.options.batch_size}: expected a multiple of "
                f"{context.world_size}, the number of processes."
            )
        train(job, folder, context)


if __name__ == "__main__":
    sys.exit(run_main(main, sys.argv[1:]))
