"""Train tracer or inker: `python -m pipeline.line_training.train tracer.json folder`.

A training that is stopped by Ctrl-C or SIGTERM saves a checkpoint first. One that was stopped or
killed resumes from its latest checkpoint, and ends with the same weights as if it had not been.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pipeline import store
from pipeline.child_process import run_main
from pipeline.line_training.best import Best
from pipeline.line_training.dataset import batches, load_tracer
from pipeline.line_training.evaluation import PICTURES, draw_sheet, evaluate
from pipeline.line_training.example import (
    VALIDATION,
    Example,
    draw_example,
    page_seed,
    read_example,
)
from pipeline.line_training.renew import renew
from pipeline.line_training.train_job import METRICS, LineTrainJob, weights_name
from pipeline.line_training.trainer import LineTrainer
from pipeline.line_training.validation import find_pairs
from pipeline.training import checkpoint, job_file
from pipeline.training.checkpoint import CheckpointSchedule
from pipeline.training.context import TrainContext, open_context
from pipeline.training.folder import CHECKPOINTS
from pipeline.training.stop_signal import catch_stop_signals, raise_stopped
from pipeline.training.train_log import TrainLog, TrainSchedule
from sketch_models import line_weights
from sketch_models.errors import ConfigError, SengaError
from sketch_models.unet import Unet, build_network
from sketch_models.weights.cache import expand_path

_SHEET_ROWS = 6
_PAGES = 16  # that weights to start from are shown, to find units that do not respond


@dataclass(frozen=True)
class ValidationSet:
    """What a network is judged by.

    Attributes:
        pages: of the artbook.
        pictures: from elsewhere.
    """

    pages: list[Example]
    pictures: list[Example]

    @classmethod
    def of(cls, job: LineTrainJob) -> ValidationSet:
        """Return the pages and the pictures that a job names.

        Raises:
            ConfigError: If the pictures cannot be used.
            WeightsError: If the weights of the tracer that makes sketches cannot be used.
        """
        options = job.options
        tracer = load_tracer(options.sketches_by(job.network))
        pages = [
            draw_example(job.network, page_seed(job.seed, VALIDATION, index), options.size, tracer)
            for index in range(options.validation_pages)
        ]
        pairs = []
        if options.validation:
            pairs = find_pairs(expand_path(options.validation), job.network)
        return cls(pages, [read_example(pair, job.network) for pair in pairs])


def train(job: LineTrainJob, folder: Path, context: TrainContext) -> None:
    """Train to the end, from the latest checkpoint in the folder if there is one.

    Args:
        job: network and settings.
        folder: for checkpoints, logs, sample sheets, and finally the weights and their metrics.
        context: device and precision; one process.

    Raises:
        ConfigError: If a batch does not fit into memory, or an option names a file that cannot be
            used.
        WeightsError: If the weights to start from, or of the tracer, cannot be used.
        StoppedError: If a signal asks for the end; a checkpoint is saved.
        SengaError: If a checkpoint cannot be used, a loss is not finite, or the disk is full.
    """
    try:
        _train_to_end(job, folder, context)
    except torch.OutOfMemoryError as error:
        raise ConfigError(
            f"[lines] batch_size = {job.options.batch_size}: so many pages of [lines] size = "
            f"{job.options.size} do not fit into memory. Choose fewer, or smaller ones."
        ) from error


def make_network(job: LineTrainJob) -> Unet:
    """Return the network of a job with its first weights; for those of a file, see `renew`.

    Raises:
        ConfigError: If the weights are of a network of other widths or with more context.
        WeightsError: If the weights cannot be used.
    """
    name, widths = job.options.initial_weights(job.network), job.options.widths(job.network)
    context = job.options.context(job.network)
    torch.manual_seed(job.seed)
    if not name:
        channels = line_weights.CHANNELS[job.network]
        return Unet(channels, widths, context=context, normalize=True)
    state, _ = line_weights.read(line_weights.find(name, job.network), job.network)
    network = build_network(state, context=context)
    source = f"as in the weights that {job.network}_initial_weights names"
    found = " ".join(map(str, network.widths))
    job.options.require(network.widths == widths, f"{job.network}_widths", f"{found}, {source}")
    known = len(network.context)
    job.options.require(known == context, f"{job.network}_context", f"at least {known}, {source}")
    few = replace(job.options, batch_size=_PAGES, views=1, num_workers=0)
    pages = next(batches(job.network, few, job.seed, torch.device("cpu"), first_step=0, steps=1))
    return renew(network, pages["picture"]).train()


def _train_to_end(job: LineTrainJob, folder: Path, context: TrainContext) -> None:
    options = job.options
    latest = checkpoint.latest(folder / CHECKPOINTS)
    state = checkpoint.load(latest, job.fingerprint()) if latest else None
    schedule = TrainSchedule.of(options.images, options.batch_size, epochs=1)
    validation = ValidationSet.of(job)
    trainer = LineTrainer(make_network(job), options, context, steps=schedule.steps)
    best = Best()
    if state is not None:
        trainer.load_state(state)
        best.load_state(state["best"])
    log = TrainLog(folder, schedule, tensorboard=options.tensorboard, lr_options="[lines] lr")
    checkpoints = CheckpointSchedule(schedule, options.checkpoint_every)
    rest = batches(
        job.network,
        options,
        job.seed,
        context.device,
        first_step=trainer.global_step,
        steps=schedule.steps,
    )
    # train, log, sample, evaluate, save, stop
    with catch_stop_signals() as stop, closing(rest):
        log.resume_from(trainer.global_step)
        for batch in rest:
            log.add(trainer.step(batch))
            step, stopped_by = trainer.global_step, stop.number
            if schedule.is_due(step, options.log_every):
                log.write(step)
            if schedule.is_due(step, options.sample_every):
                sheet = draw_sheet(trainer.ema, validation.pages[:_SHEET_ROWS], context)
                log.add_image(step, sheet)
            if schedule.is_due(step, options.evaluate_every):
                metrics = evaluate(trainer.ema, validation.pages, validation.pictures, context)
                log.add_metrics(step, metrics)
                if PICTURES in metrics:
                    best.offer(metrics[PICTURES], step * options.batch_size, trainer.ema)
            if checkpoints.is_due(step) or stopped_by:
                log.write(step)  # first: it stops the training at losses that are not finite
                identity = {"fingerprint": job.fingerprint(), "best": best.state()}
                checkpoint.save(
                    folder / CHECKPOINTS,
                    step,
                    trainer.state() | identity,
                    keep=options.keep_checkpoints,
                )
            log.report()
            if stopped_by:
                raise_stopped(stopped_by, schedule, step, context)
    log.close()
    _write_result(job, folder, trainer, best, validation, context)


def _write_result(
    job: LineTrainJob,
    folder: Path,
    trainer: LineTrainer,
    best: Best,
    validation: ValidationSet,
    context: TrainContext,
) -> None:
    """Write the weights, the best ones if they could be judged, and the metrics of their file."""
    images = trainer.global_step * job.options.batch_size
    if best.weights is not None:
        trainer.ema.load_state_dict(best.weights)
        images = best.images
    path = folder / weights_name(job.network)
    result = trainer.ema.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    with store.publish(path) as temporary:
        line_weights.write(temporary, result, _metadata(job, images))
    state, _ = line_weights.read(path, job.network)
    network = build_network(state).eval().to(context.device)
    metrics = evaluate(network, validation.pages, validation.pictures, context)
    facts = {
        "network": job.network,
        "images": images,
        "chosen_by": PICTURES if best.weights is not None else "the last step",
        **metrics,
    }
    with store.publish(folder / METRICS) as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _metadata(job: LineTrainJob, images: int) -> dict[str, str]:
    """Return what the file of weights says about them."""
    options = job.options
    # Without folders: weights are given to others, who need not learn the names of users.
    named = replace(
        options,
        validation=Path(options.validation).name,
        tracer_initial_weights=Path(options.tracer_initial_weights).name,
        inker_initial_weights=Path(options.inker_initial_weights).name,
        inker_tracer_weights=Path(options.inker_tracer_weights).name,
    )
    public = replace(job, options=named)
    metadata = {"network": job.network, "images": str(images), "job": public.to_json()}
    return metadata | ({"gamma": str(options.tracer_gamma)} if job.network == "tracer" else {})


def main(arguments: list[str]) -> None:
    """Run the command: train by a job file, into a folder."""
    if len(arguments) != 2:
        raise SengaError("usage: python -m pipeline.line_training.train JOB.json FOLDER")
    source, folder = Path(arguments[0]), Path(arguments[1])
    job = LineTrainJob.from_json(job_file.read_text(source), source)
    with open_context(job.compute) as context:
        train(job, folder, context)


if __name__ == "__main__":
    sys.exit(run_main(main, sys.argv[1:]))
