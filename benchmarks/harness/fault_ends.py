"""What happens to a run: an end halfway, a full disk, damage; and then the next run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.harness.fault_pictures import picture
from benchmarks.harness.fault_server import FaultServer
from benchmarks.harness.fault_tools import TOP, flags, format_seconds, run_limited
from benchmarks.harness.processes import busiest, descendants, is_running, kill_group

MANY_IDS = range(1000, 1400)
PAUSE = 0.05  # seconds that the server takes for a picture

_MAX_END_SECONDS = 30
_TAGS = "white_background solo upper_body"
_HEADER = "id,created_at,rating,score,sample_url,sample_width,sample_height,preview_url,tags\n"

Cells = tuple[str, str, str]
"""What happened, seconds of the next run, and what it had to fetch again."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """A tool that downloads the pictures of `MANY_IDS`.

    Attributes:
        command: downloads them.
        reader: reads what is downloaded, after the same download; empty if the tool has no such.
        folder: an empty one; what is made is in `data` in it.
        server: has the pictures.
    """

    command: list[str]
    reader: list[str]
    folder: Path
    server: FaultServer

    @property
    def data(self) -> Path:
        """The folder of what is made."""
        return self.folder / "data"


def senga_build(server: FaultServer, folder: Path) -> Build:
    """Return the build of one shard with Senga."""
    csv = folder / "posts.csv"
    rows = [f'{n},0,s,1,"http://{server.address}/{n}.jpg",300,400,"","{_TAGS}"\n' for n in MANY_IDS]
    csv.write_text(_HEADER + "".join(rows))
    options = ["--metadata-source", "csv", "--metadata-csv", str(csv), "--workers", "2"]
    options += ["--download-hosts", "127.0.0.1", "--download-allow-private", "true"]
    options += ["--download-requests-per-second", "0", "--build-shard-width", "5000"]
    options += ["--build-data", str(folder / "data"), "--shard", "0"]
    luigi = [sys.executable, "-m", "luigi", "--module", "tasks"]
    command, reader = ([*luigi, task, *options] for task in ("DownloadShard", "ScreenShard"))
    return Build(command=command, reader=reader, folder=folder, server=server)


def img2dataset_build(tool: str, server: FaultServer, folder: Path) -> Build:
    """Return the build with img2dataset, in two shards."""
    posts = folder / "list.parquet"
    urls = [f"http://{server.address}/{n}.jpg" for n in MANY_IDS]
    pl.DataFrame({"url": urls}).write_parquet(posts)
    command = [tool, *flags(posts, folder / "data", pictures_per_shard=200)]
    return Build(command=command, reader=[], folder=folder, server=server)


def missing(folder: Path) -> int:
    """Return how many pictures are not in tars under a folder, byte for byte."""
    kept = set()
    for path in folder.rglob("*.tar"):
        with contextlib.suppress(tarfile.TarError), tarfile.open(path) as tar:
            for member in tar:
                if content := tar.extractfile(member):
                    kept.add(hashlib.sha256(content.read()).digest())
    return sum(hashlib.sha256(picture(n)).digest() not in kept for n in MANY_IDS)


def run_again(build: Build, command: Sequence[str], how: str) -> Cells:
    """Return the cells of a row, after the next run."""
    before = set(build.server.requested)
    build.server.clear()
    done = run_limited([*command], build.folder)
    again = len(before & {path for path in build.server.requested if path != "/robots.txt"})
    lost = f"{again} asked for again, {missing(build.data)} missing"
    return how or said(done.output, "damaged"), format_seconds(done), lost


def said(output: str, words: str) -> str:
    """Return whether a tool has said what happened."""
    if "Traceback" in output:
        return "a traceback"
    return "says so" if words in output else "says nothing of it"


# Ends


def end_halfway(build: Build, end: Callable[[subprocess.Popen[bytes]], str]) -> Cells:
    """Run a build until half of its pictures are requested, end it, and run it again."""
    server = build.server
    server.clear()
    server.pause = PAUSE
    log = build.folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            build.command, stdout=output, stderr=output, cwd=TOP, start_new_session=True
        )
        while len(server.requested) < len(MANY_IDS) // 2:
            time.sleep(0.01)
        how = end(process)
        kill_group(process)
    if "Traceback" in log.read_text():
        how += ", with a traceback"
    return run_again(build, build.command, how)


def _wait(process: subprocess.Popen[bytes]) -> str:
    start = time.perf_counter()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_MAX_END_SECONDS)
    if process.poll() is None:
        return f"hung for {_MAX_END_SECONDS} s"
    return f"ended after {time.perf_counter() - start:.1f} s"


def interrupt(process: subprocess.Popen[bytes]) -> str:
    """Send what a terminal sends on Ctrl-C: a signal to all processes of the command."""
    os.killpg(process.pid, signal.SIGINT)
    return _wait(process)


def kill_parent(process: subprocess.Popen[bytes]) -> str:
    """Kill the process that was started."""
    children = descendants(process.pid)
    process.kill()
    process.wait()
    time.sleep(1)
    alive = sum(map(is_running, children))
    return f"{alive} of its processes lived on" if alive else "its processes ended"


def kill_worker(process: subprocess.Popen[bytes]) -> str:
    """Kill the process that downloads."""
    os.kill(busiest(descendants(process.pid)), signal.SIGKILL)
    return _wait(process)


# Disk


def fill_disk(build: Build) -> Cells:
    """Build on a disk of 2 MB, enlarge it, and run the build again."""
    build.server.clear()
    build.server.pause = 0.0
    data = build.data
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(data)], check=True)
    try:
        how = said(run_limited(build.command, build.folder).output, "disk is full")
        subprocess.run(["mount", "-o", "remount,size=200m", str(data)], check=True)
        return run_again(build, build.command, how)
    finally:
        subprocess.run(["umount", str(data)], check=True)


def flip_bit(path: Path) -> None:
    """Change a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Cut off the second half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def damage(build: Build, change: Callable[[Path], None], *, read: bool = False) -> Cells:
    """Change a tar of a finished build, and run it again, or what reads it."""
    build.server.clear()
    build.server.pause = 0.0
    first = run_limited(build.command, build.folder)
    assert first.code == 0, first.output
    change(min(build.data.rglob("*.tar")))
    if read and not build.reader:
        return "nothing reads it", "–", f"{missing(build.data)} missing"
    return run_again(build, build.reader if read else build.command, "")


ENDS: dict[str, Callable[[Build], Cells]] = {
    "Ctrl-C": lambda build: end_halfway(build, interrupt),
    "kill -9 of the parent": lambda build: end_halfway(build, kill_parent),
    "kill -9 of a worker": lambda build: end_halfway(build, kill_worker),
    "full disk": fill_disk,
    "a tar is deleted": lambda build: damage(build, Path.unlink),
    "a tar is cut to its half": lambda build: damage(build, cut),
    "a bit in a tar is flipped": lambda build: damage(build, flip_bit),
    "a bit in a tar is flipped; the next stage": lambda build: damage(build, flip_bit, read=True),
}
"""What happens to a build, and the cells that it gives."""


def with_ends(
    builds: Sequence[Callable[[FaultServer, Path], Build]],
    server: FaultServer,
    on_row: Callable[[list[str]], None],
) -> list[list[str]]:
    """Return a row for each of `ENDS`, with the cells of every build."""
    rows = []
    for name, end in ENDS.items():
        row = [name]
        for build in builds:
            with tempfile.TemporaryDirectory() as folder:
                row += end(build(server, Path(folder)))
        on_row(row)
        rows.append(row)
    return rows
