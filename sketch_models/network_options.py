"""The options of the networks; this module loads no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from sketch_models.option import Options, option
from sketch_models.weights.simo_serra_file import STATISTICS

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
DEVICES = "auto, cpu, cuda, cuda:1 ..., or mps"


@dataclass(frozen=True, kw_only=True)
class ComputeOptions(Options, section="compute", renamed_from="gpu"):
    """The device and precision of the networks."""

    device: str = option("auto", DEVICES, affects_result=False)
    precision: str = option(
        "auto",
        "auto (bf16 if it is fast on the device, else fp32), fp32, bf16 or fp16",
        choices=PRECISIONS,
    )
    compile: bool = option(
        False, "compile the networks: a minute or more at first", affects_result=False
    )

    def __post_init__(self) -> None:
        """Check every value; that the device exists is checked when it is used."""
        super().__post_init__()
        self.require(is_device(self.device), "device", DEVICES)


def is_device(name: str) -> bool:
    """Return whether a name has the form of a device, such as `cuda:1`."""
    backend, colon, number = name.partition(":")
    return backend in ("auto", "cpu", "cuda", "mps") and (number.isdigit() if colon else True)


@dataclass(frozen=True, kw_only=True)
class TracerOptions(Options, section="tracer"):
    """Senga's own sketch network.

    A fingerprint depends on the digest of the weights, not on their name.
    """

    weights: str = option(
        "shipped",
        "shipped: those of the package; or the path of a file of TrainLines",
        affects_result=False,
    )


@dataclass(frozen=True, kw_only=True)
class InkerOptions(Options, section="inker"):
    """Senga's own line network.

    A fingerprint depends on the digest of the weights, not on their name.
    """

    weights: str = option(
        "shipped",
        "shipped: those of the package; or the path of a file of TrainLines",
        affects_result=False,
    )


@dataclass(frozen=True, kw_only=True)
class SketchKerasOptions(Options, section="sketchkeras"):
    """The sketch network of the paper.

    A fingerprint depends on the digest of the weights, not on their name.
    """

    weights: str = option(
        "sketchkeras", "sketchkeras: fetch them; or the path of mod.h5", affects_result=False
    )
    padding: str = option(
        "zero",
        "around every layer: zero, as in Keras, or reflect",
        choices=("zero", "reflect"),
    )
    canvas: str = option(
        "square",
        "square: pad pictures as upstream; tight: a third faster, another right edge",
        choices=("square", "tight"),
    )


@dataclass(frozen=True, kw_only=True)
class SimoSerraOptions(Options, section="simo_serra"):
    """The line network of the paper.

    A fingerprint depends on the digest of the weights, not on their name.
    """

    weights: str = option(
        "gan",
        "gan, mse, pencil1 or pencil2: fetch them; or the path of a file",
        affects_result=False,
    )
    statistics: str = option(
        "gan",
        "gan, mse, pencil1 or pencil2: whose mean and deviation go with a .pth file",
        choices=tuple(STATISTICS),
    )
