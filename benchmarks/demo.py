"""Measure how long the web demo takes to colorize, over HTTP: one client, then several at once.

`python benchmarks/demo.py` starts the demo as its command does and prints a table; `--save` also
writes it to `results/demo.md`. The requests are those of the page: drawings of the sample
booru with hints, 256 px on the long side, as base64 PNG in JSON, on connections that are kept.
`Colorizer.colorize` and the network alone take turns with the one client, in this process, so that
noise of the machine meets all alike.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the demo; read when PyTorch is loaded

import cv2
import numpy as np

from benchmarks.harness.clock import seconds_of
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.hints import HintOptions, Hints, simulate_hints
from pipeline.colorizer.letterbox import Letterbox
from pipeline.demo.models import SHIPPED
from pipeline.demo.samples import POST_IDS
from pipeline.pack.square import Placement, resample
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import draw

TOP = Path(__file__).parents[1]
LONG_SIDE = 256  # pixels
PATCHES = 7  # of hints, the mean of those that a colorizer is trained with


@dataclass(frozen=True)
class Drawing:
    """A line drawing and its hints, the content of a request."""

    line: np.ndarray  # (H, W) uint8
    hints: Hints

    @classmethod
    def of(cls, post_id: int) -> Drawing:
        drawing = draw(post_id)
        high, wide = drawing.line.shape
        placement = Placement.of(wide, high, LONG_SIDE, "pad")
        width, height = placement.width, placement.height
        line, color = (resample(each, width, height) for each in (drawing.line, drawing.color))
        side = max(width, height)
        square = np.full((side, side, 3), 255, np.uint8)
        square[:height, :width] = color
        random = np.random.default_rng(post_id)
        hints = simulate_hints(square, (0, 0, width, height), HintOptions(), random, PATCHES)
        return cls(line, Hints(hints.color[:height, :width], hints.mask[:height, :width]))

    def body(self) -> bytes:
        """Return the body of the request, as the page sends it."""
        alpha = np.where(self.hints.mask, 255, 0).astype(np.uint8)[..., None]
        rgba = np.concatenate([self.hints.color, alpha], axis=2)
        _, hints = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
        pictures = {"line": encode_png(self.line), "hints": hints.tobytes()}
        texts = {name: base64.b64encode(png).decode() for name, png in pictures.items()}
        return json.dumps({**texts, "size": "line"}).encode()


@dataclass
class Round:
    """Seconds of the calls of one round."""

    one: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)  # of `one`: in the queue and at work
    colorize: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)
    several: list[float] = field(default_factory=list)
    errors: int = 0  # failed requests of `several`


class Client:
    """One connection to the demo."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=120)

    def colorize(self, body: bytes) -> tuple[float, float]:
        """Send one request; return its seconds, and those in the queue and at work of the demo."""
        started = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/api/colorize", body, headers)
        response = self._connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        if response.status != 200:
            raise RuntimeError(content.decode()[:200])
        return seconds, json.loads(content)["seconds"]


