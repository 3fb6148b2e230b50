"""Posts from a table of any columns: CSV, TSV, JSON, JSON lines, Parquet or SQLite."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import merge
from itertools import chain
from operator import attrgetter
from pathlib import Path

import polars as pl

from pipeline.posts.fields import whole_numbers, without_controls
from pipeline.posts.layouts import LAYOUTS, PLAIN, TARGETS, Layout, find_layout, no_picture
from pipeline.posts.local_file import hashed_id
from pipeline.posts.picture_files import Found, PictureFiles
from pipeline.posts.raw_rows import Part, TableReader
from pipeline.posts.rows import TAG_KINDS, Rejected, Rejects, check_rows, to_csv_line
from pipeline.posts.table_csv import CsvReader
from pipeline.posts.table_json import JsonReader
from pipeline.posts.table_parquet import ParquetReader
from pipeline.posts.table_sqlite import MAGIC, SqliteReader
from pipeline.posts.table_stream import packing_of, read_head
from pipeline.posts.tag_lists import read_tags, tags_of_kind
from pipeline.thread_map import thread_map
from sketch_models.errors import SengaError

_BRACES = re.compile(r"\{(\w+)(?::(\d+)(?::(\d+))?)?\}")
_TEXTS = ("tags", *TAG_KINDS, "source", "post_url")
_NO_VALUE = ("nan", "null", "none", "na", "n/a", "<na>", "-")  # of programs that write tables


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How a table is read.

    Attributes:
        columns: that are mapped by hand, by their targets; see `layouts.TARGETS`.
        files: the folder of its pictures; None for that of the table.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    files: Path | None = None


class TableSource:
    """A table with a row for each post; a `metadata.Source`.

    A post without an id gets the hash of its picture's address or path; so does one whose id is
    text, if most ids of the first rows are.

    Raises:
        SengaError: if the table cannot be read, or nothing in it is known to hold a picture.

    Attributes:
        layout: of the table.
        place: the path of the table, and in a database its name.
        seen: the files that `read` has looked at, as `picture_files.Found.seen` says.
    """

    def __init__(self, path: Path, options: TableOptions) -> None:
        self._path = path
        self._by_hand = options.columns
        self._reader = self._open()
        names = list(self._reader.names)
        self.layout = find_layout(names, options.columns, str(path))
        self.place = str(path)
        if isinstance(self._reader, SqliteReader):
            self.place += f", table {self._reader.table},"
        used = _used_columns(self.layout, names)
        self._columns = list(dict.fromkeys(chain.from_iterable(used.values())))
        self._used = {
            target: [self._columns.index(name) for name in columns]
            for target, columns in used.items()
        }
        by_id = options.files is not None and "file" not in self._used
        self.files = PictureFiles(folder=options.files or path.parent, by_id=by_id)
        if not by_id and not self._used.keys() & {"url", "file", "address"}:
            raise no_picture(names, str(path))
        if by_id and "id" not in self._used:
            raise no_picture(names, str(path))
        self.seen: list[pl.DataFrame] = []

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        """Read the posts in their order, with the columns of `POSTS`; and the other rows."""
        self.seen.clear()
        parts = self._reader.parts(self._columns)
        first = next(parts, None)
        if first is None:
            raise SengaError(f"{self._path} holds no posts. Write it again.")
        sample = first()
        hashes = self._hashes_ids(sample.rows)
        raw: Iterator[Part] = chain([lambda: sample], parts)
        for posts, rejected, seen in thread_map(partial(self._read_part, hashes), raw):
            if seen is not None:
                self.seen.append(seen)
            yield posts, rejected

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        """Read rows again for the quarantine, by their lines in ascending order."""
        for part in self._reader.parts(self._columns):
            rows = part().rows
            if not rows.height:
                continue
            first = bisect_left(lines, rows.item(0, "line"))
            wanted = lines[first : bisect_left(lines, rows.item(-1, "line") + 1)]
            if wanted:
                some = rows.filter(pl.col("line").is_in(wanted))
                yield from _as_rejected(some.with_columns(reason=pl.lit(reason)))

    def _open(self) -> TableReader:
        packing, head = packing_of(self._path), read_head(self._path)
        if head.startswith((b"PAR1", MAGIC)):
            if packing:
                raise SengaError(
                    f"{self._path} is a database or Parquet file within {packing}. Unpack it, and "
                    "set [metadata] table to the result."
                )
            if head.startswith(MAGIC):
                return SqliteReader(self._path, self._fits)
            return ParquetReader(self._path)
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"[", b"{")):
            return JsonReader(self._path)
        return CsvReader(self._path, {*_KNOWN, *self._by_hand.values()})

    def _fits(self, names: Sequence[str]) -> bool:
        """Return whether a table with these columns may hold the posts."""
        if self._by_hand:
            return all(name in names or name.startswith("tag_") for name in self._by_hand.values())
        used = _used_columns(next((each for each in LAYOUTS if each.fits(names)), PLAIN), names)
        return bool(used.keys() & {"url", "file", "address"})

    def _hashes_ids(self, rows: pl.DataFrame) -> bool:
        """Return whether ids are texts, of which the hash is taken."""
        if "id" not in self._used:
            return True
        ids = self._text(rows, "id").head(10_000)
        ids = ids.filter(~ids.str.to_lowercase().is_in(["", *_NO_VALUE]))
        numbers = len(ids) - whole_numbers(ids).null_count()
        return 2 * numbers < len(ids)

    def _read_part(
        self, hashes_ids: bool, part: Part
    ) -> tuple[pl.DataFrame, Rejects, pl.DataFrame | None]:
        raw = part()
        rows = raw.rows
        ids = self._text(rows, "id")
        found = self._find_files(rows, ids)
        urls = self._urls(rows)
        if hashes_ids:
            ids = self._hashed(ids, found, urls)
        elif (ids == "0").any():  # of tables that count from 0
            ids = ids.zip_with(ids != "0", self._hashed(ids, found, urls, of_files=True))
        kinds = {kind: self._kind(rows, kind) for kind in TAG_KINDS}
        known = {name: text for name, text in kinds.items() if text is not None}
        for name in ("created_at", "rating", "score", "width", "height"):
            known[TARGETS[name]] = self._text(rows, name)
        for name, key in (("created_at", "s"), ("score", "total")):
            if name in self._used:
                known[name] = _inner(known[name], key)
        if "source" in self._used:
            known["source"] = read_tags(self._text(rows, "source"), words=False)
        pages = self._pages(rows, None if hashes_ids else ids, urls)
        if pages is not None:
            known["post_url"] = pages
        table = pl.DataFrame(
            {
                **known,
                "id": ids,
                "sample_url": urls if found is None else found.urls,
                "tags": self._tags(rows),
                "line": rows["line"],
                "reason": self._reasons(rows, found),
            }
        )
        if not raw.is_clean:
            made = {"post_url"} - self._used.keys()
            texts = [name for name in _TEXTS if name in table.columns and name not in made]
            table = table.with_columns(without_controls(table[name]) for name in texts)
        posts, reasons = check_rows(table, local=found is not None)
        return posts, _merged(raw.rejected, rows, reasons), found.seen if found else None

    def _text(self, rows: pl.DataFrame, target: str) -> pl.Series:
        """Return what the columns of a target hold: the first that is not empty."""
        places = self._used.get(target, [])
        if not places:
            return _blank(rows)
        texts = rows[str(places[-1])]
        for place in places[-2::-1]:
            texts = _first_of(rows[str(place)], texts)
        return texts

    def _urls(self, rows: pl.DataFrame) -> pl.Series:
        urls = self._text(rows, "url")
        if "address" not in self._used or not (urls == "").any():
            return urls
        return _first_of(urls, self._address(rows))

    def _address(self, rows: pl.DataFrame) -> pl.Series:
        """Return the addresses that a layout makes of other columns; empty if one is empty."""
        columns = dict(zip(_braced(self.layout.address), self._used["address"], strict=True))
        parts: list[pl.Expr] = []
        end = 0
        for match in _BRACES.finditer(self.layout.address):
            parts.append(pl.lit(self.layout.address[end : match.start()]))
            text = pl.col(str(columns[match[1]]))
            if match[2]:
                start, stop = (match[2], match[3]) if match[3] else ("0", match[2])
                text = text.str.slice(int(start), int(stop) - int(start))
            parts.append(text)
            end = match.end()
        parts.append(pl.lit(self.layout.address[end:]))
        whole = pl.all_horizontal(pl.col(str(place)) != "" for place in columns.values())
        return rows.select(
            pl.when(whole).then(pl.concat_str(parts)).otherwise(pl.lit("")).alias("address")
        ).to_series()

    def _find_files(self, rows: pl.DataFrame, ids: pl.Series) -> Found | None:
        if "file" in self._used:
            return self.files.find(self._text(rows, "file"))
        if self.files.by_id:
            return self.files.find_by_id(whole_numbers(ids), self._text(rows, "extension"))
        return None

    def _hashed(
        self, ids: pl.Series, found: Found | None, urls: pl.Series, *, of_files: bool = False
    ) -> pl.Series:
        """Return hashes of ids; without a column of ids, those of files and addresses."""
        texts = ids
        if of_files or "id" not in self._used:
            files = _blank_like(urls) if found is None else found.paths
            texts = _first_of(files, urls)
        missing = texts.str.to_lowercase().is_in(["", *_NO_VALUE])
        hashes = [str(hashed_id(text)) for text in texts.to_list()]
        return pl.Series("id", hashes, pl.String).set(missing, "")

    def _tags(self, rows: pl.DataFrame) -> pl.Series:
        texts = read_tags(self._text(rows, "tags"), words=self.layout.words)
        if "joined" not in self._used:
            return texts
        joined = [read_tags(rows[str(place)], words=False) for place in self._used["joined"]]
        return _first_of(texts, pl.select(pl.concat_str(joined, separator=" ")).to_series())

    def _kind(self, rows: pl.DataFrame, kind: str) -> pl.Series | None:
        """Return the tags of a kind; None if the table does not tell."""
        if kind in self._used:
            return read_tags(self._text(rows, kind), words=self.layout.words)
        if "tags" not in self._used:
            return None
        texts = self._text(rows, "tags")
        return tags_of_kind(texts, kind) if texts.str.starts_with('[{"').any() else None

    def _pages(
        self, rows: pl.DataFrame, ids: pl.Series | None, urls: pl.Series
    ) -> pl.Series | None:
        """Return the addresses of the posts' pages; None if nothing is known of them."""
        if ids is None or not self.layout.pages:
            return self._text(rows, "post_url") if "post_url" in self._used else None
        table = pl.DataFrame({"id": whole_numbers(ids), "url": urls})
        page = pl.lit("")
        for part, start in self.layout.pages.items():
            here = pl.col("url").str.contains(part, literal=True) if part else pl.lit(True)
            page = pl.when(here).then(pl.lit(start) + pl.col("id").cast(pl.String)).otherwise(page)
        pages = table.select(page.fill_null("").alias("page")).to_series()
        return _first_of(self._text(rows, "post_url"), pages) if "post_url" in self._used else pages

    def _reasons(self, rows: pl.DataFrame, found: Found | None) -> pl.Series:
        none = pl.repeat(None, rows.height, dtype=pl.String, eager=True)
        reasons = none if found is None else found.reasons
        if "status" in self._used:
            failed = self._text(rows, "status") != self.layout.status[1]
            reasons = reasons.set(failed & reasons.is_null(), "not_downloaded")
        return reasons


