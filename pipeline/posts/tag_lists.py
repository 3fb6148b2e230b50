"""Read tags of any spelling: with spaces or commas between them, lists, or lists of objects."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

KINDS = {"1": "artist", "3": "copyright", "4": "character", "5": "meta"}
"""The kinds of tags, by the numbers that Danbooru gives them."""

_LIST = pl.List(pl.String)
_OBJECTS = pl.List(pl.Struct({"name": pl.String, "category": pl.String}))


def read_tags(texts: pl.Series, *, words: bool) -> pl.Series:
    """Return tags with spaces between them and `_` inside.

    Args:
        texts: tags with spaces between them, or a list of texts or of objects with a name in JSON.
        words: whether tags with commas between them are meant, too: if a text has a comma, its
            spaces are parts of tags.
    """
    texts = _replace(texts, texts.str.starts_with("["), _of_lists)
    if words:
        texts = _replace(texts, texts.str.contains(",", literal=True), _of_phrases)
    return texts


def tags_of_kind(texts: pl.Series, kind: str) -> pl.Series:
    """Return those tags of lists of objects in JSON that are of a kind; empty for other texts."""
    empty = pl.repeat("", len(texts), dtype=pl.String, eager=True)
    objects = texts.str.starts_with('[{"') & texts.str.contains('"category"', literal=True)
    numbers = {number for number, name in KINDS.items() if name == kind}
    return _replace(empty, objects, lambda _: _of_lists(texts.filter(objects), numbers))


def _replace(texts: pl.Series, odd: pl.Series, read: Any) -> pl.Series:  # noqa: ANN401
    places = odd.arg_true()
    if places.is_empty():
        return texts
    replaced: pl.Series = texts.scatter(places, read(texts.gather(places)))
    return replaced


def _of_phrases(texts: pl.Series) -> pl.Series:
    phrase = pl.element().str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", "_")
    tags: pl.Series = texts.str.split(",").list.eval(phrase.filter(phrase != "")).list.join(" ")
    return tags


def _of_lists(texts: pl.Series, numbers: set[str] | None = None) -> pl.Series:
    """Return the tags of JSON lists; other texts stay as they are.

    Args:
        texts: of which most are JSON lists.
        numbers: of kinds; tags of other ones are left out.
    """
    is_objects = texts.str.contains(r"^\[\s*\{").all()
    try:
        decoded = texts.str.json_decode(_OBJECTS if is_objects else _LIST)
    except pl.exceptions.PolarsError:
        return pl.Series([_of_list(text, numbers) for text in texts.to_list()], dtype=pl.String)
    name = pl.element()
    if is_objects:
        name = pl.element().struct.field("name")
        if numbers is not None:
            wanted = pl.element().struct.field("category").is_in(list(numbers))
            name = name.filter(wanted)
    one_word = name.str.strip_chars().str.replace_all(r"\s+", "_")
    tags: pl.Series = decoded.list.eval(one_word).list.join(" ").fill_null("")
    return tags


def _of_list(text: str, numbers: set[str] | None) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if not isinstance(value, list):
        return text
    names = [_name(tag, numbers) for tag in value]
    return " ".join("_".join(name.split()) for name in names if name)


def _name(tag: object, numbers: set[str] | None) -> str:
    if not isinstance(tag, dict):
        return "" if tag is None else str(tag)
    if numbers is not None and str(tag.get("category")) not in numbers:
        return ""
    return str(tag.get("name") or "")
