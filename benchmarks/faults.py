"""Run Senga and img2dataset against servers and machines that fail.

`python benchmarks/faults.py` prints a table; `--save` also writes it to `results/faults.md`.
A server on the loopback makes the faults. Both tools run as commands of their own with the options
that they have by default, on a list of the faulty URL and of three good ones, and are stopped after
120 seconds. Pictures of good URLs that are missing at the end are lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.harness import img2dataset
from benchmarks.harness.fault_server import FAULTS, HOST, Fault, FaultServer
from benchmarks.harness.report import Column, make_parser, page, publish, table
from benchmarks.harness.web import serving

MAX_SECONDS = 120
GOOD_IDS = (1, 2, 3)
MANY_IDS = range(1000, 1400)  # for the kills
TOP = Path(__file__).parents[1]
Cells = tuple[str, str, str]  # outcome, seconds, lost pictures
TAGS = "white_background solo upper_body"
HEADER = "id,created_at,rating,score,sample_url,sample_width,sample_height,preview_url,tags\n"

SENGA = """
import json, sys
from pathlib import Path
from pipeline.collect.download import DownloadOptions, download_shard
from pipeline.collect.client import PoliteClient
posts, folder, host, address = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
folder.mkdir()
client = PoliteClient(options=DownloadOptions(hosts=("*",)), connect_to={host: address})
done = download_shard(
    posts, folder / "0.tar", folder / "outcomes.parquet", client, journal=folder / "0.journal"
)
print(json.dumps({row.id: row.code for row in done.outcomes}))
"""  # what the build does for one shard


def run(command: list[str], folder: Path) -> tuple[str, float]:
    """Run a command for `MAX_SECONDS` at most; return its output and its seconds."""
    log = folder / "log"
    start = time.perf_counter()
    variables = img2dataset.environment_variables()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=variables, cwd=TOP, start_new_session=True
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(MAX_SECONDS)
        seconds = time.perf_counter() - start
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return log.read_text(), seconds


def format_seconds(seconds: float) -> str:
    return f"over {MAX_SECONDS}" if seconds >= MAX_SECONDS else f"{seconds:.1f}"


def with_senga(server: FaultServer, url: str | None, folder: Path) -> Cells:
    """Download a URL, if any, and the good ones with Senga."""
    urls = {n: f"http://{HOST}/{n}.jpg" for n in GOOD_IDS}
    if url:
        urls[9] = url
    posts = folder / "posts.parquet"
    pl.DataFrame({"id": list(urls), "url": list(urls.values())}).write_parquet(posts)
    command = [sys.executable, "-c", SENGA, str(posts), str(folder / "out"), HOST, server.address]
    output, seconds = run(command, folder)
    if seconds >= MAX_SECONDS:
        return "still at it", format_seconds(seconds), "all"
    codes = json.loads(output.splitlines()[-1])
    lost = sum(codes[str(n)] != "ok" for n in GOOD_IDS)
    return f"`{codes.get('9', 'ok')}`", format_seconds(seconds), str(lost or "nothing")


def with_img2dataset(tool: str, server: FaultServer, url: str | None, folder: Path) -> Cells:
    """Download a URL, if any, and the good ones with img2dataset."""
    urls = [f"http://{server.address}/{n}.jpg" for n in GOOD_IDS] + ([url] if url else [])
    posts = folder / "list.parquet"
    pl.DataFrame({"url": urls}).write_parquet(posts)
    out = folder / "rival"
    _, seconds = run([tool, *flags(posts, out, pictures_per_shard=10)], folder)
    if seconds >= MAX_SECONDS:
        return "still at it", format_seconds(seconds), "all"
    tables = list(out.glob("*.parquet"))
    if not tables:
        return "ended without a result", format_seconds(seconds), "all"
    rows = pl.concat(pl.read_parquet(table) for table in tables).to_dicts()
    status = {row["url"]: (row["status"], row["error_message"]) for row in rows}
    lost = sum(status.get(good, ("",))[0] != "success" for good in urls[:3])
    code, message = status[urls[-1]]
    text = "kept" if code == "success" else f"{code}: {' '.join(str(message).split())[:60]}"
    return text, format_seconds(seconds), str(lost or "nothing")


def flags(posts: Path, out: Path, pictures_per_shard: int) -> list[str]:
    return img2dataset.flags(
        posts, out, pictures_per_shard=pictures_per_shard, incremental_mode="incremental"
    )


def rival_url(fault: Fault, server: FaultServer) -> str | None:
    """Return the URL for a tool without `HOST`; None if it would leave the loopback."""
    return None if fault.path == "/cloud.jpg" else server.url(fault)


def with_faults(tool: str, server: FaultServer) -> list[list[str]]:
    """Return the rows of the first table."""
    rows = []
    for fault in (None, *FAULTS):
        row = [fault.name if fault else "none"]
        for cells in (senga_cells, rival_cells):
            server.clear()
            with tempfile.TemporaryDirectory() as folder:
                row += cells(tool, server, fault, Path(folder))
        log_row(row)
        rows.append(row)
    return rows


def log_row(row: list[str]) -> None:
    """Print a row as soon as it is measured, since the whole takes long."""
    sys.stderr.write(f"| {' | '.join(row)} |\n")


def senga_cells(_: str, server: FaultServer, fault: Fault | None, folder: Path) -> Cells:
    return with_senga(server, server.url(fault, HOST) if fault else None, folder)


def rival_cells(tool: str, server: FaultServer, fault: Fault | None, folder: Path) -> Cells:
    url = rival_url(fault, server) if fault else None
    if fault and url is None:
        return "not tried: it would leave this machine", "–", "–"
    return with_img2dataset(tool, server, url, folder)


# What happens to the machine


def senga_build(server: FaultServer, folder: Path) -> list[str]:
    """Return the command of Luigi that downloads the pictures of `MANY_IDS` in one shard."""
    csv = folder / "posts.csv"
    rows = [f'{n},0,s,1,"http://{server.address}/{n}.jpg",300,400,"","{TAGS}"\n' for n in MANY_IDS]
    csv.write_text(HEADER + "".join(rows))
    options = ["--metadata-source", "csv", "--metadata-csv", str(csv), "--workers", "2"]
    near = ["--download-hosts", "127.0.0.1", "--download-allow-private", "true"]
    fast = ["--download-requests-per-second", "0", "--build-shard-width", "5000"]
    luigi = [sys.executable, "-m", "luigi", "--module", "tasks", "DownloadShard", "--shard", "0"]
    return [*luigi, *options, *near, *fast, "--build-data", str(folder / "data")]


def rival_build(tool: str, server: FaultServer, folder: Path) -> list[str]:
    posts = folder / "list.parquet"
    urls = [f"http://{server.address}/{n}.jpg" for n in MANY_IDS]
    pl.DataFrame({"url": urls}).write_parquet(posts)
    return [tool, *flags(posts, folder / "data", pictures_per_shard=200)]


def kept(folder: Path) -> int:
    """Return the number of pictures in complete tars."""
    count = 0
    for path in folder.rglob("*.tar"):
        with contextlib.suppress(tarfile.TarError), tarfile.open(path) as tar:
            count += sum(name.endswith(".jpg") for name in tar.getnames())
    return count


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started."""
    pids, waiting = [], [pid]
    while waiting:
        for file in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += (new := [int(child) for child in file.read_text().split()])
                pids += new
    return pids


