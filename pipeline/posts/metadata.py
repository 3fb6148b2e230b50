"""Import posts into one parquet file; rows that cannot be read go to a quarantine file."""

from __future__ import annotations

import csv as csv_format
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from polars.io.plugins import register_io_source

from pipeline import store
from pipeline.damage import DamagedFileError
from pipeline.posts.clean_text import without_surrogates
from pipeline.posts.csv_source import CsvSource
from pipeline.posts.folder_source import FolderSource
from pipeline.posts.hf_files import TableFiles
from pipeline.posts.hf_source import HfSource
from pipeline.posts.kaggle_csv import COLUMNS, MAX_ROW
from pipeline.posts.parquet import ParquetSource, is_parquet
from pipeline.posts.rows import (
    FIELDS,
    POSTS,
    Rejected,
    Rejects,
    read_rows,
    text_bytes,
    to_csv_line,
)
from pipeline.posts.webdataset_source import WebdatasetSource
from pipeline.progress import OnProgress, ignore
from pipeline.table import BLANK_SEAL, read_table, seal
from pipeline.thread_map import read_ahead
from sketch_models.errors import SengaError

REASONS = {
    "empty_line": "the line is empty",
    "broken_quote": "a quotation mark is not closed, or stands inside a field",
    "too_long": "the row has more than 32,768 bytes; `text` is its beginning",
    "field_count": "the row has more or fewer fields than the header",
    "bad_id": "the id is not a whole number of 1 or more",
    "bad_url": "the address of the picture is not an http or https URL",
    "duplicate_id": "an earlier row has the same id",
    "broken_json": "not a JSON object, or one that is cut off",
    "missing_file": "the file that the row names is not there",
    "outside_folder": "the file that the row names is not below the folder",
    "not_downloaded": "img2dataset could not download the picture",
    "not_a_picture": "the file is not of a format that Senga reads",
    "empty": "the file has 0 bytes",
    "unreadable": "the file or folder cannot be read",
    "symbolic_link": "a symbolic link, and [metadata] follow_links is false, or it leads nowhere",
    "link_loop": "a symbolic link to a folder that it lies in",
    "no_file": "neither a file nor a folder",
    "bad_sidecar": "a sidecar, a line of metadata.jsonl or metadata.csv, or the texts of a row, "
    "that cannot be used; `text` says why; the picture is imported without them",
    "no_picture": "a sidecar, or a sample of a tar, whose picture is not there",
    "damaged_tar": "the tar ends too early, or is none; what is before the damage is imported",
    "compressed_tar": "a compressed tar: unpack it to a .tar",
    "bad_table": "a Parquet or Arrow file, or rows of one, that cannot be read",
    "no_bytes": "the row has no bytes of a picture, and names no file beside its table",
}
"""Why a row is no post, by the code in the quarantine."""

ROW_GROUP = 2_500  # rows, about 1 MB, and at most 80: a scan holds a few of them
_SORT_BYTES = 100_000_000  # of rows that are sorted at once
_ROW_BYTES = 64  # of a row besides its texts
_AHEAD = 2  # frames that are read while another is written
_SPOOL_BYTES = 16_000_000  # of rows that are checked at once
_MAX_QUARANTINE = 100_000_000  # bytes of text; further rows are counted, not listed
_LISTED_AT_ONCE = 500  # rows, before the size of the quarantine is looked at again

Rows = Sequence[tuple[int, Sequence[str]]]
"""Rows of another source than a file: the line of each, and its fields, those of `FIELDS`.

The last ones may be left out, but for those of `COLUMNS`.
"""


class Source(Protocol):
    """A source of rows; it can be read more than once."""

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        """Read the posts in their order, with the columns of `POSTS`; and the other rows."""
        ...

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        """Read rows again for the quarantine, by their lines in ascending order."""
        ...


