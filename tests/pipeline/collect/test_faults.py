"""Every fault of the benchmark: its code, and that good pictures are downloaded beside it."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from benchmarks.harness.fault_pictures import picture
from benchmarks.harness.fault_server import FAULTS, HOST, Fault, FaultServer
from benchmarks.harness.web import serving
from pipeline.collect.client import PoliteClient
from pipeline.collect.download import DownloadOptions, download_shard
from pipeline.shard import ShardReader
from tests.pipeline.collect.fake_clock import FakeClock

GOOD = (1, 2, 3)


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with serving(FaultServer()) as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_has_its_code_and_good_pictures_are_kept(
    server: FaultServer, tmp_path: Path, fault: Fault
) -> None:
    server.clear()
    clock = FakeClock()
    server.wait = clock.wait_beside_a_client
    urls = {n: f"http://{HOST}/{n}.jpg" for n in GOOD} | {9: server.url(fault, HOST)}
    posts = tmp_path / "posts"
    pl.DataFrame({"id": list(urls), "url": list(urls.values())}).write_parquet(posts)
    client = PoliteClient(
        options=DownloadOptions(hosts=("*",), threads=1),
        connect_to={HOST: server.address},
        clock=clock,
        wait=clock.wait,
    )
    result = download_shard(
        posts, tmp_path / "tar", tmp_path / "table", client, journal=tmp_path / "journal"
    )
    codes = {row.id: row.code for row in result.outcomes}
    assert codes == dict.fromkeys(GOOD, "ok") | {9: fault.code}
    assert "/secret.jpg" not in server.requested
    with ShardReader(tmp_path / "tar") as shard:
        assert [shard.read(n, "jpg") for n in GOOD] == [picture(n) for n in GOOD]
