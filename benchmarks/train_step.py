"""How fast a training step of netL-SPADE is, against the same step written as textbooks do.

`python benchmarks/train_step.py` prints a table; `--save` also writes it to
`results/train_step.md`, or `results/train_step_gpu.md` on a GPU. Networks, losses and batch are the
same on both sides; see `textbook_spade.py`. The operations counted are those of our step, forward
and backward, for both. The ceiling is one large matrix product in the same type.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from gpu_networks import ceiling
from machine import describe
from textbook_spade import Textbook
from torch.utils.flop_counter import FlopCounterMode

from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions
from pipeline.colorizer.training.trainer import TrainContext, Trainer
from pipeline.colorizer.training.training_sample import TrainingSample
from sketch_models.runner import choose_device, choose_precision

PAPERS_IMAGES = 8_544 * 50


def batch_of(images: int, size: int) -> TrainingSample:
    """Noise: no step is faster on pictures."""

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


def ours(options: NetworkOptions, size: int, context: TrainContext) -> Trainer:
    losses = LossOptions(perceptual=0)
    return Trainer(
        size, network=options, weights=losses, options=TrainOptions(), context=context, steps=1000
    )


def once(step: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def alternating(
    steps: dict[str, Callable[[], object]], device: torch.device, repeats: int
) -> dict[str, list[float]]:
    """Seconds of the calls, which take turns, so that noise of the machine meets all alike."""
    for step in steps.values():
        once(step, device)
        once(step, device)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            seconds[name].append(once(step, device))
    return seconds


def measured(args: argparse.Namespace) -> str:
    """The table, with what it was measured on."""
    device = choose_device("auto")
    dtype = choose_precision("auto", device)
    options = NetworkOptions(
        width=args.width,
        map_width=args.map_width,
        hidden=args.hidden,
        encoder_width=args.width,
        discriminator_width=args.width,
    )
    batch = batch_of(args.images, args.size)
    contexts = {"Senga": TrainContext(device=device, dtype=dtype)}
    if dtype != torch.float32:
        contexts["Senga, fp32"] = TrainContext(device=device)
    if args.compile:
        contexts["Senga, compiled"] = TrainContext(device=device, dtype=dtype, compile=True)
    trainers = {name: ours(options, args.size, context) for name, context in contexts.items()}
    with FlopCounterMode(display=False) as counter:
        trainers["Senga"].step(batch)
    work = counter.get_total_flops() / args.images / 1e12
    textbook = Textbook(options, args.size, device)
    steps: dict[str, Callable[[], object]] = {
        name: lambda trainer=trainer: trainer.step(batch) for name, trainer in trainers.items()
    }
    steps["textbook"] = lambda: textbook.step(batch)
    before = ceiling(device, dtype, 2.0)
    seconds = alternating(steps, device, args.repeats)
    most = max(before, ceiling(device, dtype, 2.0))
    return report(args, options, device, dtype, seconds, work, most)


def report(
    args: argparse.Namespace,
    options: NetworkOptions,
    device: torch.device,
    dtype: torch.dtype,
    seconds: dict[str, list[float]],
    work: float,
    most: float,
) -> str:
    """The table as Markdown."""
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU"
    ratio = statistics.median(
        theirs / mine for mine, theirs in zip(seconds["Senga"], seconds["textbook"], strict=True)
    )
    lines = [
        f"# A training step of netL-SPADE on {where}",
        "",
        f"{args.images} images of {args.size} x {args.size}; width {options.width}, maps "
        f"{options.map_width}, hidden {options.hidden}; no perceptual loss; medians of "
        f"{args.repeats} steps in turns. {work:.3f} TFLOP an image. Ceiling, one large matrix "
        f"product in {str(dtype).removeprefix('torch.')}: {most:.2f} TFLOP/s.",
        f"{describe(('torch',))}.",
        "",
        "| step | images/s | TFLOP/s | share of the ceiling | 8,544 x 50 of these images |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, runs in seconds.items():
        rate = args.images / statistics.median(runs)
        hours = f"{PAPERS_IMAGES / rate / 3600:,.1f} h"
        share = f"{rate * work / most:.0%}"
        lines.append(f"| {name} | {rate:.2f} | {rate * work:.3f} | {share} | {hours} |")
    lines += ["", f"Senga's step is **{ratio:.2f} times** as fast as the textbook's."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=None, help="64 on a GPU, 16 on a CPU")
    parser.add_argument("--map-width", type=int, default=None, help="64, or 32")
    parser.add_argument("--hidden", type=int, default=None, help="128, or 32")
    parser.add_argument("--size", type=int, default=None, help="256, or 128")
    parser.add_argument("--images", type=int, default=None, help="32, or 8")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="measure a compiled step too")
    parser.add_argument("--save", action="store_true", help="write results/train_step*.md")
    args = parser.parse_args()
    on_gpu = choose_device("auto").type == "cuda"
    full = {"width": 64, "map_width": 64, "hidden": 128, "size": 256, "images": 32}
    small = {"width": 16, "map_width": 32, "hidden": 32, "size": 128, "images": 8}
    for name, value in (full if on_gpu else small).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    text = measured(args)
    sys.stdout.write(text)
    if args.save:
        name = "train_step_gpu.md" if on_gpu else "train_step.md"
        (Path(__file__).parent / "results" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
