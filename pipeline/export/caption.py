"""Captions: the tags of a post as a text to train with."""

from __future__ import annotations

import re

from pipeline.export.options import ExportOptions
from pipeline.export.post import Post

_WORD = re.compile(r"[^\W\d_]{2}")
"""Two letters, which an emoticon, such as `^_^` or `o_o`, has not."""

_SEPARATORS = {"comma": ", ", "space": " "}


def caption(post: Post, options: ExportOptions) -> str:
    """Return the caption of a post.

    Args:
        post: with its tags by kind.
        options: which kinds, in which order, underscores, separator and prefix.
    """
    kinds = {tag: post.kind_of(tag) for tag in post.tags.split(" ") if tag}
    tags = [tag for tag, kind in kinds.items() if kind in options.caption_kinds]
    if options.caption_order == "sorted":
        tags.sort()
    elif options.caption_order == "kinds":
        tags.sort(key=lambda tag: options.caption_kinds.index(kinds[tag]))
    if not options.caption_underscores:
        tags = [_with_spaces(tag) for tag in tags]
    prefix = [options.caption_prefix] if options.caption_prefix else []
    return _SEPARATORS[options.caption_separator].join([*prefix, *tags])


def _with_spaces(tag: str) -> str:
    """Return a tag with spaces for underscores, unless it is an emoticon."""
    return tag.replace("_", " ").strip() if _WORD.search(tag) else tag
