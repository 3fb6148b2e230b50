"""Read the files that tools put beside a picture: its tags, rating, score and source.

- `.json` of gallery-dl, or of any tool that writes a post as its board tells it;
- `.txt` of kohya and waifuc (tags with commas between them, spaces or underscores inside), of
  Grabber (with spaces between them) and of Hydrus (one on each line, `character:`, `creator:` and
  the like before it);
- what `pipeline/export/` writes of a picture.

That of all pictures of a folder is read by `sidecar_table`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from pipeline.posts.board_answer import parse_json
from pipeline.posts.clean_text import decode, split_mark, without_surrogates
from pipeline.posts.kaggle_csv import MAX_ROW
from pipeline.posts.rows import TAG_KINDS

Record = dict[str, str]
"""What is known of a picture, by the names of `rows.FIELDS`; what is unknown is left out.

`id` is known from exports of Senga alone: other tools count in ways of their own.
"""

MAX_SIDECAR_BYTES = 4_000_000
"""The largest sidecar of one picture."""

_KINDS = {
    "": ("general", "tag", "tags", "species", "lore", "style", "circle", "faults", "model"),
    "artist": ("artist", "artists", "creator"),
    "character": ("character", "characters"),
    "copyright": ("copyright", "copyrights", "series", "franchise"),
    "meta": ("meta", "metadata"),
}
"""What tools call the kinds of tags; "" is for those that are general."""

_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}
_ALL_TAGS = ("tag_string", "tags", "tag", "caption", "text", "prompt")
"""Keys of all tags of a picture, the best first."""

_EXPORTED = ("tags", *TAG_KINDS, "link")
"""Keys of a row of our own exports, all of them texts; in no other one are all of them."""

_URLS = ("source", "sources", "source_url")
_DATES = ("created_at", "date", "create_date")
_PAGES: dict[str, str] = {
    "danbooru": "https://danbooru.donmai.us/posts/{}",
    "safebooru": "https://safebooru.org/index.php?page=post&s=view&id={}",
    "gelbooru": "https://gelbooru.com/index.php?page=post&s=view&id={}",
    "rule34": "https://rule34.xxx/index.php?page=post&s=view&id={}",
    "tbib": "https://tbib.org/index.php?page=post&s=view&id={}",
    "yandere": "https://yande.re/post/show/{}",
    "konachan": "https://konachan.com/post/show/{}",
    "e621": "https://e621.net/posts/{}",
    "pixiv": "https://www.pixiv.net/artworks/{}",
    "zerochan": "https://www.zerochan.net/{}",
}
"""Pages of posts, by the category that gallery-dl gives them."""

_TEXTS = ("tags", *TAG_KINDS, "source", "post_url")
"""Fields whose bytes `rows.text_bytes` counts, besides the picture's address."""

TOO_LONG = f"its tags and addresses take more than {MAX_ROW:,} bytes"
"""Why `merge_what_fits` leaves a record out."""

KEYS = frozenset(
    (
        *_ALL_TAGS,
        *_EXPORTED,
        *(f"{prefix}_{key}" for prefix in ("tag_string", "tags") for key in _KIND_OF),
        *_URLS,
        *_DATES,
        *("rating", "score", "post_url", "page_url", "category", "id"),
    )
)
"""What `record_of` looks for."""

_UNKNOWN = "\ufffd"  # what a byte becomes that stands for no letter
_ID = re.compile(r"[1-9][0-9]{0,18}")
_MAX_ID = 2**63 - 1
_NAMESPACE = re.compile(r"([a-z][a-z ]*):\s*(\S.*)")
_ESCAPED = re.compile(r"\\([()\[\]{}])")
_SPACES = re.compile(r"\s+")


class SidecarError(Exception):
    """A sidecar that cannot be read; the message says why."""


def read_json(content: bytes) -> Record:
    """Read a post in JSON.

    Raises:
        SidecarError: if it is no JSON, or not of one post.
    """
    try:
        value = parse_json(content)
    except ValueError as error:
        raise SidecarError("not JSON, or cut off") from error
    except RecursionError as error:
        raise SidecarError("JSON that is nested too deeply") from error
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise SidecarError("JSON, but not of one post")
    return record_of(value)


def read_text(content: bytes) -> Record:
    """Read tags of a text file, whichever tool wrote it.

    Raises:
        SidecarError: if it is no text, or of an unknown encoding.
    """
    text = _decoded(content).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "," in text:
        words = [word for line in lines for word in line.split(",")]
    elif len(lines) > 1:
        words = lines
    else:
        words = text.split()
    return _of_words(words)


def _decoded(content: bytes) -> str:
    """Return bytes as text, by their byte-order mark; without one UTF-8 or Windows-1252.

    Japanese and other encodings of old cannot be told from Windows-1252, unless they have bytes
    that it lacks.

    Raises:
        SidecarError: if they are none of these.
    """
    rest, encoding = split_mark(content)
    if encoding == "utf-8":
        text = decode(rest)
        if text.count(_UNKNOWN) > rest.count(_UNKNOWN.encode()):
            raise SidecarError("neither UTF-8 nor Windows-1252: save it as UTF-8")
    else:
        try:
            text = rest.decode(encoding)
        except UnicodeDecodeError as error:
            name = encoding[:-3].upper()
            raise SidecarError(f"it begins as {name}, and is not: save it as UTF-8") from error
    if "\0" in text:
        raise SidecarError("NUL bytes, so no text that can be read: save it as UTF-8")
    return text


