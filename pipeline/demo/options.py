"""The demo's options, and its command line, which has one for each of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sketch_models.network_options import GpuOptions
from sketch_models.option import OptionError, option, require

_LEAST_QUEUE = 8  # a request for variations waits with so many pictures
_BEYOND_QUEUE = 16  # threads for pictures at work, and for the page and refusals meanwhile


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What the demo runs with."""

    colorizer: str = option("", "folder or colorizer.safetensors; else the demo's own")
    host: str = option("127.0.0.1", "address to listen on; others than this machine's are public")
    port: int = option(7860, "port to listen on; 0 takes a free one")
    device: str = option("auto", "auto, cpu, cuda, cuda:1 ..., or mps")
    sketchkeras: str = option("", "weights of the sketch network: sketchkeras, or a path")
    simo_serra: str = option("", "weights of the line network: gan, mse, pencil1, ..., or a path")
    max_pixels: int = option(1 << 24, "pixels that a picture may have")
    max_body: int = option(1 << 25, "bytes that a request may have")
    smallest_side: int = option(16, "pixels that each side of a picture must have")
    queue: int = option(64, "pictures that may wait for the models; more are refused")
    threads: int = option(0, f"threads that answer; 0: {_BEYOND_QUEUE} more than may wait")
    browser: bool = option(True, "open the page in the browser")

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        require(bool(self.host.strip()), "--host", repr(self.host), "a name or an address")
        require(0 <= self.port < 1 << 16, "--port", self.port, "a port from 0 to 65535")
        expected = "auto, cpu, cuda, cuda:1 ..., or mps"
        require(_is_device(self.device), "--device", self.device, expected)
        enough = self.smallest_side >= 1
        require(enough, "--smallest-side", self.smallest_side, "1 or more pixels")
        least = self.smallest_side**2
        require(self.max_pixels >= least, "--max-pixels", self.max_pixels, f"{least} or more")
        require(self.max_body >= 1024, "--max-body", self.max_body, "1024 or more bytes")
        wide = self.queue >= _LEAST_QUEUE
        require(wide, "--queue", self.queue, f"{_LEAST_QUEUE} or more pictures")
        require(self.threads >= 0, "--threads", self.threads, "0 or more")

    @property
    def serving_threads(self) -> int:
        """Threads that answer requests. Each that waits for the models takes one."""
        return self.threads or self.queue + _BEYOND_QUEUE


def _is_device(name: str) -> bool:
    try:
        GpuOptions(device=name)
    except OptionError:
        return False
    return True


def parse(arguments: Sequence[str]) -> DemoOptions:
    """The options of a command line.

    Raises:
        OptionError: for a value that cannot work.
        SystemExit: with a text on the standard error where it is no such command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.demo",
        description="Opens the web demo: draw, put hints, get a painting.",
    )
    for field in fields(DemoOptions):
        how: dict[str, Any] = {"type": type(field.default)}
        if isinstance(field.default, bool):
            how = {"action": argparse.BooleanOptionalAction}
        said = str(field.metadata["help"])
        shown = f" ({field.default})" if type(field.default) in (str, int) and field.default else ""
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, default=field.default, help=said + shown, **how)
    return DemoOptions(**vars(parser.parse_args(arguments)))