def import_posts(
    path: Path, posts: Path, quarantine: Path, on_progress: OnProgress = ignore
) -> dict[str, int]:
    r"""Import a file with the columns of Kaggle's, CSV or Parquet, into a table of posts.

    Memory is bounded whatever the size of the file, but for some 40 bytes a row if its rows are
    not in ascending order of ids.

    Args:
        path: the file under any name: a CSV, plain or gzipped, as pandas, R, Excel, DuckDB and the
            like write it, or Parquet with the same columns.
        posts: parquet file to write, with the columns `rows.POSTS`, ascending by id, each
            id once: the first row in the file counts.
        quarantine: CSV file to write, with the columns line (of `path`; a header is line 1, and a
            Parquet file is numbered as if it had one), reason and text (the row as CSV; NUL and
            bytes that are not UTF-8 as \xNN; at most 32,768 bytes of it), one row for each line
            that is no post, up to 100 MB; further ones are only counted. The reasons
            are those of `REASONS`; a post needs an id and a URL, and any other field that cannot
            be read is unknown.
        on_progress: called with the number of lines read.

    Returns:
        `posts`, the number of posts, and how many lines were quarantined for each reason.

    Raises:
        SengaError: if the file as a whole is not of this layout, or there is no space left.
    """
    source: Source = ParquetSource(path) if is_parquet(path) else CsvSource(path)
    return _import(source, posts, quarantine, on_progress)


def import_table(
    source: Source, posts: Path, quarantine: Path, on_progress: OnProgress = ignore
) -> dict[str, int]:
    """Import the rows of a source, like `import_posts`."""
    return _import(source, posts, quarantine, on_progress)


def import_rows(
    batches: Iterable[Rows],
    posts: Path,
    quarantine: Path,
    on_progress: OnProgress = ignore,
    *,
    source: str = "The source",
) -> dict[str, int]:
    """Import rows of another source than a file, like `import_posts`.

    They are spooled next to `posts` until the last one, and checked then.

    Args:
        batches: rows, each with its line (whole numbers that ascend) and its fields; taken on the
            calling thread.
        posts: as for `import_posts`.
        quarantine: as for `import_posts`.
        on_progress: called with the number of rows of each batch.
        source: what the rows come from, for a message.

    Raises:
        SengaError: if there is no row, or no space left.
    """
    spool = posts.with_name(posts.name + ".rows")
    try:
        if not _spool_rows(batches, spool, on_progress):
            raise SengaError(f"{source} has no posts. Check its address, and the tags.")
        return _import(_SpoolSource(spool), posts, quarantine, ignore)
    finally:
        spool.unlink(missing_ok=True)


def import_folder(
    folder: Path,
    posts: Path,
    quarantine: Path,
    on_progress: OnProgress = ignore,
    *,
    previous: Path | None = None,
    folder_tags: bool = False,
    follow_links: bool = False,
    leave_out: Collection[Path] = (),
) -> dict[str, int]:
    """Import the pictures below a folder, like `import_posts`; nothing is written there.

    A post's id is a hash of the path of its picture within the folder, and its `url` is what
    `local_file.LocalFile` makes of it.

    Args:
        folder: with the pictures.
        posts: as for `import_posts`.
        quarantine: as for `import_posts`; a line is a place in the walk through the folder.
        on_progress: called with the number of pictures read.
        previous: the `posts` of an earlier import: the headers of files that have not changed
            since are not read again.
        folder_tags: whether the names of the folders that a picture is in are tags of it.
        follow_links: whether symbolic links are followed.
        leave_out: resolved paths of folders to leave out.

    Raises:
        SengaError: if there is no such folder, no picture in it, or no space left.
    """
    source = FolderSource(
        folder,
        folder_tags=folder_tags,
        follow_links=follow_links,
        leave_out=leave_out,
        known_sizes=_known_sizes(previous),
    )
    counts = _import(source, posts, quarantine, on_progress)
    if sum(counts.values()) == 0:
        raise SengaError(f"[metadata] folder = {folder}: no picture is in it or below.")
    return counts


