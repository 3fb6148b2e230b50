"""A short run of random requests to the demo; `python -m tests.fuzz.demo_api` is a long one."""

import http.client
import json
import os
import sys

import pytest

from tests.fuzz.demo_api import fuzz, report
from tests.fuzz.memory import Memory

MEGABYTE = 1 << 20


@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_escapes(server: str, caplog: pytest.LogCaptureFixture, seed: int) -> None:
    port = int(server.rpartition(":")[2])
    results = fuzz(port, 250, seed, Memory(os.getpid()))
    assert not results.escapes
    assert not caplog.records
    statuses = {status for _, status in results.statuses}
    assert {200, 400, 403, 404, 405, 413, 415, 422, 503} <= statuses, report(results)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_nothing_of_a_request_is_kept(server: str) -> None:
    client = http.client.HTTPConnection(server.removeprefix("http://"), timeout=60)
    memory = Memory(os.getpid())

    def send(count: int) -> None:
        spaces = b" " * MEGABYTE
        for _ in range(count):
            for body, status in ((spaces, 400), (b"{}" + spaces, 400), (b"{" + spaces, 400)):
                client.request("POST", "/api/colorize", body, {"Content-Type": "application/json"})
                response = client.getresponse()
                assert response.status == status
                assert json.loads(response.read())["error"]

    send(10)
    before = memory.now()
    send(30)  # 90 MB of bodies
    assert memory.now() - before < 30
    client.close()
