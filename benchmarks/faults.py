"""Run Senga and img2dataset against servers and machines that fail, and on the worst pictures.

`python benchmarks/faults.py` prints three tables; `--save` also writes them to `results/faults.md`.
A server on the loopback makes the faults. Both tools run as commands of their own with the options
that they have by default, and are stopped after 120 seconds. Pictures of good URLs that are missing
at the end are lost.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from benchmarks.harness import img2dataset
from benchmarks.harness.fault_ends import (
    MANY_IDS,
    PAUSE,
    img2dataset_build,
    senga_build,
    with_ends,
)
from benchmarks.harness.fault_pictures import MILLIONS, WORST, tiny_parts
from benchmarks.harness.fault_server import FAULTS, HOST, Fault, FaultServer
from benchmarks.harness.fault_tools import (
    KEPT,
    MAX_SECONDS,
    Downloaded,
    with_img2dataset,
    with_senga,
)
from benchmarks.harness.report import Column, make_parser, page, publish, table
from benchmarks.harness.web import serving

GOOD_IDS = (1, 2, 3)
THREADS = 32  # for the worst pictures, as many as there are of each kind
UNLIMITED = {
    "allow_private": True,
    "requests_per_second": 0,
    "connections_per_host": THREADS,
    "retries": 0,
}  # options of Senga, so that all threads are busy


def with_faults(tool: str, server: FaultServer) -> list[list[str]]:
    """Return the rows of the first table."""
    rows = []
    for fault in (None, *FAULTS):
        row = [fault.name if fault else "none"]
        for cells in (senga_cells, partial(rival_cells, tool)):
            server.clear()
            with tempfile.TemporaryDirectory() as folder:
                row += cells(server, fault, Path(folder))
        log_row(row)
        rows.append(row)
    return rows


def log_row(row: list[str]) -> None:
    """Print a row as soon as it is measured, since the whole takes long."""
    sys.stderr.write(f"| {' | '.join(row)} |\n")


def senga_cells(server: FaultServer, fault: Fault | None, folder: Path) -> list[str]:
    """Return outcome, seconds and lost pictures of a fault, with Senga."""
    urls = [f"http://{HOST}/{n}.jpg" for n in GOOD_IDS]
    urls += [server.url(fault, HOST)] if fault else []
    return cells(with_senga(urls, folder, {}, {HOST: server.address}), "`ok`")


def rival_cells(tool: str, server: FaultServer, fault: Fault | None, folder: Path) -> list[str]:
    """Return the same, with img2dataset, which does not know `HOST`."""
    if fault and fault.leads_away:
        return ["not tried: it would leave this machine", "–", "–"]
    urls = [f"http://{server.address}/{n}.jpg" for n in GOOD_IDS]
    urls += [server.url(fault)] if fault else []
    return cells(with_img2dataset(tool, urls, folder), KEPT)


def cells(done: Downloaded, good: str) -> list[str]:
    """Return the outcome of the last URL, the seconds, and how many good ones are lost."""
    if not done.outcomes:
        return [done.lack, done.seconds, "all"]
    lost = sum(outcome != good for outcome in done.outcomes[: len(GOOD_IDS)])
    return [done.outcomes[-1], done.seconds, str(lost or "nothing")]


def with_worst(tool: str, server: FaultServer) -> list[list[str]]:
    """Return the rows of the table of the worst pictures."""
    makers = WORST | {
        f"30 MB {each} with {number / 1e6:g} million comments": partial(tiny_parts, each, number)
        for each, number in MILLIONS.items()
    }
    pages = {kind: server.page(make()) for kind, make in makers.items()}
    lists = {kind: [page] * THREADS for kind, page in pages.items()}
    lists["all of these, in turns"] = [*islice(cycle(pages.values()), THREADS)]
    rows = []
    for name, chosen in lists.items():
        urls = [server.put(f"/worst/{number}", page) for number, page in enumerate(chosen)]
        with tempfile.TemporaryDirectory() as folder:
            senga = with_senga(urls, Path(folder), UNLIMITED)
            rival = with_img2dataset(tool, urls, Path(folder), processes=1)
        row = [name]
        for done in (senga, rival):
            row += [done.counts, f"{done.run.peak:.0f}", done.seconds]
        log_row(row)
        rows.append(row)
    return rows


def report(faults: list[list[str]], ends: list[list[str]], worst: list[list[str]]) -> str:
    """Return the page of results."""

    def columns(heading: str, *numbers: str) -> list[Column]:
        of_tool = [(number, "") for number in numbers]
        return [(heading, "s"), ("Senga", "s"), *of_tool, (img2dataset.NAME, "s"), *of_tool]

    return page(
        "Faults",
        f"One URL with a fault and {len(GOOD_IDS)} good ones, for each tool with its default "
        f"options; seconds with start-up, stopped after {MAX_SECONDS}. Lost are pictures of good "
        "URLs.",
        ("requests", "urllib3", "pillow", "luigi"),
        table(columns("fault", "s", "lost"), faults),
        f"And {len(MANY_IDS)} good URLs, a server that takes {1000 * PAUSE:.0f} ms for each, and "
        "an end when half of them have been asked for; then the same command again. Damage is done "
        "to one tar of a finished run. A complete run is not read again: what is wrong within a "
        "tar, its next reader finds, which is Senga's next stage.",
        table(columns("what happens", "s of the next run", "lost"), ends),
        f"And {THREADS} URLs at once, on {THREADS} threads of one process, of the pictures that "
        "take most memory or time; without retries and without a limit on the rate. MB are the "
        "peak of the resident memory, of all processes together.",
        table(columns(f"{THREADS} at once", "MB", "s"), worst),
    )


def main() -> None:
    parser = make_parser(__doc__, "faults.md")
    img2dataset.add_option(parser)
    args = parser.parse_args()
    tool = img2dataset.install(args.environment)
    builds = senga_build, partial(img2dataset_build, tool)
    with serving(FaultServer()) as server:
        faults, worst = with_faults(tool, server), with_worst(tool, server)
        ends = with_ends(builds, server, log_row)
    publish(report(faults, ends, worst), "faults.md", save=args.save)


if __name__ == "__main__":
    main()
