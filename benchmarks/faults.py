"""What Senga and img2dataset make of servers and machines that fail.

`python benchmarks/faults.py` prints a table; `--save` also writes it to `results/faults.md`.
A server on the loopback makes the faults. Both tools run as commands of their own with the options
that they have by default, on a list of the faulty URL and of three good ones, and are stopped after
120 seconds. What is lost are the pictures of good URLs that are not there at the end.
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
from benchmarks.harness.report import Column, options, page, publish, table
from benchmarks.harness.web import serving

MOST = 120  # seconds
GOOD = (1, 2, 3)
MANY = range(1000, 1400)  # for the kills
TOP = Path(__file__).parents[1]
Cells = tuple[str, str, str]  # what became of it, seconds, what was lost
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
    variables = img2dataset.variables()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=variables, cwd=TOP, start_new_session=True
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


def with_senga(server: FaultServer, url: str | None, folder: Path) -> Cells:
    """What becomes of a URL, if any, and of the good ones."""
    urls = {n: f"http://{HOST}/{n}.jpg" for n in GOOD}
    if url:
        urls[9] = url
    posts = folder / "posts.parquet"
    pl.DataFrame({"id": list(urls), "url": list(urls.values())}).write_parquet(posts)
    command = [sys.executable, "-c", SENGA, str(posts), str(folder / "out"), HOST, server.address]
    said, seconds = run(command, folder)
    if seconds >= MOST:
        return "still at it", took(seconds), "all"
    codes = json.loads(said.splitlines()[-1])
    lost = sum(codes[str(n)] != "ok" for n in GOOD)
    return f"`{codes.get('9', 'ok')}`", took(seconds), str(lost or "nothing")


def with_img2dataset(tool: str, server: FaultServer, url: str | None, folder: Path) -> Cells:
    urls = [f"http://{server.address}/{n}.jpg" for n in GOOD] + ([url] if url else [])
    posts = folder / "list.parquet"
    pl.DataFrame({"url": urls}).write_parquet(posts)
    out = folder / "rival"
    _, seconds = run([tool, *flags(posts, out, shard=10)], folder)
    if seconds >= MOST:
        return "still at it", took(seconds), "all"
    tables = list(out.glob("*.parquet"))
    if not tables:
        return "ended without a result", took(seconds), "all"
    rows = pl.concat(pl.read_parquet(table) for table in tables).to_dicts()
    status = {row["url"]: (row["status"], row["error_message"]) for row in rows}
    lost = sum(status.get(good, ("",))[0] != "success" for good in urls[:3])
    what, why = status[urls[-1]]
    text = "kept" if what == "success" else f"{what}: {' '.join(str(why).split())[:60]}"
    return text, took(seconds), str(lost or "nothing")


def flags(posts: Path, out: Path, shard: int) -> list[str]:
    return img2dataset.flags(posts, out, shard=shard, incremental_mode="incremental")


def rival_url(fault: Fault, server: FaultServer) -> str | None:
    """The URL for a tool that does not know `HOST`; None where it would leave the loopback."""
    return None if fault.path == "/cloud.jpg" else server.url(fault)


def with_faults(tool: str, server: FaultServer) -> list[list[str]]:
    """The rows of the first table."""
    rows = []
    for fault in (None, *FAULTS):
        row = [fault.name if fault else "none"]
        for cells in (senga_cells, rival_cells):
            server.forget()
            with tempfile.TemporaryDirectory() as folder:
                row += cells(tool, server, fault, Path(folder))
        say(row)
        rows.append(row)
    return rows


def say(row: list[str]) -> None:
    """Shows a row as soon as it is there: the whole takes long."""
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
    """Luigi, downloading `MANY` pictures in one shard."""
    csv = folder / "posts.csv"
    rows = [f'{n},0,s,1,"http://{server.address}/{n}.jpg",300,400,"","{TAGS}"\n' for n in MANY]
    csv.write_text(HEADER + "".join(rows))
    options = ["--metadata-source", "csv", "--metadata-csv", str(csv), "--workers", "2"]
    near = ["--download-hosts", "127.0.0.1", "--download-allow-private", "true"]
    fast = ["--download-requests-per-second", "0", "--build-shard-width", "5000"]
    luigi = [sys.executable, "-m", "luigi", "--module", "tasks", "DownloadShard", "--shard", "0"]
    return [*luigi, *options, *near, *fast, "--build-data", str(folder / "data")]


def rival_build(tool: str, server: FaultServer, folder: Path) -> list[str]:
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


def killed(command: list[str], server: FaultServer, folder: Path, *, worker: bool) -> Cells:
    """What happened at the kill, seconds of the next run, and what was lost.

    Lost is what the next run had to ask for again, and what was still missing behind it.
    """
    server.forget()
    server.pause = 0.05
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=TOP, start_new_session=True)
        while len(server.asked) < len(MANY) // 2:
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
    server.forget()
    _, seconds = run(command, folder)
    again = len(before & {path for path in server.asked if path != "/robots.txt"})
    missing = len(MANY) - kept(folder / "data")
    return how, took(seconds), f"{again} asked for again, {missing} missing"


def full(command: list[str], server: FaultServer, folder: Path) -> Cells:
    """What was said on a disk of 2 MB, seconds of the next run, and what was lost."""
    server.forget()
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
        server.forget()
        _, seconds = run(command, folder)
        again = len(before & {path for path in server.asked if path != "/robots.txt"})
        missing = len(MANY) - kept(data)
    finally:
        subprocess.run(["umount", str(data)], check=True)
    return sentence, took(seconds), f"{again} asked for again, {missing} missing"


def with_ends(tool: str, server: FaultServer) -> list[list[str]]:
    """The rows of the second table."""
    ends: dict[str, Callable[[list[str], FaultServer, Path], Cells]] = {
        "kill -9 of the parent": partial(killed, worker=False),
        "kill -9 of a worker": partial(killed, worker=True),
        "full disk": full,
    }
    rows = []
    for name, end in ends.items():
        row = [name]
        for build in (senga_build, partial(rival_build, tool)):
            with tempfile.TemporaryDirectory() as folder:
                row += end(build(server, Path(folder)), server, Path(folder))
        say(row)
        rows.append(row)
    return rows


def report(faults: list[list[str]], ends: list[list[str]]) -> str:
    """The page."""

    def columns(what: str, seconds: str) -> list[Column]:
        senga = [("Senga", "s"), (seconds, ""), ("lost", "")]
        return [(what, "s"), *senga, (img2dataset.NAME, "s"), ("s", ""), ("lost", "")]

    return page(
        "Faults",
        "One URL with a fault and three good ones, for each tool with its default options; "
        f"seconds with start-up, stopped after {MOST}. Lost are pictures of good URLs.",
        ("requests", "urllib3", "pillow", "luigi"),
        table(columns("fault", "s"), faults),
        f"And {len(MANY)} good URLs, a server that takes 50 ms for each, and an end when half of "
        "them have been asked for; then the same command again.",
        table(columns("what happens", "s of the next run"), ends),
    )


def main() -> None:
    parser = options(__doc__, "faults.md")
    img2dataset.add_option(parser)
    args = parser.parse_args()
    tool = img2dataset.installed(args.environment)
    with serving(FaultServer()) as server:
        faults, ends = with_faults(tool, server), with_ends(tool, server)
    publish(report(faults, ends), "faults.md", save=args.save)


if __name__ == "__main__":
    main()
