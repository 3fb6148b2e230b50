"""Measure the networks on this machine's device, against the peak rate of its matrix products.

`python benchmarks/gpu_networks.py` prints a table; `--save` also writes it to
`results/gpu_networks.md`, or `results/gpu_networks_cpu.md` if there is no GPU.

The weights are random, of full size. An image is a colour picture: one for tracer; three sketches,
one of each style, for inker and Simo-Serra; three channels for sketchKeras. The ceiling is the
largest rate of one large matrix product in the same type, measured before and after.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness.device import device_name, median_seconds, peak_tflops
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.line_training.options import LineOptions
from sketch_models import simo_serra, sketchkeras
from sketch_models.line_weights import CHANNELS
from sketch_models.runner import choose_device, choose_precision, prepare_for_inference
from sketch_models.unet import Unet

SIZES = (512, 768)
LINES = LineOptions()


@dataclass(frozen=True)
class Measured:
    """A network, and what it computes for one image."""

    build: Callable[[], nn.Module]
    channels: int  # of a map
    maps: int  # per image


NETWORKS = {
    "tracer": Measured(
        lambda: Unet(CHANNELS["tracer"], LINES.tracer_widths), CHANNELS["tracer"], 1
    ),
    "inker": Measured(lambda: Unet(CHANNELS["inker"], LINES.inker_widths), CHANNELS["inker"], 3),
    "sketchKeras": Measured(sketchkeras.Network, 1, 3),
    "Simo-Serra": Measured(simo_serra.Network, 1, 3),
}


def random_weights(network: nn.Module) -> nn.Module:
    """Initialize a network after He, so that the outputs are neither all zero nor infinite."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
        else:
            nn.init.zeros_(parameter)
    return network


def flops(network: Measured, size: int) -> float:
    """Return the floating-point operations of a network for one image."""
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        network.build()(torch.empty(network.maps, network.channels, size, size))
    return float(counter.get_total_flops())


@torch.inference_mode()
def rates(
    measured: Measured,
    size: int,
    images: int,
    args: argparse.Namespace,
    *,
    compiled: bool,
) -> tuple[float, float]:
    """Return images/s and TFLOP/s."""
    device = choose_device(args.device)
    dtype = choose_precision(args.precision, device)
    work = flops(measured, size) / 1e12  # TFLOP per image
    network = prepare_for_inference(
        random_weights(measured.build()), device, dtype, compiled=compiled
    )
    shape = (measured.maps * images, measured.channels, size, size)
    x = torch.randn(shape, device=device).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    rate = images / median_seconds(lambda: network(x), device, args.min_seconds)
    return rate, rate * work


def run(args: argparse.Namespace) -> str:
    """Measure all networks; return the page of results."""
    device = choose_device(args.device)
    dtype = choose_precision(args.precision, device)
    batches = args.images or ([1, 4, 16] if device.type == "cuda" else [1])
    ways = {"eager": False, "compiled": True} if args.compile else {"eager": False}
    peak = peak_tflops(device, dtype, args.min_seconds)
    rows = [
        (name, size, way, images, *rates(measured, size, images, args, compiled=compiled))
        for name, measured in NETWORKS.items()
        for size in SIZES
        for way, compiled in ways.items()
        for images in batches
    ]
    peak = max(peak, peak_tflops(device, dtype, args.min_seconds))
    columns = [
        ("network", "s"),
        ("size", "d"),
        ("way", "s"),
        ("images at once", "d"),
        ("images/s", ".2f"),
        ("TFLOP/s", ".2f"),
        ("share of the ceiling", ".0%"),
    ]
    return page(
        f"The networks on {device_name(device)}",
        f"{str(dtype).removeprefix('torch.')}, random weights. An image is a colour picture: "
        "one for tracer, three sketches for inker and Simo-Serra, three channels for sketchKeras. "
        f"Ceiling: {peak:.2f} TFLOP/s, one large matrix product.",
        ("torch", "numpy"),
        table(columns, [(*row, row[-1] / peak) for row in rows]),
    )


def main() -> None:
    parser = make_parser(__doc__, "gpu_networks*.md")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--images", type=int, nargs="+", help="images at once; a GPU: 1, 4, 16")
    parser.add_argument(
        "--min-seconds", type=float, default=2.0, help="seconds of each measurement"
    )
    parser.add_argument("--compile", action="store_true", help="measure compiled networks too")
    args = parser.parse_args()
    on_gpu = choose_device(args.device).type == "cuda"
    publish(run(args), f"gpu_networks{'' if on_gpu else '_cpu'}.md", save=args.save)


if __name__ == "__main__":
    main()
