"""What Senga and img2dataset make of servers and machines that fail.

`python benchmarks/faults.py` prints a table; `--save` also writes it to `results/faults.md`.
A server on the loopback makes the faults. Both tools run as commands of their own with the options
that they have by default, on a list of the faulty URL and of three good ones, and are stopped after
120 seconds. What is lost are the pictures of good URLs that are not there at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
from download import img2dataset
from fault_server import FAULTS, HOST, Fault, Server, serving
from machine import describe

MOST = 120  # seconds
GOOD = (1, 2, 3)
MANY = range(1000, 1400)  # for the kills
TOP = Path(__file__).parents[1]
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
    """What a command prints, and its seconds; it is stopped after `MOST`."""
    log = folder / "log"
    start = time.perf_counter()
    environment = os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1"}  # it would ask the network
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, cwd=TOP, start_new_session=True
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(MOST)
        seconds = time.perf_counter() - start
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return log.read_text(), seconds


def took(seconds: float) -> str:
    return f"over {MOST}" if seconds >= MOST else f"{seconds:.1f}"


def with_senga(server: Server, url: str | None, folder: Path) -> str:
    """Three cells of the table: what became of the URL, seconds, what was lost."""
    urls = {n: f"http://{HOST}/{n}.jpg" for n in GOOD}
    if url:
        urls[9] = url
    posts = folder / "posts.parquet"
    pl.DataFrame({"id": list(urls), "url": list(urls.values())}).write_parquet(posts)
    command = [sys.executable, "-c", SENGA, str(posts), str(folder / "out"), HOST, server.address]
    said, seconds = run(command, folder)
    if seconds >= MOST:
        return f"still at it | {took(seconds)} | all"
    codes = json.loads(said.splitlines()[-1])
    lost = sum(codes[str(n)] != "ok" for n in GOOD)
    return f"`{codes.get('9', 'ok')}` | {took(seconds)} | {lost or 'nothing'}"


def with_img2dataset(tool: str, server: Server, url: str | None, folder: Path) -> str:
    urls = [f"http://{server.address}/{n}.jpg" for n in GOOD] + ([url] if url else [])
    posts = folder / "list.parquet"
    pl.DataFrame({"url": urls}).write_parquet(posts)
    out = folder / "rival"
    _, seconds = run([tool, *flags(posts, out, shard=10)], folder)
    if seconds >= MOST:
        return f"still at it | {took(seconds)} | all"
    tables = list(out.glob("*.parquet"))
    if not tables:
        return f"ended without a result | {took(seconds)} | all"
    rows = pl.concat(pl.read_parquet(table) for table in tables).to_dicts()
    status = {row["url"]: (row["status"], row["error_message"]) for row in rows}
    lost = sum(status.get(good, ("",))[0] != "success" for good in urls[:3])
    what, why = status[urls[-1]]
    text = "kept" if what == "success" else f"{what}: {' '.join(str(why).split())[:60]}"
    return f"{text} | {took(seconds)} | {lost or 'nothing'}"


def flags(posts: Path, out: Path, shard: int) -> list[str]:
    chosen = {
        "url_list": posts,
        "input_format": "parquet",
        "output_format": "webdataset",
        "output_folder": out,
        "resize_mode": "no",
        "skip_reencode": True,
        "processes_count": 2,
        "thread_count": 32,
        "number_sample_per_shard": shard,
        "incremental_mode": "incremental",
    }
    return [f"--{name}={value}" for name, value in chosen.items()]


def rival_url(fault: Fault, server: Server) -> str | None:
    """The URL for a tool that does not know `HOST`; None where it would leave the loopback."""
    return None if fault.path == "/cloud.jpg" else server.url(fault)


def table_of_faults(tool: str, server: Server) -> Iterator[str]:
    yield "| fault | Senga | s | lost | img2dataset 1.47 | s | lost |"
    yield "|---|---|---:|---:|---|---:|---:|"
    for fault in (None, *FAULTS):
        cells = []
        for cell in (senga_cell, rival_cell):
            server.asked.clear()
            with tempfile.TemporaryDirectory() as folder:
                cells.append(cell(tool, server, fault, Path(folder)))
        row = f"| {fault.name if fault else 'none'} | {' | '.join(cells)} |"
        sys.stderr.write(f"{row}\n")
        yield row


def senga_cell(_: str, server: Server, fault: Fault | None, folder: Path) -> str:
    return with_senga(server, server.url(fault, HOST) if fault else None, folder)


def rival_cell(tool: str, server: Server, fault: Fault | None, folder: Path) -> str:
    url = rival_url(fault, server) if fault else None
    if fault and url is None:
        return "not tried: it would leave this machine | – | –"
    return with_img2dataset(tool, server, url, folder)


# What happens to the machine


def senga_build(server: Server, folder: Path) -> list[str]:
    """Luigi, downloading `MANY` pictures in one shard."""
    csv = folder / "posts.csv"
    rows = [f'{n},0,s,1,"http://{server.address}/{n}.jpg",300,400,"","{TAGS}"\n' for n in MANY]
    csv.write_text(HEADER + "".join(rows))
    options = ["--metadata-source", "csv", "--metadata-csv", str(csv), "--workers", "2"]
    near = ["--download-hosts", "127.0.0.1", "--download-allow-private", "true"]
    fast = ["--download-requests-per-second", "0", "--build-shard-width", "5000"]
    luigi = [sys.executable, "-m", "luigi", "--module", "tasks", "DownloadShard", "--shard", "0"]
    return [*luigi, *options, *near, *fast, "--build-data", str(folder / "data")]


def rival_build(tool: str, server: Server, folder: Path) -> list[str]:
    posts = folder / "list.parquet"
    urls = [f"http://{server.address}/{n}.jpg" for n in MANY]
    pl.DataFrame({"url": urls}).write_parquet(posts)
    return [tool, *flags(posts, folder / "data", shard=200)]


def kept(folder: Path) -> int:
    """Pictures in whole tars."""
    found = 0
    for path in folder.rglob("*.tar"):
        with contextlib.suppress(tarfile.TarError), tarfile.open(path) as tar:
            found += sum(name.endswith(".jpg") for name in tar.getnames())
    return found


def descendants(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        for file in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += (new := [int(child) for child in file.read_text().split()])
                found += new
    return found


def lives(pid: int) -> bool:
    """Whether a process is still there, and not just its entry in the table."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def busiest(pids: list[int]) -> int:
    """The process that has worked most: the one that downloads."""

    def ticks(pid: int) -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    return max(pids, key=ticks)


