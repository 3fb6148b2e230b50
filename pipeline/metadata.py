"""Imports a CSV of posts into parquet; what cannot be read goes to a quarantine file."""

from __future__ import annotations

import csv as csv_format
import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl
from polars.io.plugins import register_io_source

from pipeline.errors import SengaError
from pipeline.in_order import in_order
from pipeline.kaggle_csv import COLUMNS, Block, blocks, split_line
from pipeline.option import option, require
from pipeline.posts import POSTS, Rejected, read_block
from pipeline.progress import Advance, ignore

HOW_TO_GET_IT = (
    "the Kaggle dataset alamson/safebooru holds it as all_data.csv "
    '(`pip install -e .[kaggle]`, then `python -c "import kagglehub; '
    "print(kagglehub.dataset_download('alamson/safebooru'))\"` prints its folder); "
    "set [metadata] csv to its path"
)
"""The end of the sentence where there is no CSV."""

ROW_GROUP = 25_000  # rows, about 10 MB; a scan holds a few of them
_SORTED_AT_ONCE = 200_000  # rows, about 100 MB


@dataclass(frozen=True, kw_only=True)
class MetadataOptions:
    """Where posts come from: section `[metadata]`."""

    source: str = option("sample", "sample (a small booru drawn on the spot) or csv")
    csv: str = option("", "CSV in the Kaggle layout, plain or gzipped; with source = csv")
    sample_posts: int = option(365, "posts of the sample booru; with source = sample")

    def __post_init__(self) -> None:
        require(self.source in ("sample", "csv"), "[metadata] source", self.source, "sample or csv")
        if self.source == "csv":
            require(bool(self.csv), "[metadata] csv", "''", f"the path of a CSV: {HOW_TO_GET_IT}")
        require(
            self.sample_posts > 0, "[metadata] sample_posts", self.sample_posts, "1 post or more"
        )


def import_csv(
    csv: Path, posts: Path, quarantine: Path, advance: Advance = ignore
) -> dict[str, int]:
    r"""Turns a CSV in the Kaggle layout into a table of posts.

    Memory is bounded whatever the size of the CSV, but for some 40 bytes a row where its rows are
    not in ascending order of ids.

    Args:
        csv: the file, plain or gzipped under any name.
        posts: parquet file to write, with the columns `pipeline.posts.POSTS`, ascending by id, each
            id once: the first row in the file counts.
        quarantine: CSV file to write, with the columns line (of `csv`; its header is line 1),
            reason and text (NUL and bytes that are not UTF-8 as \xNN), one row for each line that
            is no post. Reasons: empty_line, not_utf8, control_character, broken_quote, field_count,
            bad_id, bad_created_at, bad_rating, bad_score, bad_url, bad_size, duplicate_id.
        advance: called with the number of lines read.

    Returns:
        `posts`, the number of posts, and how many lines were quarantined for each reason.

    Raises:
        SengaError: where the file as a whole is not what it should be, or there is no space left.
    """
    counts: Counter[str] = Counter()
    with quarantine.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = csv_format.writer(file, lineterminator="\n")
        table.writerow(("line", "reason", "text"))

        def reject(rejected: list[Rejected]) -> None:
            counts.update(row.reason for row in rejected)
            table.writerows((row.line, row.reason, _printed(row.text)) for row in rejected)

        draft = posts.with_name(posts.name + ".draft")
        try:
            if _convert(csv, draft, reject, advance):
                draft.replace(posts)
            else:
                repeated = _sort(draft, posts)
                reject(_duplicates(csv, repeated))
        finally:
            draft.unlink(missing_ok=True)
    total = pl.scan_parquet(posts).select(pl.len()).collect().item()
    return {"posts": total, **dict(counts.most_common())}


def _printed(line: bytes) -> str:
    return line.decode(errors="backslashreplace").replace("\0", r"\x00")