def is_running(pid: int) -> bool:
    """Return whether a process runs; False for a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def busiest(pids: list[int]) -> int:
    """Return the process with the most CPU time, which is the one that downloads."""

    def ticks(pid: int) -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    return max(pids, key=ticks)


def kill_and_rerun(command: list[str], server: FaultServer, folder: Path, *, worker: bool) -> Cells:
    """Kill a build halfway, and run it again.

    Lost are the pictures that the next run requested again, and those that it did not bring.
    """
    server.clear()
    server.pause = 0.05
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=TOP, start_new_session=True)
        while len(server.requested) < len(MANY_IDS) // 2:
            time.sleep(0.01)
        children = descendants(process.pid)
        os.kill(busiest(children) if worker else process.pid, signal.SIGKILL)
        start = time.perf_counter()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        how = f"ended after {time.perf_counter() - start:.1f} s"
        if process.poll() is None:
            how = "hung for 30 s"
        elif not worker:
            time.sleep(1)
            alive = sum(map(is_running, children))
            how = f"{alive} of its processes lived on" if alive else "its processes ended"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    before = set(server.requested)
    server.clear()
    _, seconds = run(command, folder)
    again = len(before & {path for path in server.requested if path != "/robots.txt"})
    missing = len(MANY_IDS) - kept(folder / "data")
    return how, format_seconds(seconds), f"{again} asked for again, {missing} missing"


def fill_disk_and_rerun(command: list[str], server: FaultServer, folder: Path) -> Cells:
    """Build on a disk of 2 MB, enlarge it, and run the build again."""
    server.clear()
    server.pause = 0.0
    data = folder / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(data)]
    subprocess.run(mount, check=True)
    try:
        output, _ = run(command, folder)
        enough = ["mount", "-o", "remount,size=200m", str(data)]
        subprocess.run(enough, check=True)
        sentence = "says so" if "disk is full" in output else "says nothing of it"
        if "Traceback" in output:
            sentence = "a traceback"
        before = set(server.requested)
        server.clear()
        _, seconds = run(command, folder)
        again = len(before & {path for path in server.requested if path != "/robots.txt"})
        missing = len(MANY_IDS) - kept(data)
    finally:
        subprocess.run(["umount", str(data)], check=True)
    return sentence, format_seconds(seconds), f"{again} asked for again, {missing} missing"


def with_ends(tool: str, server: FaultServer) -> list[list[str]]:
    """Return the rows of the second table."""
    ends: dict[str, Callable[[list[str], FaultServer, Path], Cells]] = {
        "kill -9 of the parent": partial(kill_and_rerun, worker=False),
        "kill -9 of a worker": partial(kill_and_rerun, worker=True),
        "full disk": fill_disk_and_rerun,
    }
    rows = []
    for name, end in ends.items():
        row = [name]
        for build in (senga_build, partial(rival_build, tool)):
            with tempfile.TemporaryDirectory() as folder:
                row += end(build(server, Path(folder)), server, Path(folder))
        log_row(row)
        rows.append(row)
    return rows


def report(faults: list[list[str]], ends: list[list[str]]) -> str:
    """Return the page of results."""

    def columns(heading: str, seconds: str) -> list[Column]:
        senga = [("Senga", "s"), (seconds, ""), ("lost", "")]
        return [(heading, "s"), *senga, (img2dataset.NAME, "s"), ("s", ""), ("lost", "")]

    return page(
        "Faults",
        "One URL with a fault and three good ones, for each tool with its default options; "
        f"seconds with start-up, stopped after {MAX_SECONDS}. Lost are pictures of good URLs.",
        ("requests", "urllib3", "pillow", "luigi"),
        table(columns("fault", "s"), faults),
        f"And {len(MANY_IDS)} good URLs, a server that takes 50 ms for each, and an end when half "
        "of them have been asked for; then the same command again.",
        table(columns("what happens", "s of the next run"), ends),
    )


def main() -> None:
    parser = make_parser(__doc__, "faults.md")
    img2dataset.add_option(parser)
    args = parser.parse_args()
    tool = img2dataset.install(args.environment)
    with serving(FaultServer()) as server:
        faults, ends = with_faults(tool, server), with_ends(tool, server)
    publish(report(faults, ends), "faults.md", save=args.save)


if __name__ == "__main__":
    main()