_KNOWN = frozenset(
    name
    for layout in (*LAYOUTS, PLAIN)
    for names in (*layout.needs, *layout.columns.values())
    for name in names
)


def _braced(address: str) -> list[str]:
    return list(dict.fromkeys(match[1] for match in _BRACES.finditer(address)))


def _used_columns(layout: Layout, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of a table that hold something, by target."""
    there = {*names}

    def is_there(column: str) -> bool:
        return column in there or ("." in column and column.partition(".")[0] in there)

    used = {
        target: [name for name in columns if is_there(name)]
        for target, columns in layout.columns.items()
    }
    joined = [name for name in layout.joined.get("tags", ()) if is_there(name)]
    if not used.get("tags"):
        used["joined"] = joined
    address = _braced(layout.address)
    if all(map(is_there, address)):
        used["address"] = address
    used["extension"] = [name for name in ("file_ext",) if name in there]
    used["status"] = [name for name in layout.status[:1] if name in there]
    return {target: columns for target, columns in used.items() if columns}


def _blank(rows: pl.DataFrame) -> pl.Series:
    return _blank_like(rows.to_series())


def _blank_like(texts: pl.Series) -> pl.Series:
    return pl.repeat("", len(texts), dtype=pl.String, eager=True)


def _first_of(texts: pl.Series, others: pl.Series) -> pl.Series:
    """Return texts, and others where they are empty."""
    first: pl.Series = texts.zip_with(texts != "", others)
    return first


def _inner(texts: pl.Series, key: str) -> pl.Series:
    """Return texts; of those that are JSON objects, the value of a key."""
    objects = texts.str.starts_with("{").arg_true()
    if objects.is_empty():
        return texts
    values = texts.gather(objects).str.json_path_match(f"$.{key}").fill_null("")
    inner: pl.Series = texts.scatter(objects, values)
    return inner


def _as_rejected(rows: pl.DataFrame) -> Iterator[Rejected]:
    columns = [name for name in rows.columns if name not in ("line", "reason")]
    for line, reason, *fields in rows.select("line", "reason", *columns).iter_rows():
        yield Rejected(line, reason, to_csv_line(fields))


def _merged(rejected: Rejects, rows: pl.DataFrame, reasons: pl.Series) -> Rejects:
    """Return rows that were rejected before, and those that have a reason, by their lines."""
    if reasons.null_count() == len(reasons):
        return rejected
    bad = rows.with_columns(reasons.alias("reason")).filter(reasons.is_not_null())
    counts = Counter(rejected.counts) + Counter(dict(bad["reason"].value_counts().iter_rows()))

    def both() -> Iterator[Rejected]:
        yield from merge(rejected, _as_rejected(bad), key=attrgetter("line"))

    return Rejects(counts, both)