@contextmanager
def demo(colorizer: Path, device: str) -> Iterator[str]:
    """Run the demo's command; yield its `host:port`."""
    command = [sys.executable, "-m", "pipeline.demo", "--port=0", "--no-browser"]
    options = [f"--colorizer={colorizer}", f"--device={device}"]
    with subprocess.Popen(
        [*command, *options], cwd=TOP, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if match := re.search(r"http://(\S+)", line):
                    yield match[1]
                    return
            raise SystemExit("The demo did not start.")
        finally:
            process.terminate()


def run_clients(address: str, bodies: list[bytes], args: argparse.Namespace) -> list[float | None]:
    """Return the seconds of the requests of several clients at once; None for each that failed."""

    def try_once(client: Client, body: bytes) -> float | None:
        try:
            return client.colorize(body)[0]
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            sys.stderr.write(f"A request failed: {error}\n")
            return None

    def client(number: int) -> list[float | None]:
        connected = Client(address)
        count = args.requests // 2
        return [try_once(connected, bodies[(number + turn) % len(bodies)]) for turn in range(count)]

    with ThreadPoolExecutor(args.clients) as threads:
        return [each for of_one in threads.map(client, range(args.clients)) for each in of_one]


def run_round(
    address: str, drawings: list[Drawing], colorizer: Colorizer, args: argparse.Namespace
) -> Round:
    bodies = [drawing.body() for drawing in drawings]
    first = drawings[0]
    box = Letterbox.of(first.line, first.hints, colorizer.size)
    timings, client = Round(), Client(address)
    client.colorize(bodies[0])  # connects
    for count in range(args.requests):
        seconds, served = client.colorize(bodies[count % len(bodies)])
        timings.one.append(seconds)
        timings.served.append(served)
        timings.colorize.append(seconds_of(lambda: colorizer.colorize(first.line, first.hints)))
        timings.network.append(
            seconds_of(lambda: colorizer.colorize_batch([box.line], [box.hints]))
        )
    results = run_clients(address, bodies, args)
    timings.several = [each for each in results if each is not None]
    timings.errors = len(results) - len(timings.several)
    return timings


def report(rounds: list[Round], colorizer: Colorizer, args: argparse.Namespace) -> str:
    """Return the page of results."""

    def of(name: str, share: float = 0.5) -> float:
        """Milliseconds: of each round the median, or another quantile, and the median of these."""
        return 1000 * statistics.median(float(np.quantile(getattr(r, name), share)) for r in rounds)

    network_options = colorizer.train_job.network
    rows = {
        "one client": "one",
        f"{args.clients} clients at once": "several",
        "`Colorizer.colorize`": "colorize",
        "the network alone": "network",
    }
    columns = [("", "s"), ("median, ms", ".0f"), ("95th percentile, ms", ".0f")]
    ratio = statistics.median(float(np.median(r.several) / np.median(r.one)) for r in rounds)
    errors = sum(r.errors for r in rounds)
    count = sum(len(r.several) for r in rounds) + errors
    one, served, network = of("one"), of("served"), of("network")
    return page(
        "Colouring through the web demo",
        f"Drawings of {LONG_SIDE} px on the long side with {PATCHES} hints, as base64 PNG in JSON "
        f"over HTTP on the loopback, answered at their own size. Colorizer: "
        f"{network_options.generator}, {colorizer.size} px, width {network_options.width}, maps "
        f"{network_options.map_width}, hidden {network_options.hidden}, "
        f"{colorizer.num_parameters / 1e6:.1f} M parameters, on {colorizer.device}. "
        f"Medians over {args.rounds} rounds of {args.requests} requests.",
        ("torch", "flask", "waitress"),
        table(columns, [(name, of(key), of(key, 0.95)) for name, key in rows.items()]),
        f"With {args.clients} clients at once the median is **{ratio:.1f} times** that of one; "
        f"{errors} of their {count:,} requests failed. Of one client's {one:.0f} ms the network "
        f"takes {network:.0f} ({network / one:.0%}); {one - served:.0f} "
        f"({1 - served / one:.0%}) are HTTP, base64, PNG, and the way into the square and back.",
    )


def main() -> None:
    parser = make_parser(__doc__, "demo.md")
    parser.add_argument("--colorizer", type=Path, default=SHIPPED, help="file or folder")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--requests", type=int, default=40, help="of one client, a round")
    parser.add_argument("--clients", type=int, default=8, help="at once; half the requests each")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    args.colorizer = args.colorizer.absolute()
    drawings = [Drawing.of(post_id) for post_id in POST_IDS]
    colorizer = Colorizer.load(args.colorizer, args.device)
    colorizer.colorize(drawings[0].line)  # warms up
    with demo(args.colorizer, args.device) as address:
        rounds = [run_round(address, drawings, colorizer, args) for _ in range(args.rounds)]
    publish(report(rounds, colorizer, args), "demo.md", save=args.save)


if __name__ == "__main__":
    main()
