"""The worst pictures that the options admit, on all threads at once: the memory of the download."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, features

from benchmarks.harness.web import Web
from pipeline.collect.outcome import read_outcomes

DOWNLOAD = r"""
import re, sys
from pathlib import Path
from pipeline.collect.client import PoliteClient
from pipeline.collect.download import DownloadOptions, download_shard

folder = Path(sys.argv[1])
options = DownloadOptions(
    allow_private=True, robots_txt=False, requests_per_second=0, connections_per_host=32, retries=0
)
client = PoliteClient(options=options, allowed_hosts=("127.0.0.1",))
files = [folder / name for name in ("posts", "tar", "table")]
download_shard(*files, client, journal=folder / "journal")
peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) // 1024)
"""


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def cut_noise() -> bytes:
    """Return a PNG of 32 MB that ends too early: it is read and decoded, and not written."""
    pixels = np.random.default_rng(0).integers(0, 256, (3260, 3260, 3), np.uint8)
    return encoded(Image.fromarray(pixels), "png", compress_level=0)[:-50_000]


def flat(side: int, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (side, side), 128)


WORST: dict[str, Callable[[], bytes]] = {
    "png": cut_noise,
    "large.png": lambda: encoded(flat(10_000, "P"), "png", compress_level=1),
    "larger.png": lambda: encoded(flat(7000), "png", compress_level=1),
    "scans.jpg": lambda: encoded(flat(4000), "jpeg", progressive=True, subsampling=0),
    "gif": lambda: encoded(flat(10_000, "P"), "gif"),
    "webp": lambda: encoded(flat(2500), "webp", method=0),
    "large.webp": lambda: encoded(flat(6000), "webp", method=0),
}
if features.check("avif"):
    WORST["avif"] = lambda: encoded(flat(2500), "avif", speed=10)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_download_stays_under_500_mb_on_32_threads(web: Web, tmp_path: Path) -> None:
    pages = {name: web.page(make()) for name, make in WORST.items()}
    small = [name for name in WORST if name != "png"]
    names = {n: small[n // 2 % len(small)] if n % 2 else "png" for n in range(1, 49)}
    urls = [web.put(f"/{n}.{name}", pages[name]) for n, name in names.items()]
    pl.DataFrame({"id": list(names), "url": urls}).write_parquet(tmp_path / "posts")
    command = [sys.executable, "-c", DOWNLOAD, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    peak = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    rows = read_outcomes(tmp_path / "table")
    codes = {names[post_id]: row.code for post_id, row in rows.items()}
    assert codes == dict.fromkeys(WORST, "ok") | {"png": "truncated"}
    assert int(peak) < 500  # MB, 100 of them for the program itself
