"""Send random requests to the demo: `python -m tests.fuzz.demo_api --cases 10000 --seed 0`.

The demo runs as its command does. No request may end it, be left without an answer, get an error of
the server other than 503, or a response that `docs/openapi.json` does not know. Prints how many
requests got which status, what escaped, the most seconds and megabytes of one request, and the
memory of the demo after a tenth of the requests and after all of them.
"""

import argparse
import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pipeline.demo.api_error import CODES
from tests.fuzz.demo_requests import Case, Requests
from tests.fuzz.memory import Memory
from tests.fuzz.openapi import Description

TOP = Path(__file__).parents[2]
TIMEOUT = 60  # seconds for a response
UNANSWERED = -1  # in place of a status


@dataclass
class Results:
    """What came of the cases.

    Attributes:
        statuses: the number of cases by kind and status; `UNANSWERED` of incomplete ones.
        escapes: what should not have been, a line each.
        slowest: seconds of the slowest case, and its kind.
        largest: megabytes of the case that took the most, and its kind.
        memory: megabytes of the demo by the number of cases.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    escapes: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[float, str] = (0.0, "")
    memory: dict[int, float] = field(default_factory=dict)


def fuzz(port: int, cases: int, seed: int, memory: Memory) -> Results:
    """Send cases one after another."""
    requests, description, results = Requests(seed), Description(), Results()
    for number in range(1, cases + 1):
        case = requests.next()
        memory.reset_peak()
        before, started = memory.now(), time.perf_counter()
        status, body = _send(port, case)
        seconds = time.perf_counter() - started
        results.slowest = max(results.slowest, (seconds, f"{case.kind}, {status}"))
        taken = memory.peak() - before
        results.largest = max(results.largest, (taken, f"{case.kind}, {status}"))
        results.statuses[case.kind, status] += 1
        if fault := _fault(case, status, body, description):
            shown = case.sent[:150]
            results.escapes.append(f"case {number} of seed {seed}, {case.kind}: {fault}; {shown!r}")
        if number in (cases // 10, cases):
            results.memory[number] = memory.now()
    return results


def _send(port: int, case: Case) -> tuple[int, bytes]:
    """Return the status and body of the response."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client:
        try:
            client.sendall(case.sent)
            if not case.whole:
                client.settimeout(0.1)
            response = http.client.HTTPResponse(client, method=case.method)
            with contextlib.closing(response):
                response.begin()
                return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return UNANSWERED, b""


def _fault(case: Case, status: int, body: bytes, description: Description) -> str:
    """Return what is wrong with a response; nothing if it is right."""
    if status == UNANSWERED:
        return "no answer" if case.whole else ""
    if status >= 500 and status != 503:
        return f"{status}"
    error = description.document["components"]["schemas"]["Error"]
    schema = error if status >= 400 else None
    for operation in description.operations:
        if operation.method == case.method and operation.takes(case.path):
            if status not in operation.responses:
                return f"{status} of {operation.path} is not in docs/openapi.json"
            schema = operation.responses[status]
    if schema is None or case.method == "HEAD":
        return ""
    try:
        content = json.loads(body)
    except ValueError:
        return f"{status} without JSON"
    if status >= 400 and "error" in content and CODES[content["error"]["code"]][0] != status:
        return f"{status} of {content['error']['code']}"
    return description.mismatch(schema, content)


@contextlib.contextmanager
def demo(log: IO[str]) -> Iterator[tuple[int, Memory]]:
    """Run the demo's command; yield its port and its memory."""
    command = [sys.executable, "-m", "pipeline.demo", "--port=0", "--no-browser", "--device=cpu"]
    with subprocess.Popen(
        command, cwd=TOP, stdout=subprocess.PIPE, stderr=log, text=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                    yield int(found[1]), Memory(process.pid)
                    return
            raise SystemExit("The demo did not start.")
        finally:
            process.terminate()


def report(results: Results) -> str:
    """Return a table of the statuses, and the rest as lines."""
    kinds = sorted({kind for kind, _ in results.statuses})
    statuses = sorted({status for _, status in results.statuses})
    names = ["cut off" if status == UNANSWERED else str(status) for status in statuses]
    rows = [["requests", *names, "all"], ["---"] * (len(names) + 2)]
    for kind in kinds:
        counts = [results.statuses[kind, status] for status in statuses]
        rows.append([kind, *(f"{count:,}" for count in counts), f"{sum(counts):,}"])
    sums = [sum(results.statuses[kind, status] for kind in kinds) for status in statuses]
    rows.append(["all", *(f"{count:,}" for count in sums), f"{sum(sums):,}"])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    memory = ", ".join(f"{size:,.0f} MB after {n:,}" for n, size in results.memory.items())
    return (
        f"{table}\n\n"
        f"Escapes: {len(results.escapes)}\n"
        f"Slowest request: {results.slowest[0]:.2f} s ({results.slowest[1]})\n"
        f"Most memory of a request: {results.largest[0]:.0f} MB ({results.largest[1]})\n"
        f"Memory of the demo: {memory}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--cases", type=int, default=1000, help="requests (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the requests (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryFile("w+") as log:
        with demo(log) as (port, memory):
            results = fuzz(port, args.cases, args.seed, memory)
        log.seek(0)
        results.escapes += [f"log: {line.strip()}" for line in log if line.strip()]
    print(report(results))
    for escape in results.escapes[:50]:
        print(escape)
    raise SystemExit(1 if results.escapes else 0)


if __name__ == "__main__":
    main()