def import_webdataset(
    tars: Path,
    posts: Path,
    quarantine: Path,
    on_progress: OnProgress = ignore,
    *,
    follow_links: bool = False,
    leave_out: Collection[Path] = (),
) -> dict[str, int]:
    """Import the pictures in WebDataset tars, like `import_folder`.

    Args:
        tars: one tar, or a folder with tars at any depth.
        posts: as for `import_posts`.
        quarantine: as for `import_posts`; a line is a place in the walk through the tars.
        on_progress: called with the number of pictures read.
        follow_links: whether symbolic links are followed.
        leave_out: resolved paths of folders to leave out.

    Raises:
        SengaError: if there is no such tar or folder, no tar in it, or no space left.
    """
    source = WebdatasetSource(tars, follow_links=follow_links, leave_out=leave_out)
    return _import(source, posts, quarantine, on_progress)


def import_tables(
    tables: TableFiles,
    posts: Path,
    quarantine: Path,
    on_progress: OnProgress = ignore,
    *,
    previous: Path | None = None,
    image_column: str = "",
) -> dict[str, int]:
    """Import the rows of tables with pictures, like `import_posts`.

    A post's id is that of its row if they have a column `id` of whole numbers, else
    `local_file.row_id`; its `url` is what `local_file.LocalFile` makes of file and row. A batch of
    a table is in memory at once: see `picture_table`.

    Args:
        tables: the files.
        posts: as for `import_posts`.
        quarantine: as for `import_posts`; a line is the place of a row among all.
        on_progress: called with the number of rows read.
        previous: the `posts` of an earlier import: pictures of files that have not changed since
            are not read again.
        image_column: the name of the column of pictures; empty to find it.

    Raises:
        SengaError: if no row has a picture, or there is no space left.
    """
    known = _known_sizes(previous)
    source = HfSource(tables, image_column=image_column, known_sizes=known)
    counts = _import(source, posts, quarantine, on_progress)
    if counts["posts"] == 0:
        fault = source.fault or "no row of its tables has a picture"
        raise SengaError(f"[metadata] hf = {tables.root}: {fault}.")
    return counts


def _known_sizes(posts: Path | None) -> dict[str, tuple[int | None, int | None]]:
    """Return width and height by URL of an earlier table; none if it cannot be read."""
    if posts is None or not posts.exists():
        return {}
    try:
        rows = read_table(posts, ["url", "width", "height"])
    except DamagedFileError:
        return {}
    return {url: (width, height) for url, width, height in rows.iter_rows()}


def _import(
    source: Source, posts: Path, quarantine: Path, on_progress: OnProgress
) -> dict[str, int]:
    counts: Counter[str] = Counter()
    with quarantine.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = csv_format.writer(file, lineterminator="\n")
        table.writerow(("line", "reason", "text"))

        def reject(rejected: Rejects) -> None:
            counts.update(rejected.counts)
            is_full = file.tell() >= _MAX_QUARANTINE
            rows = iter(() if is_full or not rejected.counts else rejected)
            while file.tell() < _MAX_QUARANTINE and (some := list(islice(rows, _LISTED_AT_ONCE))):
                table.writerows((row.line, row.reason, _to_text(row.text)) for row in some)

        draft = posts.with_name(posts.name + ".draft")
        try:
            if _convert(source, draft, reject, on_progress):
                draft.replace(posts)
            else:
                repeated = _sort(draft, posts)
                reasons = {"duplicate_id": len(repeated)} if repeated else {}
                reject(Rejects(reasons, lambda: source.reject(repeated, "duplicate_id")))
        finally:
            draft.unlink(missing_ok=True)
    total = pl.scan_parquet(posts, glob=False).select(pl.len()).collect().item()
    return {"posts": total, **dict(counts.most_common())}


def _to_text(line: bytes) -> str:
    return line[:MAX_ROW].decode(errors="backslashreplace").replace("\0", r"\x00")