def record_of(post: Mapping[str, Any]) -> Record:
    """Return what a post says, by whichever names its board or tool gives it."""
    record = _of_export(post) if is_exported(post) else _tags_of(post)
    for name, value in (
        ("rating", post.get("rating")),
        ("score", _score_of(post.get("score"))),
        ("source", _first_text(post.get(key) for key in _URLS)),
        ("post_url", _page_of(post)),
        ("created_at", _first_text(_time_of(post.get(key)) for key in _DATES)),
    ):
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
            record[name] = without_surrogates(str(value))
    return record


def is_exported(post: Mapping[str, Any]) -> bool:
    """Return whether an export of Senga has written a row, whose id is therefore that of a post."""
    return all(isinstance(post.get(key), str) for key in _EXPORTED)


def _of_export(post: Mapping[str, Any]) -> Record:
    """Return tags, page and id of a row of an export; the tags as they are there.

    They are there even if there are none: the caption beside them is made of them.
    """
    record = {kind: without_surrogates(post[kind]) for kind in TAG_KINDS if post[kind]}
    record["tags"] = without_surrogates(post["tags"])
    if post["link"]:
        record["post_url"] = without_surrogates(post["link"])
    number = str(post.get("id", ""))
    if _ID.fullmatch(number) and int(number) <= _MAX_ID:
        record["id"] = number
    return record


def _tags_of(post: Mapping[str, Any]) -> Record:
    kinds: dict[str, list[str]] = {}
    whole: list[str] = []
    for key, kind in _KIND_OF.items():
        for name in (f"tag_string_{key}", f"tags_{key}"):
            kinds.setdefault(kind, []).extend(_words_of(post.get(name)))
    every = next((post[key] for key in _ALL_TAGS if post.get(key)), None)
    if isinstance(every, dict):  # of e621: lists by kind
        for key, words in every.items():
            kinds.setdefault(_KIND_OF.get(str(key), ""), []).extend(_words_of(words))
    else:
        whole = _words_of(every)
    named = {kind: " ".join(dict.fromkeys(words)) for kind, words in kinds.items() if words}
    of_kinds = [word for words in kinds.values() for word in words]
    record = {kind: text for kind, text in named.items() if kind}
    if every_word := dict.fromkeys([*whole, *of_kinds]):
        record["tags"] = " ".join(every_word)
    return record


def _words_of(value: object) -> list[str]:
    """Return tags of a list, or of a text with commas or spaces between them."""
    if isinstance(value, str):
        parts = value.split(",") if "," in value else value.split()
        return [tag for tag in map(_tag, parts) if tag]
    if isinstance(value, list):
        names = [part.get("name", "") if isinstance(part, dict) else part for part in value]
        return [tag for name in names if isinstance(name, str) and (tag := _tag(name))]
    return []


def _of_words(words: Iterable[str]) -> Record:
    """Return tags, some of them with the namespaces of Hydrus, and what those say besides."""
    record: Record = {}
    tags: dict[str, list[str]] = {"": []}
    for word in words:
        match = _NAMESPACE.fullmatch(word.strip().lower())
        space, rest = (match[1], match[2]) if match else ("", "")
        if space == "rating":
            record["rating"] = rest
        elif space in ("source", "url"):
            record.setdefault("source", word.strip()[len(space) + 1 :].strip())
        elif space in _KIND_OF:
            tags.setdefault(_KIND_OF[space], []).append(_tag(rest))
        elif tag := _tag(word):
            tags[""].append(tag)
    record |= {kind: " ".join(dict.fromkeys(names)) for kind, names in tags.items() if kind}
    if every := dict.fromkeys(tag for names in tags.values() for tag in names if tag):
        record["tags"] = " ".join(every)
    return {name: without_surrogates(text) for name, text in record.items()}


def _tag(text: str) -> str:
    """Return a tag as boorus have them: lower-case, with underscores."""
    plain = _ESCAPED.sub(r"\1", text.strip().lower())
    return without_surrogates(_SPACES.sub("_", plain))


def _score_of(value: object) -> object:
    """Return a score; e621 tells it as an object with a total."""
    return value.get("total") if isinstance(value, dict) else value


def _first_text(values: Iterable[object]) -> str:
    for value in values:
        one = value[0] if isinstance(value, list) and value else value
        if isinstance(one, (str, int)) and not isinstance(one, bool) and str(one).strip():
            return str(one).strip()
    return ""


def _page_of(post: Mapping[str, Any]) -> str:
    given = _first_text(post.get(key) for key in ("post_url", "page_url"))
    template = _PAGES.get(str(post.get("category", "")))
    number = str(post.get("id", ""))
    return given or (template.format(number) if template and number.isdecimal() else "")


def _time_of(value: object) -> object:
    """Return a time in the forms that the import reads."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return value
        zone = moment.tzinfo or timezone.utc
        return str(int(moment.replace(tzinfo=zone).timestamp()))
    return value


def merge(records: Iterable[Record]) -> Record:
    """Return one record of several; what a field says first counts."""
    result: Record = {}
    for record in records:
        has_tags = "tags" in result
        for name, text in record.items():
            if not (has_tags and name in ("tags", *TAG_KINDS)):
                result.setdefault(name, text)
    return result


def merge_what_fits(
    records: Iterable[tuple[str, Record]], taken_bytes: int
) -> tuple[Record, list[str]]:
    """Return one record of several, without those that would make a post too long.

    Args:
        records: with the places that they are from.
        taken_bytes: of the post's other texts, such as the address of its picture.

    Returns:
        The record, and the places of those that were left out.
    """
    result: Record = {}
    left_out = []
    for place, record in records:
        merged = merge([result, record])
        texts = (merged.get(name, "") for name in _TEXTS)
        if sum(len(text.encode()) for text in texts) + taken_bytes > MAX_ROW:
            left_out.append(place)
        else:
            result = merged
    return result, left_out
