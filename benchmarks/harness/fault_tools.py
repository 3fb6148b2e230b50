"""The two downloaders that meet the faults, as commands of their own, and what became of URLs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.harness import img2dataset
from benchmarks.harness.processes import Run, run

MAX_SECONDS = 120
KEPT = "kept"
TOP = Path(__file__).parents[2]

_SENGA = """
import json, sys
from pathlib import Path
from pipeline.collect.download import DownloadOptions, download_shard
from pipeline.collect.client import PoliteClient
posts, folder = map(Path, sys.argv[1:3])
options, connect_to = map(json.loads, sys.argv[3:])
folder.mkdir()
client = PoliteClient(options=DownloadOptions(hosts=("*",), **options), connect_to=connect_to)
done = download_shard(
    posts, folder / "0.tar", folder / "outcomes.parquet", client, journal=folder / "0.journal"
)
print(json.dumps([row.code for row in done.outcomes]))
"""  # what the build does for one shard


@dataclass(frozen=True)
class Downloaded:
    """What became of a list of URLs.

    Attributes:
        outcomes: of each URL, in their order; none if the tool has not said.
        run: seconds and memory.
    """

    outcomes: Sequence[str]
    run: Run

    @property
    def seconds(self) -> str:
        """Seconds, for people."""
        return format_seconds(self.run)

    @property
    def lack(self) -> str:
        """Why there are no outcomes."""
        return "still at it" if self.run.code is None else "ended without a result"

    @property
    def counts(self) -> str:
        """Outcomes and how often each occurs, for people."""
        counts = Counter(self.outcomes).most_common()
        return ", ".join(f"{number} {outcome}" for outcome, number in counts) or self.lack


def run_limited(command: list[str], folder: Path) -> Run:
    """Run a command for `MAX_SECONDS` at most; its log is in a folder."""
    variables = img2dataset.environment_variables()
    log = folder / "log"
    return run(command, log, max_seconds=MAX_SECONDS, environment=variables, cwd=TOP)


def format_seconds(done: Run) -> str:
    """Return the seconds of a run, for people."""
    return f"over {MAX_SECONDS}" if done.code is None else f"{done.seconds:.1f}"


def with_senga(
    urls: Sequence[str],
    folder: Path,
    options: Mapping[str, object],
    connect_to: Mapping[str, str] | None = None,
) -> Downloaded:
    """Download URLs with Senga.

    Args:
        urls: what to download.
        folder: an empty one.
        options: of the section `[download]` that are not the default.
        connect_to: host name to `address:port`.
    """
    posts = folder / "posts.parquet"
    pl.DataFrame({"id": range(len(urls)), "url": urls}).write_parquet(posts)
    arguments = [str(posts), str(folder / "out"), json.dumps(options), json.dumps(connect_to or {})]
    done = run_limited([sys.executable, "-c", _SENGA, *arguments], folder)
    codes = json.loads(done.output.splitlines()[-1]) if done.code == 0 else []
    return Downloaded([f"`{code}`" for code in codes], done)


def with_img2dataset(
    tool: str, urls: Sequence[str], folder: Path, processes: int = 2
) -> Downloaded:
    """Download URLs with img2dataset.

    Args:
        tool: its command.
        urls: what to download.
        folder: an empty one.
        processes: number of them, each with its threads.
    """
    posts = folder / "list.parquet"
    pl.DataFrame({"url": urls}).write_parquet(posts)
    out = folder / "rival"
    chosen = flags(posts, out, pictures_per_shard=100, processes_count=processes)
    done = run_limited([tool, *chosen], folder)
    tables = sorted(out.glob("*.parquet"))
    if done.code is None or not tables:
        return Downloaded([], done)
    rows = pl.concat(pl.read_parquet(table) for table in tables).to_dicts()
    outcomes = {row["url"]: _outcome(row["status"], row["error_message"]) for row in rows}
    return Downloaded([outcomes.get(url, "no row") for url in urls], done)


def _outcome(status: str, message: object) -> str:
    return KEPT if status == "success" else f"{status}: {' '.join(str(message).split())[:60]}"


def flags(posts: Path, out: Path, *, pictures_per_shard: int, **more: object) -> list[str]:
    """Return the flags of img2dataset, which goes on where it was stopped."""
    return img2dataset.flags(
        posts, out, pictures_per_shard=pictures_per_shard, incremental_mode="incremental", **more
    )
