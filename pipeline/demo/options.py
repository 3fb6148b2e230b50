"""The demo's options, and its command line, which has one for each of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sketch_models.network_options import DEVICES, is_device
from sketch_models.option import Options, option

_MIN_QUEUE = 8  # as many pictures as one request for variations adds
_EXTRA_THREADS = 16  # for requests that do not wait: being computed, for the page, or refused


@dataclass(frozen=True, kw_only=True)
class DemoOptions(Options):
    """The options of the demo."""

    colorizer: str = option("", "colorizer.safetensors or its folder; the shipped one if empty")
    host: str = option("127.0.0.1", "address to listen on; any but the loopback is public")
    port: int = option(7860, "port to listen on; 0 takes a free one", at_least=0, at_most=65_535)
    device: str = option("auto", DEVICES)
    sketchkeras: str = option("", "weights of the sketch network: sketchkeras, or a path")
    simo_serra: str = option("", "weights of the line network: gan, mse, pencil1, ..., or a path")
    max_pixels: int = option(1 << 24, "largest number of pixels of a picture", at_least=1)
    max_body: int = option(
        1 << 25, "largest size of a request, in bytes", at_least=1024, unit="bytes"
    )
    min_side: int = option(16, "smallest side of a picture, in pixels", at_least=1, unit="pixels")
    queue: int = option(
        64,
        "largest number of pictures in the queue; more are refused",
        at_least=_MIN_QUEUE,
        unit="pictures",
    )
    threads: int = option(
        0, f"threads for requests; 0 for {_EXTRA_THREADS} more than the queue holds", at_least=0
    )
    browser: bool = option(True, "open the page in the browser")

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self.require(bool(self.host.strip()), "host", "a name or an address")
        self.require(is_device(self.device), "device", DEVICES)
        min_pixels = self.min_side**2
        self.require(self.max_pixels >= min_pixels, "max_pixels", f"{min_pixels} or more")

    @property
    def serving_threads(self) -> int:
        """The number of threads for requests; each request that waits for the models takes one."""
        return self.threads or self.queue + _EXTRA_THREADS


def parse(arguments: Sequence[str]) -> DemoOptions:
    """Return the options of a command line.

    Raises:
        ConfigError: If an option has a value that cannot be used.
        SystemExit: If the command line cannot be parsed, after a message on standard error.
    """
    parser = argparse.ArgumentParser(
        prog="senga demo",
        description="Open the web demo: draw lines, add colour hints, get a coloured picture.",
    )
    for field in fields(DemoOptions):
        parsing: dict[str, Any] = {"type": type(field.default)}
        if isinstance(field.default, bool):
            parsing = {"action": argparse.BooleanOptionalAction}
        help_text = str(field.metadata["help"])
        default = (
            f" ({field.default})" if type(field.default) in (str, int) and field.default else ""
        )
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, default=field.default, help=help_text + default, **parsing)
    return DemoOptions(**vars(parser.parse_args(arguments)))
