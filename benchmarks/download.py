"""Download a half-dead list of pictures from a local server, with Senga and img2dataset.

`python benchmarks/download.py` prints a table; `--save` also writes it to `results/download.md`.
Both tools run as commands of their own, start-up included, on the same list, and must keep the
same pictures, byte for byte. img2dataset gets an environment of its own, made on the first run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import math
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from benchmarks.harness import img2dataset
from benchmarks.harness.processes import Run, run
from benchmarks.harness.report import make_parser, page, publish, table

WIDTH, HEIGHT = 850, 1200
DISTINCT = 16  # pictures behind the live URLs


def make_pictures() -> list[bytes]:
    """Return JPEGs about as large as those of a booru; the same ones every time."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(DISTINCT):
        blots = rng.integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3), dtype=np.uint8)
        clean = cv2.resize(blots, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        grain = rng.normal(0, 5, (HEIGHT, WIDTH, 1))
        pixels = np.clip(clean + grain, 0, 255).astype(np.uint8)
        pictures.append(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return pictures


class Connection(asyncio.Protocol):
    """One connection of the server: `/live/<n>.jpg` is a picture, anything else is missing."""

    def __init__(self, responses: list[bytes], missing: bytes) -> None:
        self._responses, self._missing = responses, missing
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport to write to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to every request that is complete."""
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            folder, _, name = head.split(b" ", 2)[1][1:].partition(b"/")
            response = self._missing  # also for robots.txt
            if folder == b"live":
                response = self._responses[int(name.partition(b".")[0]) // 2 % DISTINCT]
            self._transport.write(response)
            if b"connection: close" in head.lower():
                self._transport.close()


def _response(status: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def serve() -> None:
    """Serve until killed; print the port."""
    responses = [_response("200 OK", "image/jpeg", body) for body in make_pictures()]
    missing = _response("404 Not Found", "text/html", b"<h1>Not found</h1>" * 8)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(responses, missing), "127.0.0.1", 0, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """Run the server in a process of its own; yield its port."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def write_list(path: Path, port: int, urls: int) -> None:
    """Write the list: half live, half dead, shuffled; every URL once."""
    names = [f"{'live' if n % 2 else 'dead'}/{n}.jpg" for n in range(urls)]
    order = np.random.default_rng(0).permutation(urls)
    pl.DataFrame(
        {"id": range(urls), "url": [f"http://127.0.0.1:{port}/{names[n]}" for n in order]},
        schema={"id": pl.Int64, "url": pl.String},
    ).write_parquet(path)


SENGA = f"""
import sys
from pathlib import Path
from pipeline.collect.download import DownloadOptions, download_shard
from pipeline.collect.client import PoliteClient
posts, folder = map(Path, sys.argv[1:])
folder.mkdir()
options = DownloadOptions(
    threads={img2dataset.THREADS},
    connections_per_host={img2dataset.THREADS},
    requests_per_second=0,
    allow_private=True,
    retries=0,
)
client = PoliteClient(options=options, allowed_hosts=("127.0.0.1",))
journal = folder / "0.journal"
download_shard(posts, folder / "0.tar", folder / "outcomes.parquet", client, journal=journal)
"""  # what the build does for one shard: all checks are on, the pace of one host is not limited


def run_to_end(command: list[str], log: Path) -> Run:
    """Run a command until it ends."""
    variables = img2dataset.environment_variables()
    done = run(command, log, max_seconds=math.inf, environment=variables)
    if done.code:
        sys.exit(f"{' '.join(command)} failed:\n{done.output}")
    return done


def kept(folder: Path) -> Counter[str]:
    """Return how often each picture is in the tars under a folder, by sha256."""
    counts: Counter[str] = Counter()
    for path in sorted(folder.rglob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".jpg"):
                    content = tar.extractfile(member)
                    assert content
                    counts[hashlib.sha256(content.read()).hexdigest()] += 1
    return counts


def commands(posts: Path, urls: int, environment: Path) -> dict[str, Callable[[Path], list[str]]]:
    """Return the command of each tool, given the folder that it writes to."""
    tool = img2dataset.install(environment)

    def rival(out: Path) -> list[str]:
        same_limits = {"extract_exif": False, "timeout": 10, "retries": 0}
        return [tool, *img2dataset.flags(posts, out, pictures_per_shard=urls // 4, **same_limits)]

    def senga(out: Path) -> list[str]:
        return [sys.executable, "-c", SENGA, str(posts), str(out)]

    return {img2dataset.NAME: rival, "**Senga**": senga}


def run_tools(urls: int, runs: int, environment: Path) -> tuple[dict[str, list[Run]], int]:
    """Run the tools in turns; return their runs, and the number of pictures that each kept."""
    with tempfile.TemporaryDirectory() as name, serving() as port:
        folder = Path(name)
        posts = folder / "posts.parquet"
        write_list(posts, port, urls)
        tools = commands(posts, urls, environment)
        results: dict[str, list[Run]] = {tool: [] for tool in tools}
        pictures = {tool: Counter[str]() for tool in tools}
        for _ in range(runs):
            for tool, command in tools.items():
                out = folder / "out"
                results[tool].append(run_to_end(command(out), folder / "log"))
                pictures[tool] = kept(out)
                shutil.rmtree(out)
    assert len({frozenset(counts.items()) for counts in pictures.values()}) == 1, pictures
    return results, pictures[img2dataset.NAME].total()


def report(results: dict[str, list[Run]], pictures: int, urls: int) -> str:
    """Return the page of results."""
    columns = [
        ("tool", "s"),
        ("seconds", ".1f"),
        ("URLs/s", ".0f"),
        ("times img2dataset", ".2f"),
        ("pictures kept", ","),
        ("peak memory, MB", ".0f"),
    ]
    medians = {tool: statistics.median(r.seconds for r in runs) for tool, runs in results.items()}
    rows = []
    for tool, runs in results.items():
        seconds, peak = medians[tool], max(run.peak for run in runs)
        times = medians[img2dataset.NAME] / seconds
        rows.append((tool, seconds, urls / seconds, times, pictures, peak))
    size = statistics.mean(map(len, make_pictures())) / 1e3
    return page(
        "Download",
        f"{urls:,} URLs on this machine, half of them dead, the others JPEGs of "
        f"{WIDTH} × {HEIGHT} and {size:.0f} KB.",
        ("requests", "urllib3", "pillow", "polars"),
        table(columns, rows),
        f"Seconds are the median of {len(results[img2dataset.NAME])} runs, start-up included; the "
        f"server ran on the same cores. Both had {img2dataset.THREADS} threads, img2dataset in "
        "each of two processes, with `resize_mode=no`, `skip_reencode`, no EXIF and no retries. "
        "Both decode every picture and keep its bytes; the kept ones were equal.",
    )


def main() -> None:
    parser = make_parser(__doc__, "download.md")
    parser.add_argument("--urls", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    img2dataset.add_option(parser)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve())
    else:
        results, pictures = run_tools(args.urls, args.runs, args.environment)
        publish(report(results, pictures, args.urls), "download.md", save=args.save)


if __name__ == "__main__":
    main()
