"""Import posts into one parquet file; rows that cannot be read go to a quarantine file."""

from __future__ import annotations

import csv as csv_format
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Protocol

import polars as pl
from polars.io.plugins import register_io_source

from pipeline.posts.kaggle_csv import COLUMNS, Block, read_blocks, split_line
from pipeline.posts.options import HOW_TO_GET_IT
from pipeline.posts.parquet import ParquetSource, is_parquet
from pipeline.posts.rows import POSTS, Rejected, read_block, read_rows, to_csv_line
from pipeline.progress import OnProgress, ignore
from pipeline.thread_map import thread_map
from sketch_models.errors import SengaError

ROW_GROUP = 25_000  # rows, about 10 MB; a scan holds a few of them
_SORT_CHUNK = 200_000  # rows, about 100 MB

Rows = Sequence[tuple[int, Sequence[str]]]
"""Rows of another source than a file: the line of each, and its fields, those of `COLUMNS`."""


class Source(Protocol):
    """A source of rows; it can be read more than once."""

    def read(self) -> Iterator[tuple[pl.DataFrame, list[Rejected]]]:
        """Read the posts in their order, with the columns of `POSTS`; and the other rows."""
        ...

    def reject(self, lines: list[int], reason: str) -> list[Rejected]:
        """Read rows again for the quarantine, by their lines in ascending order."""
        ...


def import_posts(
    path: Path, posts: Path, quarantine: Path, on_progress: OnProgress = ignore
) -> dict[str, int]:
    r"""Import a file in the Kaggle layout, CSV or Parquet, into a table of posts.

    Memory is bounded whatever the size of the file, but for some 40 bytes a row if its rows are
    not in ascending order of ids.

    Args:
        path: the file under any name: a CSV, plain or gzipped, or Parquet with the same columns.
        posts: parquet file to write, with the columns `rows.POSTS`, ascending by id, each
            id once: the first row in the file counts.
        quarantine: CSV file to write, with the columns line (of `path`; a header is line 1, and a
            Parquet file is numbered as if it had one), reason and text (the row as CSV; NUL and
            bytes that are not UTF-8 as \xNN), one row for each line that is no post. Reasons:
            empty_line, not_utf8, control_character, broken_quote, field_count, bad_id,
            bad_created_at, bad_rating, bad_score, bad_url, bad_size, duplicate_id.
        on_progress: called with the number of lines read.

    Returns:
        `posts`, the number of posts, and how many lines were quarantined for each reason.

    Raises:
        SengaError: if the file as a whole is not of this layout, or there is no space left.
    """
    source: Source = ParquetSource(path) if is_parquet(path) else _CsvSource(path)
    return _import(source, posts, quarantine, on_progress)


def import_rows(
    batches: Iterable[Rows],
    posts: Path,
    quarantine: Path,
    on_progress: OnProgress = ignore,
) -> dict[str, int]:
    """Import rows of another source than a file, like `import_posts`.

    They are spooled next to `posts` until the last one, and checked then.

    Args:
        batches: rows, each with its line (whole numbers that ascend) and its nine fields; taken on
            the calling thread.
        posts: as for `import_posts`.
        quarantine: as for `import_posts`.
        on_progress: called with the number of rows of each batch.

    Raises:
        SengaError: if there is no row, or no space left.
    """
    spool = posts.with_name(posts.name + ".rows")
    try:
        if not _spool_rows(batches, spool, on_progress):
            raise SengaError(
                "The source holds no posts. Check its address and the tags that are searched for."
            )
        return _import(_SpoolSource(spool), posts, quarantine, ignore)
    finally:
        spool.unlink(missing_ok=True)


def _import(
    source: Source, posts: Path, quarantine: Path, on_progress: OnProgress
) -> dict[str, int]:
    counts: Counter[str] = Counter()
    with quarantine.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = csv_format.writer(file, lineterminator="\n")
        table.writerow(("line", "reason", "text"))

        def reject(rejected: list[Rejected]) -> None:
            counts.update(row.reason for row in rejected)
            table.writerows((row.line, row.reason, _to_text(row.text)) for row in rejected)

        draft = posts.with_name(posts.name + ".draft")
        try:
            if _convert(source, draft, reject, on_progress):
                draft.replace(posts)
            else:
                repeated = _sort(draft, posts)
                reject(source.reject(repeated, "duplicate_id") if repeated else [])
        finally:
            draft.unlink(missing_ok=True)
    total = pl.scan_parquet(posts, glob=False).select(pl.len()).collect().item()
    return {"posts": total, **dict(counts.most_common())}


def _to_text(line: bytes) -> str:
    return line.decode(errors="backslashreplace").replace("\0", r"\x00")


def _convert(
    source: Source, draft: Path, reject: Callable[[list[Rejected]], None], on_progress: OnProgress
) -> bool:
    """Write the posts in the order of the source; return whether their ids ascend."""
    ascending = True

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal ascending
        last_id = 0
        for frame, rejected in source.read():
            reject(rejected)
            on_progress(frame.height + len(rejected))
            steps = frame["id"].diff().fill_null(frame["id"] - last_id)
            ascending = ascending and bool((steps > 0).all())
            last_id = frame.item(-1, "id") if frame.height else last_id
            yield frame

    _write(frames, draft)
    return ascending