def killed(command: list[str], server: Server, folder: Path, *, worker: bool) -> str:
    """Three cells: what happened at the kill, seconds of the next run, what was lost.

    Lost is what the next run had to ask for again, and what was still missing behind it.
    """
    server.asked.clear()
    server.pause = 0.05
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=TOP, start_new_session=True)
        while server.asked.total() < len(MANY) // 2:
            time.sleep(0.01)
        left = descendants(process.pid)
        os.kill(busiest(left) if worker else process.pid, signal.SIGKILL)
        start = time.perf_counter()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        how = f"ended after {time.perf_counter() - start:.1f} s"
        if process.poll() is None:
            how = "hung for 30 s"
        elif not worker:
            time.sleep(1)
            alive = sum(map(lives, left))
            how = f"{alive} of its processes lived on" if alive else "its processes ended"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    before = set(server.asked)
    server.asked.clear()
    _, seconds = run(command, folder)
    again = len(before & {path for path in server.asked if path != "/robots.txt"})
    missing = len(MANY) - kept(folder / "data")
    return f"{how} | {took(seconds)} | {again} asked for again, {missing} missing"


def full(command: list[str], server: Server, folder: Path) -> str:
    """Three cells: what was said on a disk of 2 MB, seconds of the next run, what was lost."""
    server.asked.clear()
    server.pause = 0.0
    data = folder / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(data)]
    subprocess.run(mount, check=True)
    try:
        said, _ = run(command, folder)
        enough = ["mount", "-o", "remount,size=200m", str(data)]
        subprocess.run(enough, check=True)
        sentence = "says so" if "disk is full" in said else "says nothing of it"
        if "Traceback" in said:
            sentence = "a traceback"
        before = set(server.asked)
        server.asked.clear()
        _, seconds = run(command, folder)
        again = len(before & {path for path in server.asked if path != "/robots.txt"})
        missing = len(MANY) - kept(data)
    finally:
        subprocess.run(["umount", str(data)], check=True)
    return f"{sentence} | {took(seconds)} | {again} asked for again, {missing} missing"


def table_of_ends(tool: str, server: Server) -> Iterator[str]:
    yield "| what happens | Senga | s of the next run | lost | img2dataset 1.47 | s | lost |"
    yield "|---|---|---:|---:|---|---:|---:|"
    ends: dict[str, Callable[[list[str], Server, Path], str]] = {
        "kill -9 of the parent": lambda *given: killed(*given, worker=False),
        "kill -9 of a worker": lambda *given: killed(*given, worker=True),
        "full disk": full,
    }
    for name, end in ends.items():
        cells = []
        for rival in (False, True):
            with tempfile.TemporaryDirectory() as text:
                folder = Path(text)
                command = (
                    rival_build(tool, server, folder) if rival else senga_build(server, folder)
                )
                cells.append(end(command, server, folder))
        row = f"| {name} | {' | '.join(cells)} |"
        sys.stderr.write(f"{row}\n")
        yield row


def report(environment: Path) -> str:
    tool = str(img2dataset(environment))
    with serving() as server:
        faults = "\n".join(table_of_faults(tool, server))
        ends = "\n".join(table_of_ends(tool, server))
    return (
        "# Faults\n\nOne URL with a fault and three good ones, for each tool with its default "
        f"options; seconds with start-up, stopped after {MOST}. Lost are pictures of good URLs.\n"
        f"{describe(('requests', 'urllib3', 'pillow', 'luigi'))}.\n\n{faults}\n\n"
        f"And {len(MANY)} good URLs, a server that takes 50 ms for each, and an end when half of "
        "them have been asked for; then the same command again.\n\n"
        f"{ends}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--environment",
        type=Path,
        default=Path.home() / ".cache" / "senga" / "img2dataset-1.47",
        help="folder of img2dataset's environment",
    )
    parser.add_argument("--save", action="store_true", help="write results/faults.md")
    options = parser.parse_args()
    text = report(options.environment)
    sys.stdout.write(text)
    if options.save:
        target = Path(__file__).parent / "results" / "faults.md"
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
