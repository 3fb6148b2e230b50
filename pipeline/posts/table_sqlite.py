"""Read a table of a SQLite database, which is opened for reading only.

In the databases of HakuBooru, a table of its own says which post has which tags: it is read along
with the posts, both in the order of their ids.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import polars as pl

from pipeline.posts.clean_text import without_surrogates
from pipeline.posts.kaggle_csv import MAX_ROW
from pipeline.posts.raw_rows import Part, RawRows
from pipeline.posts.rows import Rejected, Rejects, to_csv_line
from sketch_models.errors import SengaError

MAGIC = b"SQLite format 3\0"
_BATCH = 20_000  # rows
_BATCH_CHARACTERS = 32 << 20
_PATIENCE = 5.0  # seconds to wait for another program that writes
_MAX_TEXT = 9 * MAX_ROW  # characters of all fields of a row
_TAG_KINDS = ("general", "artist", "character", "copyright", "meta")  # HakuBooru counts them
_RATINGS = ("general", "sensitive", "questionable", "explicit")
_RELATED = {"posttagrelation": {"post_id", "tag_id"}, "tag": {"id", "name", "type"}}

_Row = Sequence[str]


class SqliteReader:
    """A table of a SQLite database.

    Args:
        path: of the database.
        fits: returns whether columns are those of a table of posts; if those of several tables
            are, the one with the most rows is read.

    Attributes:
        table: the name of the table that is read.
    """

    def __init__(self, path: Path, fits: Callable[[Sequence[str]], bool]) -> None:
        self._path = path
        with self._open() as database:
            tables = _tables(database)
            usable = {name: columns for name, columns in tables.items() if fits(columns)}
            if not usable:
                shown = "; ".join(f"{name}: {', '.join(tables[name][:12])}" for name in tables)
                raise SengaError(
                    f"No table of {path} is known to hold posts ({shown or 'it has no tables'}). "
                    "Set [metadata] columns, such as id=post_id url=link tags=labels."
                )
            self.table = max(usable, key=partial(_count, database))
        self._columns = usable[self.table]
        lower = {name.lower(): set(columns) for name, columns in tables.items()}
        self._has_relation = self.table.lower() == "post" and all(
            needed <= lower.get(name, set()) for name, needed in _RELATED.items()
        )
        added = ["tag_string", *(f"tag_string_{kind}" for kind in _TAG_KINDS)]
        self.names = [*self._columns, *(added if self._has_relation else [])]

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Read some columns; see `TableReader`."""
        with self._open() as database:
            rows = self._related_rows(database, columns) if self._has_relation else None
            if rows is None:
                rows = self._rows(database, columns)
            number = 2  # as in a CSV, whose header is line 1
            while some := _take(rows):
                yield partial(_to_raw, some, number, len(columns))
                number += len(some)

    def _rows(
        self, database: sqlite3.Connection, columns: Sequence[str], order: str = ""
    ) -> Iterator[_Row]:
        texts = [
            f"coalesce(cast({_quoted(name)} as text), '')" if name in self._columns else "''"
            for name in columns
        ]
        # The names are quoted, and those of the database itself.
        query = f"select {', '.join(texts) or 1} from {_quoted(self.table)}{order}"  # noqa: S608
        yield from database.execute(query)

    def _related_rows(self, database: sqlite3.Connection, columns: Sequence[str]) -> Iterator[_Row]:
        """Yield rows with the tags of each post."""
        tags = {
            number: (_underscored(name), int(kind) if str(kind).isdigit() else 0)
            for number, name, kind in database.execute("select id, name, type from tag")
        }
        pairs = database.execute(
            "select post_id, tag_id from posttagrelation where typeof(post_id) = 'integer' "
            "order by post_id"
        )
        ids = self._rows(database, ["id", *columns], " order by id")
        pair = next(pairs, None)
        for number, *fields in ids:
            post, found = int(number) if number.isdecimal() else 0, defaultdict(list)
            while pair is not None and pair[0] <= post:
                if pair[0] == post and pair[1] in tags:
                    name, kind = tags[pair[1]]
                    found[_TAG_KINDS[kind] if kind < len(_TAG_KINDS) else ""].append(name)
                pair = next(pairs, None)
            yield _with_tags(columns, fields, found)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        try:
            with closing(
                sqlite3.connect(address, uri=True, timeout=_PATIENCE, check_same_thread=False)
            ) as database:
                database.text_factory = lambda text: text.decode(errors="replace")
                yield database
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> SengaError:
        if "locked" in str(error) or "busy" in str(error):
            return SengaError(
                f"{self._path} is locked by a program that writes to it. Wait until that is done, "
                "or copy the file, and run again."
            )
        return SengaError(
            f"{self._path} begins like a SQLite database but cannot be read ({error}). Copy or "
            "download it again."
        )


def _tables(database: sqlite3.Connection) -> dict[str, list[str]]:
    names = database.execute(
        "select name from sqlite_master where type in ('table', 'view') "
        "and name not like 'sqlite~_%' escape '~' order by name"
    ).fetchall()
    return {
        name: [row[1] for row in database.execute(f"pragma table_info({_quoted(name)})")]
        for (name,) in names
    }


def _count(database: sqlite3.Connection, table: str) -> int:
    query = f"select count(*) from {_quoted(table)}"  # noqa: S608 - a name of the database itself
    return int(database.execute(query).fetchone()[0])


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _underscored(tag: object) -> str:
    return str(tag).replace(" ", "_")


def _with_tags(
    columns: Sequence[str], fields: Sequence[str], found: Mapping[str, list[str]]
) -> _Row:
    row = list(fields)
    for place, name in enumerate(columns):
        if name == "tag_string":
            row[place] = " ".join(tag for tags in found.values() for tag in tags)
        elif name.startswith("tag_string_"):
            row[place] = " ".join(found.get(name.removeprefix("tag_string_"), ()))
        elif name == "rating" and row[place].isdigit() and int(row[place]) < len(_RATINGS):
            row[place] = _RATINGS[int(row[place])]
    return row


def _take(rows: Iterator[_Row]) -> list[_Row]:
    """Return the next rows, of a bounded number of characters."""
    some: list[_Row] = []
    size = 0
    for row in islice(rows, _BATCH):
        some.append(row)
        size += sum(map(len, row))
        if size > _BATCH_CHARACTERS:
            break
    return some


def _to_raw(rows: Sequence[_Row], first: int, width: int) -> RawRows:
    good, rejected = [], []
    for line, row in enumerate(rows, first):
        if sum(map(len, row)) > _MAX_TEXT:
            beginning = to_csv_line(without_surrogates(field[:MAX_ROW]) for field in row)[:MAX_ROW]
            rejected.append(Rejected(line, "too_long", beginning))
        else:
            good.append((line, *row))
    schema = {"line": pl.Int64, **dict.fromkeys(map(str, range(width)), pl.String)}
    return RawRows(pl.DataFrame(good, schema, orient="row"), Rejects.of(rejected))
