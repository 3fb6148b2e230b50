"""Every fault of the benchmark: what becomes of it, how soon, and that it costs nothing else."""

import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from benchmarks.fault_server import FAULTS, HOST, Fault, Server, picture, serving
from pipeline.collect.client import Guest
from pipeline.collect.download import DownloadOptions, download_shard
from pipeline.shard import ShardReader

GOOD = (1, 2, 3)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_has_its_code_and_costs_nothing_else(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("pipeline.collect.schedule._BACK_OFF", 0.05)
    monkeypatch.setattr("pipeline.collect.fetch._GRACE", 1.2)
    server.asked.clear()
    urls = {n: f"http://{HOST}/{n}.jpg" for n in GOOD} | {9: server.url(fault, HOST)}
    posts = tmp_path / "posts"
    pl.DataFrame({"id": list(urls), "url": list(urls.values())}).write_parquet(posts)
    options = DownloadOptions(
        hosts=("*",), connect_timeout=0.5, first_byte_timeout=1.5, deadline=5.0, retries=2
    )
    guest = Guest(options=options, connect_to={HOST: server.address})
    start = time.monotonic()
    result = download_shard(
        posts, tmp_path / "tar", tmp_path / "table", guest, journal=tmp_path / "journal"
    )
    assert time.monotonic() - start < 12
    codes = {row.id: row.code for row in result.outcomes}
    assert codes == dict.fromkeys(GOOD, "ok") | {9: fault.code}
    assert "/secret.jpg" not in server.asked
    with ShardReader(tmp_path / "tar") as shard:
        assert [shard.read(n, "jpg") for n in GOOD] == [picture(n) for n in GOOD]
