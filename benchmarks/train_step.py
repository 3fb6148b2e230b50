"""Measure a training step of netL-SPADE, against the same step written as textbooks do.

`python benchmarks/train_step.py` prints a table; `--save` also writes it to
`results/train_step.md`, or `results/train_step_gpu.md` on a GPU. Networks, losses and batch are the
same on both sides; see `harness/textbook_spade.py`. The operations counted are those of our step,
forward and backward, for both. The ceiling is one large matrix product in the same type.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness.clock import Work, median_ratio, time_in_turns
from benchmarks.harness.device import device_name, peak_tflops, synchronized
from benchmarks.harness.report import make_parser, page, publish, table
from benchmarks.harness.textbook_spade import Textbook
from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions
from pipeline.colorizer.training.trainer import Trainer
from pipeline.colorizer.training.training_sample import TrainingSample
from pipeline.training.context import TrainContext
from pipeline.training.memory import keep_freed_tensors
from sketch_models.runner import choose_device, choose_precision

PAPER_IMAGES = 8_544 * 50  # pictures times epochs, of the paper


def random_batch(images: int, size: int) -> TrainingSample:
    """Return a batch of noise, on which a step takes as long as on pictures."""

    def levels(channels: int) -> torch.Tensor:
        return torch.randint(0, 256, (images, channels, size, size), dtype=torch.uint8)

    mask = (levels(1) > 250).byte()
    return TrainingSample(
        line=levels(1),
        hint=levels(3) * mask,
        mask=mask,
        color=levels(3),
        id=torch.arange(images),
        box=torch.tensor([[0, 0, size, size]] * images),
    )


def make_trainer(options: NetworkOptions, size: int, context: TrainContext) -> Trainer:
    losses = LossOptions(perceptual=0)
    return Trainer(
        size,
        network=options,
        loss_weights=losses,
        options=TrainOptions(),
        context=context,
        steps=1000,
    )


def run(args: argparse.Namespace) -> str:
    """Measure all steps; return the page of results."""
    device = choose_device("auto")
    dtype = choose_precision("auto", device)
    if device.type == "cpu":
        keep_freed_tensors()  # as a training does
    network = NetworkOptions(
        width=args.width,
        map_width=args.map_width,
        hidden=args.hidden,
        encoder_width=args.width,
        discriminator_width=args.width,
    )
    batch = random_batch(args.images, args.size)
    contexts = {"Senga": TrainContext(device=device, dtype=dtype)}
    if dtype != torch.float32:
        contexts["Senga, fp32"] = TrainContext(device=device)
    if args.compile:
        contexts["Senga, compiled"] = TrainContext(device=device, dtype=dtype, compile=True)
    trainers = {
        name: make_trainer(network, args.size, context) for name, context in contexts.items()
    }
    with FlopCounterMode(display=False) as counter:
        trainers["Senga"].step(batch)
    work = counter.get_total_flops() / args.images / 1e12  # TFLOP an image
    textbook = Textbook(network, args.size, device)
    steps: dict[str, Work] = {
        name: synchronized(partial(trainer.step, batch), device)
        for name, trainer in trainers.items()
    }
    steps["textbook"] = synchronized(lambda: textbook.step(batch), device)
    before = peak_tflops(device, dtype, 2.0)
    time_in_turns(steps, 2)  # warms up
    seconds = time_in_turns(steps, args.repeats)
    peak = max(before, peak_tflops(device, dtype, 2.0))
    columns = [
        ("step", "s"),
        ("images/s", ".2f"),
        ("TFLOP/s", ".3f"),
        ("share of the ceiling", ".0%"),
        ("8,544 x 50 of these images", ""),
    ]
    rows = []
    for name, runs in seconds.items():
        rate = args.images / statistics.median(runs)
        hours = f"{PAPER_IMAGES / rate / 3600:,.1f} h"
        rows.append((name, rate, rate * work, rate * work / peak, hours))
    ratio = median_ratio(seconds["textbook"], seconds["Senga"])
    return page(
        f"A training step of netL-SPADE on {device_name(device)}",
        f"{args.images} images of {args.size} x {args.size}; width {args.width}, maps "
        f"{args.map_width}, hidden {args.hidden}; no perceptual loss; medians of "
        f"{args.repeats} steps in turns. {work:.3f} TFLOP an image. Ceiling, one large matrix "
        f"product in {str(dtype).removeprefix('torch.')}: {peak:.2f} TFLOP/s.",
        ("torch",),
        table(columns, rows),
        f"Senga's step is **{ratio:.2f} times** as fast as the textbook's.",
    )


def main() -> None:
    parser = make_parser(__doc__, "train_step*.md")
    parser.add_argument("--width", type=int, default=None, help="64 on a GPU, 16 on a CPU")
    parser.add_argument("--map-width", type=int, default=None, help="64, or 32")
    parser.add_argument("--hidden", type=int, default=None, help="128, or 32")
    parser.add_argument("--size", type=int, default=None, help="256, or 128")
    parser.add_argument("--images", type=int, default=None, help="32, or 8")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="measure a compiled step too")
    args = parser.parse_args()
    on_gpu = choose_device("auto").type == "cuda"
    full = {"width": 64, "map_width": 64, "hidden": 128, "size": 256, "images": 32}
    small = {"width": 16, "map_width": 32, "hidden": 32, "size": 128, "images": 8}
    for name, value in (full if on_gpu else small).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    publish(run(args), f"train_step{'_gpu' if on_gpu else ''}.md", save=args.save)


if __name__ == "__main__":
    main()
