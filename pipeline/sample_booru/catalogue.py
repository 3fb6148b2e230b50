"""The posts of the sample booru, and their metadata in the layout of Kaggle's, with its quirks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.sample_booru.artist.character import Character, character, pick
from pipeline.sample_booru.tags import visible_tags

HOST = "safebooru.example"
POSTS = 365  # about 64 of them match the default filter and are live
HEADER = "id,created_at,rating,score,sample_url,sample_width,sample_height,preview_url,tags"
_FIRST_ID = 1_500_017
_MALFORMED = {40: 11, 120: 7}  # number of fields by row of the file


@dataclass(frozen=True, kw_only=True)
class Post:
    """One row of the metadata, and what the server responds to a request for its picture."""

    id: int
    created_at: int  # epoch seconds, 0 if unknown
    rating: str
    score: int
    path: str  # of the picture on the server
    url: str  # of the picture, as in the metadata
    width: int  # pixels
    height: int
    preview: str
    tags: str
    file_format: str  # see `files.encode`
    quality: int  # of a JPEG, 1 to 100
    response: str  # live, missing, gone, page, truncated


def post_ids(posts: int, seed: int = 0) -> list[int]:
    """Return the ids of the first posts: ascending, with gaps; more posts only append ids."""
    steps = np.random.Generator(np.random.PCG64([seed, 1])).integers(1, 29, posts)
    return [int(post_id) for post_id in _FIRST_ID + np.cumsum(steps)]


@lru_cache(maxsize=10_000)  # a server needs them all, and every shard has one
def post(post_id: int, seed: int = 0) -> Post:
    """Return the post of an id."""
    rng = np.random.Generator(np.random.PCG64([seed, post_id, *b"post"]))
    person = character(post_id, seed)
    file_format = pick(rng, {"jpg": 7.0, "png": 2.2, "png_palette": 0.4})
    if file_format == "png" and person.background == "white" and rng.random() < 0.25:
        file_format = "png_alpha"
    path, url, preview = _urls(rng, post_id, seed, file_format)
    return Post(
        id=post_id,
        created_at=_created(rng, post_id),
        rating=_rating(rng),
        score=int(rng.geometric(0.25)) - 1 if rng.random() < 0.93 else -int(rng.integers(1, 5)),
        path=path,
        url=url,
        width=person.width,
        height=person.height,
        preview=preview,
        tags=_tags(rng, person),
        file_format=file_format,
        quality=int(rng.integers(90, 96)),
        response=pick(rng, {"live": 50, "missing": 42, "gone": 4, "page": 3, "truncated": 1}),
    )


def _rating(rng: np.random.Generator) -> str:
    return pick(
        rng,
        {"s": 83, "q": 6, "e": 2.5, "safe": 2, "general": 4, "sensitive": 1, "questionable": 1,
         "explicit": 0.5},
    )  # fmt: skip


def _created(rng: np.random.Generator, post_id: int) -> int:
    if rng.random() < 0.03:
        return 0
    return 1_450_000_000 + (post_id - _FIRST_ID) * 700 + int(rng.integers(0, 600))


def _urls(
    rng: np.random.Generator, post_id: int, seed: int, file_format: str
) -> tuple[str, str, str]:
    """Return the path on the server, the URL in the metadata, and the URL of the preview."""
    digest = hashlib.sha1(f"{seed}/{post_id}".encode(), usedforsecurity=False).hexdigest()
    folder = 1 + post_id // 1000 % 3000
    if file_format == "jpg" and rng.random() < 0.6:
        path, extra_slash = f"/samples/{folder}/sample_{digest}.jpg", "/"
    else:
        path = f"/images/{folder}/{digest}.{file_format[:3]}"
        extra_slash = "/" if rng.random() < 0.15 else ""
    scheme = pick(rng, {"": 90, "https:": 7, "http:": 3})
    query = f"?{post_id}" if rng.random() < 0.2 else ""
    preview = f"//{HOST}/thumbnails/{folder}/thumbnail_{digest}.jpg"
    return path, f"{scheme}//{HOST}{extra_slash}{path}{query}", preview


def _tags(rng: np.random.Generator, person: Character) -> str:
    """Return the tags: right for most posts, wrong for some, and spaced irregularly."""
    tags = visible_tags(person)
    flaw = rng.random()
    if flaw < 0.05:
        tags.append(pick(rng, {"chibi": 1, "monochrome": 1, "pokemon": 1}))
    elif flaw < 0.08:
        tags = [tag for tag in tags if tag != "white_background"]
    elif flaw < 0.11:
        tags = ["solo_focus" if tag == "solo" else tag for tag in tags]
    elif flaw < 0.13:
        tags = ["white_background_(artist)" if tag == "white_background" else tag for tag in tags]
    elif flaw < 0.14:
        tags += [tags[0], tags[-1]]  # repeated tags
    elif flaw < 0.145:
        tags = []
    text = " ".join(sorted(tags))
    spaces = rng.random()
    if spaces < 0.12:
        text = text.replace(" ", "  ", 1 + int(rng.integers(0, 4)))
    elif spaces < 0.3:
        text = f" {text} "
    return text


def catalogue(posts: int = POSTS, seed: int = 0) -> Iterator[Post]:
    """Yield the posts, by ascending id."""
    return (post(post_id, seed) for post_id in post_ids(posts, seed))


def write_csv(path: Path, posts: int = POSTS, seed: int = 0) -> None:
    """Write the metadata as a CSV file in the layout of Kaggle's `alamson/safebooru`.

    URLs and tags are quoted, numbers and ratings are not. Two more rows of a larger file are
    malformed: they have too many or too few fields.

    Args:
        path: the file to write.
        posts: number of posts; the malformed rows are extra.
        seed: seed of everything random.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER + "\n")
        for index, row in enumerate(catalogue(posts, seed)):
            if index in _MALFORMED:
                file.write(_malformed_row(row, _MALFORMED[index]) + "\n")
            file.write(_csv_row(row) + "\n")


def _csv_row(row: Post) -> str:
    return (
        f"{row.id},{row.created_at},{row.rating},{row.score},{_quote(row.url)},"
        f"{row.width},{row.height},{_quote(row.preview)},{_quote(row.tags)}"
    )


def _quote(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _malformed_row(row: Post, fields: int) -> str:
    """Return a malformed row, with the id of no post."""
    values = [str(row.id - 1_000_000), str(row.created_at), row.rating, str(row.score)]
    values += [_quote(row.url), "", "", str(row.width), str(row.height), _quote(row.preview)]
    return ",".join([*values, _quote(row.tags)][:fields])
