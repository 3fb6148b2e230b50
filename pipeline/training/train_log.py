"""The log of a training: losses as lines of JSON, sample grids, and both for TensorBoard."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline import store
from pipeline.picture import encode_png
from pipeline.training.folder import METRICS_LOG, SAMPLES, TRAIN_LOG
from sketch_models.atomic import open_append
from sketch_models.errors import SengaError

_REPORT_EVERY = 3.0  # seconds between two lines of progress


@dataclass(frozen=True)
class TrainSchedule:
    """The steps of a training, and which of them are due for something.

    Attributes:
        pictures: in the dataset.
        batch_size: pictures per step, over all processes.
        steps: of the whole training.
    """

    pictures: int
    batch_size: int
    steps: int

    @classmethod
    def of(cls, pictures: int, batch_size: int, epochs: float) -> TrainSchedule:
        """Return the schedule for a number of epochs, which need not be whole."""
        return cls(pictures, batch_size, max(1, round(epochs * pictures / batch_size)))

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass through the dataset."""
        return max(1, self.pictures // self.batch_size)

    def is_due(self, step: int, every: int) -> bool:
        """Return whether a step reaches a multiple of `every` pictures, or is the last."""
        before, after = (step - 1) * self.batch_size, step * self.batch_size
        return step == self.steps or before // every < after // every


class TrainLog:
    """The log of a training while it runs.

    Each line of losses goes to `train_log.jsonl` and to standard output, each line of metrics to
    `metrics.jsonl`; the numbers of both to TensorBoard too. Between the lines of losses, standard
    output gets the progress every few seconds.

    Args:
        folder: of the training.
        schedule: of the training.
        tensorboard: write for TensorBoard too.
        lr_options: the options of the learning rates, for the message about losses that are not
            finite: "[train] generator_lr and discriminator_lr".
    """

    def __init__(
        self, folder: Path, schedule: TrainSchedule, *, tensorboard: bool, lr_options: str
    ) -> None:
        self._folder, self._schedule, self._lr_options = folder, schedule, lr_options
        with store.explain_write_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._sums: dict[str, tuple[Tensor, int]] = {}  # and the steps that they are of
        self._steps = 0  # in the sums
        self._line_started = self._reported_at = time.monotonic()
        self._step = 0
        self._timed_from: tuple[int, float] | None = None  # step and time that speed counts from
        self._writer: Any = None
        if tensorboard:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(folder / "tensorboard"))

    def resume_from(self, step: int) -> None:
        """Delete the lines of steps after that of the checkpoint to resume from, and say so."""
        self._step = step
        if step:
            self._print({"step": step, **self._images(step), "resumes": True})
        for path in (self._folder / TRAIN_LOG, self._folder / METRICS_LOG):
            if not path.exists():
                continue
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if _step_of(line) <= step]
            with store.publish(path) as temporary:
                temporary.write_text("".join(kept), encoding="utf-8")

    def add(self, losses: dict[str, Tensor]) -> None:
        """Add the losses of one step to the next line, without waiting for a GPU."""
        for name, value in losses.items():
            total, steps = self._sums.get(name, (torch.zeros_like(value), 0))
            self._sums[name] = total + value, steps + 1
        self._steps += 1
        self._step += 1
        if self._timed_from is None:  # the first step also starts workers, and warms up
            self._timed_from = self._step, time.monotonic()

    def report(self) -> None:
        """Print the progress, if nothing was printed for some seconds."""
        if self._timed_from is None or self._step == self._timed_from[0]:
            return
        if time.monotonic() - max(self._reported_at, self._timed_from[1]) > _REPORT_EVERY:
            rate = self._schedule.batch_size / self._seconds_per_step()
            speed = {"images_per_s": round(rate, 2), "seconds_left": self._seconds_left()}
            self._print({"step": self._step, **self._images(self._step), **speed})

    def write(self, step: int) -> None:
        """Write a line: the means of the losses since the line before.

        Raises:
            SengaError: If a mean is not finite.
        """
        if not self._steps:
            return
        means = {name: float(total) / count for name, (total, count) in self._sums.items()}
        self._require_finite(means, step)
        seconds = time.monotonic() - self._line_started
        line = {
            "step": step,
            **self._images(step),
            "images_per_s": round(self._steps * self._schedule.batch_size / seconds, 2),
            "seconds_left": self._seconds_left(),
            **{
                name if "gradient" in name else f"loss/{name}": float(f"{mean:.6g}")
                for name, mean in means.items()
            },
        }
        self._append(TRAIN_LOG, json.dumps(line))
        self._print(line)
        if self._writer is not None:
            for name in (*means, "images_per_s"):
                value = line.get(name, line.get(f"loss/{name}"))
                self._writer.add_scalar(name, value, line["images"])
        self._sums, self._steps, self._line_started = {}, 0, time.monotonic()

    def add_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write a line of metrics, to `metrics.jsonl`."""
        images = step * self._schedule.batch_size
        self._append(METRICS_LOG, json.dumps({"step": step, "images": images, **metrics}))
        if self._writer is not None:
            for name, value in metrics.items():
                self._writer.add_scalar(name, value, images)

    def add_image(self, step: int, grid: NDArray[np.uint8]) -> None:
        """Write a sample grid: (H, W, 3) uint8 RGB."""
        images = step * self._schedule.batch_size
        path = self._folder / SAMPLES / f"{images:09d}.png"
        with store.publish(path) as temporary:
            temporary.write_bytes(encode_png(grid))
        if self._writer is not None:
            self._writer.add_image("samples", grid, images, dataformats="HWC")

    def close(self) -> None:
        """Write what TensorBoard's writer has buffered."""
        if self._writer is not None:
            self._writer.close()

    def _images(self, step: int) -> dict[str, int]:
        batch_size = self._schedule.batch_size
        return {"images": step * batch_size, "of": self._schedule.steps * batch_size}

    def _seconds_per_step(self) -> float:
        """Return the mean since the first step of this process; without more, since the line."""
        now = time.monotonic()
        if self._timed_from is not None and self._step > self._timed_from[0]:
            step, started = self._timed_from
            return (now - started) / (self._step - step)
        return (now - self._line_started) / self._steps

    def _seconds_left(self) -> float:
        return round((self._schedule.steps - self._step) * self._seconds_per_step(), 1)

    def _print(self, line: Mapping[str, Any]) -> None:
        """Write a line of JSON to standard output, for the process that has started this one."""
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        self._reported_at = time.monotonic()

    def _append(self, name: str, line: str) -> None:
        path = self._folder / name
        with store.explain_write_errors(path), open_append(path) as file:
            file.write(f"{line}\n".encode())

    def _require_finite(self, means: dict[str, float], step: int) -> None:
        broken = [name for name, mean in means.items() if not math.isfinite(mean)]
        if broken:
            raise SengaError(
                f"Training stopped at step {step:,}: {', '.join(broken)} is not a finite number. "
                f"The last good checkpoint is kept. Resume from it with a lower "
                f"{self._lr_options}, or with [compute] precision = fp32."
            )


def _step_of(line: str) -> float:
    """Return the step of a line of a log; infinity if a kill has left it half-written."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, TypeError, KeyError):
        return math.inf