def _sort(draft: Path, posts: Path) -> list[int]:
    """Write the posts ascending by id; return the lines dropped as their id occurred before."""
    scan = pl.scan_parquet(draft, glob=False)
    keys = scan.select("id", "line").collect()
    first = keys["id"].is_first_distinct()
    repeated = keys["line"].filter(~first)
    ids = keys["id"].filter(first).sort()
    del keys, first

    def frames() -> Iterator[pl.DataFrame]:
        for start in range(0, len(ids), _SORT_CHUNK):
            part = ids[start : start + _SORT_CHUNK]
            within = pl.col("id").is_between(part[0], part[-1])
            rows = scan.filter(within).filter(~pl.col("line").is_in(repeated.implode()))
            yield rows.collect().sort("id")

    _write(frames, posts)
    return list(repeated)


def _write(frames: Callable[[], Iterator[pl.DataFrame]], path: Path) -> None:
    """Stream frames into a parquet file."""
    source = register_io_source(lambda *_: frames(), schema=POSTS)
    try:
        source.sink_parquet(path, compression="lz4", row_group_size=ROW_GROUP)
    except pl.exceptions.ComputeError as error:  # polars has none of its own for a full disk
        if "os error" not in str(error):
            raise
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: Exception) -> SengaError:
    return SengaError(
        f"{path} cannot be written ({error}). Free some space, or choose another folder."
    )


class _CsvSource:
    """A CSV in the Kaggle layout, plain or gzipped."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Iterator[tuple[pl.DataFrame, list[Rejected]]]:
        return thread_map(read_block, _data_blocks(self._path))

    def reject(self, lines: list[int], reason: str) -> list[Rejected]:
        rejected: list[Rejected] = []
        for block in _data_blocks(self._path):
            texts = block.content.split(b"\n")[:-1]
            for line in lines[len(rejected) :]:
                if line >= block.line + len(texts):
                    break
                text = texts[line - block.line].removesuffix(b"\r")
                rejected.append(Rejected(line, reason, text))
        return rejected


def _data_blocks(csv: Path) -> Iterator[Block]:
    """Yield the blocks of a CSV after its header, which is checked."""
    empty = True
    try:
        with closing(_open(csv)) as stream:
            for block in read_blocks(stream):
                if block.line == 1:
                    header, _, content = block.content.partition(b"\n")
                    _check_header(csv, header)
                    block = Block(2, content)
                if block.content:
                    empty = False
                    yield block
    except FileNotFoundError as error:
        raise SengaError(f"{csv} is missing: {HOW_TO_GET_IT}.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SengaError(f"{csv} is a damaged gzip file ({error}). Download it again.") from error
    except OSError as error:
        raise SengaError(
            f"{csv} cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    if empty:
        raise SengaError(f"{csv} holds no posts. Download it again.")


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
        remedy = "Unpack it" if text.startswith("PK") else "Use the file all_data.csv of Kaggle"
        raise SengaError(
            f"{csv} starts with {text[:80]!r}, expected the header {','.join(COLUMNS)}. {remedy}."
        )


class _SpoolSource:
    """Rows that `_spool_rows` has written."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool

    def read(self) -> Iterator[tuple[pl.DataFrame, list[Rejected]]]:
        schema = {"line": pl.Int64, **dict.fromkeys(COLUMNS, pl.String)}
        for rows in self._batches():
            accepted, rejected = [], []
            for line, *fields in rows:
                if reason := _find_defect(fields):
                    rejected.append(Rejected(line, reason, to_csv_line(fields)))
                else:
                    accepted.append((line, *fields))
            posts, others = read_rows(pl.DataFrame(accepted, schema, orient="row"))
            yield posts, sorted([*rejected, *others], key=lambda row: row.line)

    def reject(self, lines: list[int], reason: str) -> list[Rejected]:
        wanted = set(lines)
        rows = chain.from_iterable(self._batches())
        return [
            Rejected(line, reason, to_csv_line(fields)) for line, *fields in rows if line in wanted
        ]

    def _batches(self) -> Iterator[list[list[Any]]]:
        with self._spool.open(encoding="ascii") as file:
            while lines := list(islice(file, ROW_GROUP)):
                yield [json.loads(line) for line in lines]


def _spool_rows(row_batches: Iterable[Rows], spool: Path, on_progress: OnProgress) -> int:
    """Write rows as lines of JSON, which holds any text; return their number."""
    total = 0
    for rows in row_batches:
        lines = [json.dumps([line, *fields]) + "\n" for line, fields in rows]
        try:
            with spool.open("a" if total else "w", encoding="ascii") as file:
                file.writelines(lines)
        except OSError as error:
            raise _cannot_write(spool, error) from error
        total += len(lines)
        on_progress(len(lines))
    return total


def _find_defect(fields: list[str]) -> str | None:
    if len(fields) != len(COLUMNS):
        return "field_count"
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:  # half a surrogate pair, as JSON can spell it
        return "not_utf8"
    return None
