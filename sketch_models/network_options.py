"""Options of the networks, apart from their code, so that they can be read without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from sketch_models.option import option, require
from sketch_models.weights.simo_serra_file import STATISTICS

PADDINGS = ("zero", "reflect")
CANVASES = ("square", "tight")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True, kw_only=True)
class GpuOptions:
    """[gpu]: where and how the networks run."""

    device: str = option("auto", "auto, cpu, cuda, cuda:1 ..., or mps", affects_result=False)
    precision: str = option("auto", "auto (bf16 where it is fast, else fp32), fp32, bf16 or fp16")
    compile: bool = option(
        False, "compile the networks: a minute or more at first", affects_result=False
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        kind, _, number = self.device.partition(":")
        known = kind in ("auto", "cpu", "cuda", "mps") and (not number or number.isdigit())
        require(known, "[gpu] device", self.device, "auto, cpu, cuda, cuda:1 ..., or mps")
        names = ", ".join(PRECISIONS)
        require(self.precision in PRECISIONS, "[gpu] precision", self.precision, f"one of {names}")


@dataclass(frozen=True, kw_only=True)
class SketchKerasOptions:
    """[sketchkeras]: the sketch network of the paper.

    Which weights they are goes into the result by their digest, not by their name.
    """

    weights: str = option(
        "sketchkeras", "sketchkeras: fetch them; or the path of mod.h5", affects_result=False
    )
    padding: str = option("zero", "around every layer: zero, as in Keras, or reflect")
    canvas: str = option(
        "square", "square: pad pictures as upstream; tight: a third faster, another right edge"
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        require(self.padding in PADDINGS, "[sketchkeras] padding", self.padding, "zero or reflect")
        require(self.canvas in CANVASES, "[sketchkeras] canvas", self.canvas, "square or tight")


@dataclass(frozen=True, kw_only=True)
class SimoSerraOptions:
    """[simo_serra]: the line network of the paper; its weights count by their digest too."""

    weights: str = option(
        "gan",
        "gan, mse, pencil1 or pencil2: fetch them; or the path of a file",
        affects_result=False,
    )
    statistics: str = option(
        "gan", "gan, mse, pencil1 or pencil2: whose mean and deviation go with a .pth file"
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        names = ", ".join(STATISTICS)
        known = self.statistics in STATISTICS
        require(known, "[simo_serra] statistics", self.statistics, f"one of {names}")
