"""What a training run says of itself: a line of JSON every so often, pictures, TensorBoard."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipeline import store
from pipeline.picture import encode_png
from sketch_models.errors import SengaError

METRICS = "metrics.jsonl"
SAMPLES = "samples"


@dataclass(frozen=True)
class Course:
    """How many steps there are, and where in the data each of them is.

    Attributes:
        pictures: in the dataset.
        batch_size: pictures a step, over all processes.
        steps: of the whole training.
    """

    pictures: int
    batch_size: int
    steps: int

    @classmethod
    def of(cls, pictures: int, batch_size: int, epochs: float) -> Course:
        """The course through a dataset."""
        return cls(pictures, batch_size, max(1, round(epochs * pictures / batch_size)))

    @property
    def steps_an_epoch(self) -> int:
        """Whole batches in one pass through the dataset."""
        return max(1, self.pictures // self.batch_size)

    def crossed(self, step: int, every: int) -> bool:
        """Whether step number `step` passed a multiple of `every` pictures, or is the last."""
        before, after = (step - 1) * self.batch_size, step * self.batch_size
        return step == self.steps or before // every < after // every


class RunLog:
    """What is known of a training run while it runs.

    Each line of JSON goes to `metrics.jsonl` and to the standard output; the numbers in it to
    TensorBoard too.

    Args:
        folder: that of the run.
        course: how long it is.
        tensorboard: whether to write for TensorBoard too.
    """

    def __init__(self, folder: Path, course: Course, *, tensorboard: bool) -> None:
        self._folder, self._course = folder, course
        with store.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._since = time.monotonic()
        self._board: Any = None
        if tensorboard:
            from tensorboardX import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"))

    def go_on_from(self, step: int) -> None:
        """Forgets what was logged after the checkpoint that training goes on from."""
        path = self._folder / METRICS
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= step]
            with store.publish(path) as temporary:
                temporary.write_text("".join(kept), encoding="utf-8")

    def add(self, found: dict[str, Tensor]) -> None:
        """Counts one step; nothing is waited for, on a GPU."""
        for name, value in found.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def write(self, step: int) -> None:
        """Writes the means since the last time.

        Raises:
            SengaError: where one of them is no number.
        """
        if not self._count:
            return
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        _refuse_nan(means, step)
        seconds = time.monotonic() - self._since
        images = self._count * self._course.batch_size
        line = {
            "step": step,
            "images": step * self._course.batch_size,
            "of": self._course.steps * self._course.batch_size,
            "images_per_s": round(images / seconds, 2),
            "seconds_left": round((self._course.steps - step) / self._count * seconds, 1),
            **{
                name if "gradient" in name else f"loss/{name}": float(f"{mean:.6g}")
                for name, mean in means.items()
            },
        }
        text = json.dumps(line)
        with store.writing(self._folder), (self._folder / METRICS).open("a") as file:
            file.write(text + "\n")
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        if self._board is not None:
            for name in (*means, "images_per_s"):
                value = line.get(name, line.get(f"loss/{name}"))
                self._board.add_scalar(name, value, line["images"])
        self._sums, self._count, self._since = {}, 0, time.monotonic()

    def picture(self, step: int, grid: NDArray[np.uint8]) -> None:
        """Keeps a sample grid: (H, W, 3) uint8 RGB."""
        images = step * self._course.batch_size
        path = self._folder / SAMPLES / f"{images:09d}.png"
        with store.publish(path) as temporary:
            temporary.write_bytes(encode_png(grid))
        if self._board is not None:
            self._board.add_image("samples", grid, images, dataformats="HWC")

    def close(self) -> None:
        """Writes what is left."""
        if self._board is not None:
            self._board.close()


def _refuse_nan(means: dict[str, float], step: int) -> None:
    broken = [name for name, mean in means.items() if not math.isfinite(mean)]
    if broken:
        raise SengaError(
            f"Training stopped at step {step:,}: {', '.join(broken)} is not a finite number. The "
            "last good checkpoint is kept; go on from it with a lower [train] generator_rate and "
            "discriminator_rate, or with [gpu] precision = fp32."
        )
