"""Which column of a table holds what of a post: layouts that are known, and mappings by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from sketch_models.errors import SengaError

TARGETS = {
    "id": "id",
    "created_at": "created_at",
    "rating": "rating",
    "score": "score",
    "url": "sample_url",
    "width": "sample_width",
    "height": "sample_height",
    "tags": "tags",
    "artist": "artist",
    "character": "character",
    "copyright": "copyright",
    "meta": "meta",
    "source": "source",
    "post_url": "post_url",
    "file": "file",
}
"""What `[metadata] columns` can name, and its name in `rows.FIELDS`; `file` is a path."""

_EXPECTED = "target=column pairs such as id=post_id url=file_url"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a kind of table.

    Attributes:
        name: of the kind, for people.
        needs: groups of columns, of each of which such a table has one.
        lacks: columns that such a table has not.
        columns: for a target the columns that may hold it; a post takes the first that is not
            empty. A dot leads into a column of objects: `score.total`.
        joined: for a target the columns whose texts together are its value, where the first of
            `columns` is missing.
        address: of the picture, made of columns in braces, `{md5:2}` for their first two
            characters and `{md5:2:4}` for the next two; where no column holds it.
        pages: the address of a post's page without its id, by a part of the picture's address;
            `""` is part of every address.
        words: whether texts of tags are phrases with commas between them.
        status: a column, and its value in rows that have a picture.
    """

    name: str
    needs: tuple[tuple[str, ...], ...] = ()
    lacks: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    address: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)
    words: bool = False
    status: tuple[str, str] = ("", "")

    def fits(self, names: Iterable[str]) -> bool:
        """Return whether a table with these columns is of this layout."""
        there = set(names)
        return all(there & set(group) for group in self.needs) and not there & set(self.lacks)


_BOARD = {  # what boards call alike
    "id": ("id",),
    "created_at": ("created_at",),
    "rating": ("rating",),
    "score": ("score",),
    "tags": ("tags",),
    "source": ("source",),
}
_DANBOORU_KINDS = {
    kind: (f"tag_string_{kind}",) for kind in ("artist", "character", "copyright", "meta")
}
_DANBOORU = (
    _BOARD
    | _DANBOORU_KINDS
    | {
        "tags": ("tag_string",),
        "width": ("image_width",),
        "height": ("image_height",),
    }
)
_GELBOORU_PAGE = "index.php?page=post&s=view&id="
_GELBOORU_PAGES = {
    f"{host}/": f"https://{host}/{_GELBOORU_PAGE}"
    for host in ("safebooru.org", "gelbooru.com", "rule34.xxx", "xbooru.com", "tbib.org")
}
_MOEBOORU_PAGES = {
    f"{host}/": f"https://{host}/post/show/"
    for host in ("yande.re", "konachan.com", "konachan.net")
}
_DANBOORU_PAGES = {"": "https://danbooru.donmai.us/posts/"}

PLAIN = Layout(
    name="a table of its own",
    columns={target: (target,) for target in TARGETS}
    | {
        "url": ("url", "image_url", "file_url"),
        "file": ("file", "file_name", "filename", "path"),
        "tags": ("tags", "tag_string", "caption", "text"),
    },
    words=True,
)
"""What a table that is of no known layout is read by, as far as it has such columns."""

