"""How fast the two networks run on the device at hand, against what it can multiply at most.

`python benchmarks/gpu_networks.py` prints a table; `--save` also writes it to
`results/gpu_networks.md`, or `results/gpu_networks_cpu.md` where there is no GPU.

The weights are random, of full size. An image is a colour picture: three maps for either network
(its channels, or its three styles of sketch). The ceiling is the largest rate of one large matrix
product in the same type, measured before and after.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from machine import describe
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sketch_models import simo_serra, sketchkeras
from sketch_models.runner import choose_device, choose_precision, prepare_for_inference

SIZES = (512, 768)
MAPS = 3  # per image
NETWORKS = {"sketchKeras": sketchkeras.Network, "Simo-Serra": simo_serra.Network}


def random_weights(network: nn.Module) -> nn.Module:
    """He's initialisation, so that the numbers are neither all zero nor infinite."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
        else:
            nn.init.zeros_(parameter)
    return network


def seconds_of(work: Callable[[], object], device: torch.device, least: float) -> float:
    """Seconds of one call: the median of as many as take `least` seconds together, 3 or more."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    work()
    wait()
    runs: list[float] = []
    while len(runs) < 3 or sum(runs) < least:
        started = time.perf_counter()
        work()
        wait()
        runs.append(time.perf_counter() - started)
    return statistics.median(runs)


def ceiling(device: torch.device, dtype: torch.dtype, least: float) -> float:
    """TFLOP/s of one large matrix product."""
    side = 8192 if device.type == "cuda" else 3072
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / seconds_of(lambda: left @ right, device, least) / 1e12


def flops(network: nn.Module, size: int) -> float:
    """Of one map, as it is computed."""
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        network.to("meta")(torch.empty(1, 1, size, size))
    return float(counter.get_total_flops())


@torch.inference_mode()
def rates(
    kind: type[nn.Module], size: int, images: int, args: argparse.Namespace, *, compiled: bool
) -> tuple[float, float]:
    """Images/s and TFLOP/s."""
    device = choose_device(args.device)
    dtype = choose_precision(args.precision, device)
    work = MAPS * flops(kind(), size) / 1e12  # TFLOP per image
    network = prepare_for_inference(random_weights(kind()), device, dtype, compiled=compiled)
    x = torch.randn(MAPS * images, 1, size, size, device=device).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    rate = images / seconds_of(lambda: network(x), device, args.least)
    return rate, rate * work


def measured(args: argparse.Namespace) -> str:
    """The table, with what it was measured on."""
    device = choose_device(args.device)
    dtype = choose_precision(args.precision, device)
    on_gpu = device.type == "cuda"
    batches = args.images or ([1, 4, 16] if on_gpu else [1])
    most = ceiling(device, dtype, args.least)
    ways = (False, True) if args.compile else (False,)
    rows = [
        (name, size, compiled, images, *rates(kind, size, images, args, compiled=compiled))
        for name, kind in NETWORKS.items()
        for size in SIZES
        for compiled in ways
        for images in batches
    ]
    most = max(most, ceiling(device, dtype, args.least))
    lines = [
        "| network | size | way | images at once | images/s | TFLOP/s | share of the ceiling |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for name, size, compiled, images, rate, tera in rows:
        way = "compiled" if compiled else "eager"
        share = f"{tera / most:.0%}"
        lines.append(f"| {name} | {size} | {way} | {images} | {rate:.2f} | {tera:.2f} | {share} |")
    where = torch.cuda.get_device_name(device) if on_gpu else "a CPU"
    return (
        f"# The networks on {where}\n\n"
        f"{str(dtype).removeprefix('torch.')}, random weights; an image is three maps. "
        f"Ceiling: {most:.2f} TFLOP/s, one large matrix product.\n"
        f"{describe(('torch', 'numpy'))}.\n\n" + "\n".join(lines) + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--images", type=int, nargs="+", help="images at once; a GPU: 1, 4, 16")
    parser.add_argument("--least", type=float, default=2.0, help="seconds of each measurement")
    parser.add_argument("--compile", action="store_true", help="measure compiled networks too")
    parser.add_argument("--save", action="store_true", help="write results/gpu_networks*.md")
    args = parser.parse_args()
    text = measured(args)
    sys.stdout.write(text)
    if args.save:
        on_gpu = choose_device(args.device).type == "cuda"
        name = "gpu_networks.md" if on_gpu else "gpu_networks_cpu.md"
        (Path(__file__).parent / "results" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
