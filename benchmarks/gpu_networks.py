"""Measure both networks on this machine's device, against the peak rate of its matrix products.

`python benchmarks/gpu_networks.py` prints a table; `--save` also writes it to
`results/gpu_networks.md`, or `results/gpu_networks_cpu.md` if there is no GPU.

The weights are random, of full size. An image is a colour picture: three maps for either network
(its channels, or its three styles of sketch). The ceiling is the largest rate of one large matrix
product in the same type, measured before and after.
"""

from __future__ import annotations

import argparse

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness.device import device_name, median_seconds, peak_tflops
from benchmarks.harness.report import make_parser, page, publish, table
from sketch_models import simo_serra, sketchkeras
from sketch_models.runner import choose_device, choose_precision, prepare_for_inference

SIZES = (512, 768)
MAPS = 3  # per image
NETWORKS = {"sketchKeras": sketchkeras.Network, "Simo-Serra": simo_serra.Network}


def random_weights(network: nn.Module) -> nn.Module:
    """Initialize a network after He, so that the outputs are neither all zero nor infinite."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
        else:
            nn.init.zeros_(parameter)
    return network


def flops(network: nn.Module, size: int) -> float:
    """Return the floating-point operations of a network for one map."""
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        network.to("meta")(torch.empty(1, 1, size, size))
    return float(counter.get_total_flops())


@torch.inference_mode()
def rates(
    network_type: type[nn.Module],
    size: int,
    images: int,
    args: argparse.Namespace,
    *,
    compiled: bool,
) -> tuple[float, float]:
    """Return images/s and TFLOP/s."""
    device = choose_device(args.device)
    dtype = choose_precision(args.precision, device)
    work = MAPS * flops(network_type(), size) / 1e12  # TFLOP per image
    network = prepare_for_inference(
        random_weights(network_type()), device, dtype, compiled=compiled
    )
    x = torch.randn(MAPS * images, 1, size, size, device=device).to(dtype)
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
        (name, size, way, images, *rates(network_type, size, images, args, compiled=compiled))
        for name, network_type in NETWORKS.items()
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
        f"{str(dtype).removeprefix('torch.')}, random weights; an image is three maps. "
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