def _convert(
    csv: Path, draft: Path, reject: Callable[[list[Rejected]], None], advance: Advance
) -> bool:
    """Writes the posts in the order of the file; returns whether their ids ascend."""
    ascending = True

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal ascending
        last = 0
        for frame, rejected in in_order(read_block, _data(csv)):
            reject(rejected)
            advance(frame.height + len(rejected))
            steps = frame["id"].diff().fill_null(frame["id"] - last)
            ascending = ascending and bool((steps > 0).all())
            last = frame.item(-1, "id") if frame.height else last
            yield frame

    _write(frames, draft)
    return ascending


def _sort(draft: Path, posts: Path) -> list[int]:
    """Writes the posts ascending by id; returns the lines left out as their id came before."""
    scan = pl.scan_parquet(draft)
    keys = scan.select("id", "line").collect()
    first = keys["id"].is_first_distinct()
    repeated = keys["line"].filter(~first)
    ids = keys["id"].filter(first).sort()
    del keys, first

    def frames() -> Iterator[pl.DataFrame]:
        for start in range(0, len(ids), _SORTED_AT_ONCE):
            part = ids[start : start + _SORTED_AT_ONCE]
            within = pl.col("id").is_between(part[0], part[-1])
            rows = scan.filter(within).filter(~pl.col("line").is_in(repeated.implode()))
            yield rows.collect().sort("id")

    _write(frames, posts)
    return list(repeated)


def _duplicates(csv: Path, lines: list[int]) -> list[Rejected]:
    """Reads lines once more, by their numbers in ascending order, for the quarantine."""
    rejected: list[Rejected] = []
    for block in _data(csv) if lines else ():
        texts = block.content.split(b"\n")[:-1]
        for line in lines[len(rejected) :]:
            if line >= block.line + len(texts):
                break
            text = texts[line - block.line].removesuffix(b"\r")
            rejected.append(Rejected(line, "duplicate_id", text))
    return rejected


def _write(frames: Callable[[], Iterator[pl.DataFrame]], path: Path) -> None:
    """Streams frames into a parquet file."""
    source = register_io_source(lambda *_: frames(), schema=POSTS)
    try:
        source.sink_parquet(path, compression="lz4", row_group_size=ROW_GROUP)
    except pl.exceptions.ComputeError as error:  # polars has no other for a full disk
        if "os error" not in str(error):
            raise
        raise SengaError(
            f"Cannot write {path} ({error}): free some space, or choose another folder."
        ) from error


def _data(csv: Path) -> Iterator[Block]:
    """The blocks of a CSV behind its header, which is checked; see `blocks`."""
    empty = True
    try:
        with closing(_open(csv)) as stream:
            for block in blocks(stream):
                if block.line == 1:
                    header, _, content = block.content.partition(b"\n")
                    _check_header(csv, header)
                    block = Block(2, content)
                if block.content:
                    empty = False
                    yield block
    except FileNotFoundError as error:
        raise SengaError(f"{csv} is missing, expected a CSV of posts: {HOW_TO_GET_IT}.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SengaError(
            f"{csv} is a damaged gzip file ({error}), expected a whole one: fetch it again."
        ) from error
    except OSError as error:
        raise SengaError(
            f"{csv} cannot be read ({error.strerror}), expected a CSV of posts: "
            "check the path and its permissions."
        ) from error
    if empty:
        raise SengaError(f"{csv} holds no posts, expected a row for each: fetch it again.")


def _open(csv: Path) -> IO[bytes] | gzip.GzipFile:
    stream = csv.open("rb")
    magic = stream.read(2)
    stream.seek(0)
    if magic == b"\x1f\x8b":
        stream.close()
        return gzip.open(csv)
    return stream


def _check_header(csv: Path, header: bytes) -> None:
    text = header.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r").decode(errors="replace")
    if split_line(text) != list(COLUMNS):
        cure = "unpack it" if text.startswith("PK") else "use the file all_data.csv of Kaggle"
        raise SengaError(
            f"{csv} starts with {text[:80]!r}, expected the header {','.join(COLUMNS)}: {cure}."
        )