def _convert(
    source: Source, draft: Path, reject: Callable[[Rejects], None], on_progress: OnProgress
) -> bool:
    """Write the posts in the order of the source; return whether their ids ascend."""
    ascending = True

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal ascending
        last_id = 0
        for frame, rejected in read_ahead(source.read(), _AHEAD):
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
    keys = scan.select("id", "line", size=text_bytes() + _ROW_BYTES).collect()
    first = keys["id"].is_first_distinct()
    repeated = keys["line"].filter(~first)
    part = pl.col("size").cum_sum() // _SORT_BYTES
    parts = keys.filter(first).sort("id").with_columns(part=part)
    bounds = parts.group_by("part").agg(first=pl.col("id").min(), last=pl.col("id").max())
    bounds = bounds.sort("part")
    del keys, first, parts

    def frames() -> Iterator[pl.DataFrame]:
        for _, first_id, last_id in bounds.iter_rows():
            within = pl.col("id").is_between(first_id, last_id)
            rows = scan.filter(within).filter(~pl.col("line").is_in(repeated.implode()))
            yield rows.collect().sort("id")

    _write(frames, posts)
    return list(repeated)


def _write(frames: Callable[[], Iterator[pl.DataFrame]], path: Path) -> None:
    """Stream frames into a parquet file."""
    source = register_io_source(lambda *_: frames(), schema=POSTS)
    with store.explain_write_errors(path):
        source.sink_parquet(path, compression="lz4", row_group_size=ROW_GROUP, metadata=BLANK_SEAL)
        seal(path)


class _SpoolSource:
    """Rows that `_spool_rows` has written."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        schema = {"line": pl.Int64, **dict.fromkeys(FIELDS, pl.String)}
        for rows in self._batches():
            whole = [_filled(row) for row in rows if _is_whole(row)]
            posts, rejected = read_rows(pl.DataFrame(whole, schema, orient="row"))
            others = [_reject_row(*row) for row in rows if not _is_whole(row)]
            yield posts, Rejects.of(sorted([*rejected, *others], key=lambda row: row.line))

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        wanted = set(lines)
        for line, *fields in chain.from_iterable(self._batches()):
            if line in wanted:
                yield Rejected(line, reason, to_csv_line(fields[: len(COLUMNS)]))

    def _batches(self) -> Iterator[list[list[Any]]]:
        with self._spool.open(encoding="ascii") as file:
            while lines := file.readlines(_SPOOL_BYTES):
                yield [json.loads(line) for line in lines]


def _is_whole(row: Sequence[Any]) -> bool:
    """Return whether a row of the spool, which begins with its line, has the fields of a post."""
    return len(COLUMNS) < len(row) <= len(FIELDS) + 1


def _filled(row: list[Any]) -> list[Any]:
    return row + [""] * (len(FIELDS) + 1 - len(row))


def _reject_row(line: int, *fields: str | None) -> Rejected:
    """Return a row of the spool that is no post, as it has fewer or more fields."""
    if fields[:1] == (None,):
        return Rejected(line, "too_long", str(fields[1]).encode())
    return Rejected(line, "field_count", to_csv_line(map(str, fields)))


def _short_fields(fields: Sequence[str]) -> list[str | None]:
    """Return the fields of a row for the spool; None and a beginning if they are too long."""
    if sum(map(len, fields)) <= MAX_ROW:
        return [without_surrogates(field) for field in fields]
    beginning = to_csv_line(without_surrogates(field[:MAX_ROW]) for field in fields)[:MAX_ROW]
    return [None, beginning.decode(errors="ignore")]


def _spool_rows(row_batches: Iterable[Rows], spool: Path, on_progress: OnProgress) -> int:
    """Write rows as lines of JSON, which holds any text; return their number."""
    total = 0
    for rows in row_batches:
        lines = [json.dumps([line, *_short_fields(fields)]) + "\n" for line, fields in rows]
        with (
            store.explain_write_errors(spool),
            spool.open("a" if total else "w", encoding="ascii") as file,
        ):
            file.writelines(lines)
        total += len(lines)
        on_progress(len(lines))
    return total
