"""The worst pictures that the options admit, on all threads at once: the memory of the download."""

import io
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from benchmarks.harness.fault_pictures import WORST
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


def assert_as_named(name: str, content: bytes) -> None:
    if name == "32 MB PNG that ends too early":
        assert 31_500_000 < len(content) < 32_000_000
        assert b"IEND" not in content
        return
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format or "").lower() in name.lower()
        assert f"of {image.width:,} x {image.height:,}" in name
        assert bool(image.info.get("progressive")) == ("progressive" in name)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_download_stays_under_500_mb_on_32_threads(web: Web, tmp_path: Path) -> None:
    files = {name: make() for name, make in WORST.items()}
    for name, content in files.items():
        assert_as_named(name, content)
    pages = [web.page(content) for content in files.values()]
    kinds = {n: 1 + n // 2 % (len(WORST) - 1) if n % 2 else 0 for n in range(1, 49)}
    urls = [web.put(f"/{n}", pages[kind]) for n, kind in kinds.items()]
    pl.DataFrame({"id": list(kinds), "url": urls}).write_parquet(tmp_path / "posts")
    command = [sys.executable, "-c", DOWNLOAD, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    peak = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    codes = {kinds[row.id]: row.code for row in read_outcomes(tmp_path / "table").values()}
    assert codes == {kind: "ok" if kind else "truncated" for kind in range(len(WORST))}
    assert int(peak) < 500  # MB, 100 of them for the program itself