LAYOUTS = (
    Layout(
        name="Kaggle's dataset alamson/safebooru",
        needs=(("sample_url",), ("tags",), ("preview_url", "sample_width")),
        lacks=("file_url", "directory", "image"),
        columns=_BOARD
        | {"url": ("sample_url",), "width": ("sample_width",), "height": ("sample_height",)},
        pages=_GELBOORU_PAGES,
    ),
    Layout(
        name="Danbooru's API and dumps",
        needs=(("tag_string_general", "tag_string_artist", "file_url"), ("md5",), ("image_width",)),
        lacks=("tags",),
        columns=_DANBOORU | {"url": ("file_url", "large_file_url")},
        joined={
            "tags": (
                "tag_string_artist",
                "tag_string_copyright",
                "tag_string_character",
                "tag_string_general",
                "tag_string_meta",
            )
        },
        address="https://cdn.donmai.us/original/{md5:2}/{md5:2:4}/{md5}.{file_ext}",
        pages=_DANBOORU_PAGES,
    ),
    Layout(
        name="Danbooru's dumps up to 2020",
        needs=(("tags",), ("md5",), ("image_width",), ("file_ext",)),
        lacks=("file_url", "directory"),
        columns=_DANBOORU | {"tags": ("tags",)},
        address="https://cdn.donmai.us/original/{md5:2}/{md5:2:4}/{md5}.{file_ext}",
        pages=_DANBOORU_PAGES,
    ),
    Layout(
        name="e621's export",
        needs=(("tag_string",), ("md5",), ("file_ext",), ("image_width",)),
        columns=_DANBOORU,
        address="https://static1.e621.net/data/{md5:2}/{md5:2:4}/{md5}.{file_ext}",
        pages={"": "https://e621.net/posts/"},
    ),
    Layout(
        name="e621's API",
        needs=(("file",), ("tags",), ("sources",), ("flags", "fav_count")),
        columns=_BOARD
        | {kind: (f"tags.{kind}",) for kind in _DANBOORU_KINDS}
        | {
            "tags": (),
            "score": ("score.total",),
            "url": ("file.url",),
            "width": ("file.width",),
            "height": ("file.height",),
            "source": ("sources",),
        },
        joined={
            "tags": (
                "tags.artist",
                "tags.copyright",
                "tags.character",
                "tags.species",
                "tags.general",
                "tags.meta",
            )
        },
        pages={"": "https://e621.net/posts/"},
    ),
    Layout(
        name="Moebooru's API",
        needs=(("file_url",), ("tags",), ("jpeg_url", "actual_preview_width")),
        columns=_BOARD | {"url": ("file_url",), "width": ("width",), "height": ("height",)},
        pages=_MOEBOORU_PAGES,
    ),
    Layout(
        name="Gelbooru's API",
        needs=(("file_url",), ("tags",), ("md5", "hash", "sample_url", "preview_url")),
        columns=_BOARD | {"url": ("file_url",), "width": ("width",), "height": ("height",)},
        pages=_GELBOORU_PAGES,
    ),
    Layout(
        name="the API of Safebooru before it told addresses",
        needs=(("directory",), ("image",), ("tags",), ("hash", "change")),
        columns=_BOARD | {"width": ("width",), "height": ("height",)},
        address="https://safebooru.org//images/{directory}/{image}",
        pages=_GELBOORU_PAGES,
    ),
    Layout(
        name="img2dataset's Parquet",
        needs=(("url",), ("status",), ("key",), ("error_message",)),
        columns={
            "url": ("url",),
            "tags": ("caption",),
            "width": ("original_width",),
            "height": ("original_height",),
        },
        words=True,
        status=("status", "success"),
    ),
)
"""The known layouts; a table is of the first that fits."""


def parse_columns(text: str) -> dict[str, str]:
    """Return the columns by their targets; raise ValueError, which says what was expected.

    Args:
        text: of `[metadata] columns`: `target=column`, with spaces between them; a column with a
            space in its name stands in double quotes: `tags="my tags"`.
    """
    columns: dict[str, str] = {}
    for word in _words(text):
        target, equals, column = word.partition("=")
        if not equals or not target or not column:
            raise ValueError(f"{_EXPECTED}; {word!r} is none")
        if target not in TARGETS:
            near = _nearest(target, TARGETS)
            raise ValueError(f"targets out of {', '.join(TARGETS)}; {target!r} is none{near}")
        if target in columns:
            raise ValueError(f"each target once; {target} is there twice")
        columns[target] = column
    return columns


def _words(text: str) -> list[str]:
    """Split at spaces that are not in double quotes."""
    words, in_quotes = [""], False
    for character in text:
        if character == '"':
            in_quotes = not in_quotes
        elif character.isspace() and not in_quotes:
            words.append("")
        else:
            words[-1] += character
    if in_quotes:
        raise ValueError(f"{_EXPECTED}; a quotation mark is not closed")
    return [word for word in words if word]


def find_layout(names: Sequence[str], mapping: Mapping[str, str], source: str) -> Layout:
    """Return the layout of a table, with a mapping by hand on top.

    Args:
        names: of its columns.
        mapping: columns by their targets.
        source: what the table is, for a message.

    Raises:
        SengaError: if a column of the mapping is not there, or nothing holds a picture.
    """
    for target, column in mapping.items():
        if column.split(".")[0] not in names and column not in names:
            raise SengaError(
                f"[metadata] columns = {target}={column}: {source} has no column {column}"
                f"{_nearest(column, names)}. It has {_listed(names)}."
            )
    layout = next((each for each in LAYOUTS if each.fits(names)), PLAIN)
    if mapping:
        layout = replace(
            layout,
            columns={**layout.columns, **{key: (column,) for key, column in mapping.items()}},
            joined={key: many for key, many in layout.joined.items() if key not in mapping},
            words=layout.words or "tags" in mapping,
        )
    return layout


def no_picture(names: Sequence[str], source: str) -> SengaError:
    """Return the error of a table in which nothing is known to hold a picture."""
    return SengaError(
        f"No column of {source} is known to hold a picture's address or file: it has "
        f"{_listed(names)}. Set [metadata] columns, such as id=post_id url=link tags=labels, or "
        "file=path for pictures on this machine."
    )


def _nearest(name: str, names: Collection[str]) -> str:
    begin_alike = [each for each in names if each.startswith(name) or name.startswith(each)]
    close = begin_alike or get_close_matches(name, list(names), 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _listed(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 40 else f"{name[:37]}..." for name in names[:40]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return (", ".join(shown) or "no columns") + more
