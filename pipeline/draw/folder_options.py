"""The options of `senga lines`, and its command line, which has one for each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from pipeline.draw.simplify import SimplifyOptions
from pipeline.draw.sketch import SketchOptions
from sketch_models import registry
from sketch_models.network_options import DEVICES, ComputeOptions, is_device
from sketch_models.option import Options, option, settings_of
from sketch_models.styles import STYLES

ALL_STYLES = "all"

_VERSION = 2  # of the drawings: raise it if the same settings give others
_METAVARS = {"sketch": "MODEL", "line": "MODEL", "sketch_weights": "PATH", "line_weights": "PATH"}
_EPILOG = """\
The results have the folders and names of the pictures:
  RESULTS/sketches/girl/001.png    the lines that the sketch model finds
  RESULTS/lines/girl/001.png       clean line art: black on white, grey PNG
  RESULTS/errors.csv               pictures that could not be drawn, and why
With --style all there is a folder for each style, such as RESULTS/lines/pured/girl/001.png.
Run it again to draw what is new or has changed.

exit status: 0 if everything is drawn, 1 if some pictures could not be (see errors.csv),
  2 or 3 if nothing could start, 130 if it was stopped.
"""


@dataclass(frozen=True, kw_only=True)
class FolderOptions(Options):
    """The options of drawing a folder of pictures."""

    folder: str = option(
        "", "folder of pictures, with all folders in it, or one picture", path=True
    )
    results: str = option("", "folder for the results", path=True)
    sketch: str = option(
        SketchOptions().models[0],
        f"the sketch model: {' or '.join(registry.SKETCH_MODELS)}",
        choices=registry.SKETCH_MODELS,
    )
    line: str = option(
        SimplifyOptions().model,
        f"the line model: {' or '.join(registry.LINE_MODELS)}",
        choices=registry.LINE_MODELS,
    )
    style: str = option(
        "original",
        "original has all lines, enhanced fewer, pured the strongest; all draws all three",
        choices=(*STYLES, ALL_STYLES),
    )
    size: int = option(
        0,
        "long side of the results in pixels; 0 keeps that of the picture",
        at_least=0,
        at_most=8192,
        unit="pixels",
    )
    from_sketch: bool = option(
        False, "the pictures are rough drawings: only draw their clean line art"
    )
    overwrite: bool = option(False, "draw everything again, also with other settings")
    sketch_weights: str = option("", "weights of the sketch model, if it is a network: a path")
    line_weights: str = option("", "weights of the line model, if it is a network: a path")
    device: str = option("auto", f"of the networks: {DEVICES}")

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self.require(is_device(self.device), "device", DEVICES)
        self.require(
            not self.from_sketch or self.style == STYLES[0],
            "style",
            "none, since --from-sketch draws no sketches",
        )
        self.require(
            not self.sketch_weights or registry.is_network(registry.SKETCH_OPTIONS[self.sketch]()),
            "sketch_weights",
            f"none, since {self.sketch} is a filter",
        )
        self.require(
            not self.line_weights or registry.is_network(registry.LINE_OPTIONS[self.line]()),
            "line_weights",
            f"none, since {self.line} is a filter",
        )

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles to draw."""
        return STYLES if self.style == ALL_STYLES else (self.style,)

    @property
    def sketch_options(self) -> registry.SketchOptions:
        """The options of the sketch model."""
        options_type: Any = registry.SKETCH_OPTIONS[self.sketch]
        options: registry.SketchOptions = options_type(**_weights(self.sketch_weights))
        return options

    @property
    def line_options(self) -> registry.LineOptions:
        """The options of the line model."""
        options_type: Any = registry.LINE_OPTIONS[self.line]
        options: registry.LineOptions = options_type(**_weights(self.line_weights))
        return options

    def settings(self) -> dict[str, object]:
        """Return what a result depends on besides its picture, as plain data.

        Raises:
            WeightsError: If weights are missing.
        """
        settings: dict[str, object] = {
            "version": _VERSION,
            "size": self.size,
            "from_sketch": self.from_sketch,
            "line": self.line,
            "line_model": _model_settings(self.line_options),
        }
        if not self.from_sketch:
            settings |= {
                "style": self.style,
                "sketch": self.sketch,
                "sketch_model": _model_settings(self.sketch_options),
            }
        return settings


def _weights(chosen: str) -> dict[str, str]:
    return {"weights": chosen} if chosen else {}


def _model_settings(options: registry.ModelOptions) -> dict[str, object]:
    return settings_of(options) | registry.settings(options, ComputeOptions())


def parse(arguments: Sequence[str]) -> FolderOptions:
    """Return the options of a command line.

    Raises:
        ConfigError: If an option has a value that cannot be used.
        SystemExit: If the command line cannot be parsed, after a message on standard error.
    """
    parser = argparse.ArgumentParser(
        prog="senga lines",
        description="Draw sketches and clean line art of a folder of pictures (PNG, JPEG, GIF).",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for field in fields(FolderOptions):
        help_text = str(field.metadata["help"])
        if field.name in ("folder", "results"):
            parser.add_argument(field.name, metavar=field.name.upper(), help=help_text)
            continue
        name = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(name, action="store_true", help=help_text)
            continue
        parser.add_argument(
            name,
            type=type(field.default),
            default=field.default,
            metavar=_METAVARS.get(field.name, field.name.upper()),
            help=help_text + (f" ({field.default})" if field.default != "" else ""),
        )
    return FolderOptions(**vars(parser.parse_args(arguments)))
