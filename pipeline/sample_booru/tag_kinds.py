"""Artists, characters, copyrights and meta tags of the posts, for the APIs that tell kinds of tags.

The metadata in Kaggle's layout and the API of Gelbooru 0.2 go without them.
"""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.character import pick
from pipeline.sample_booru.catalogue import Post

_ARTISTS = {"ink_fox": 3, "paper_crane": 2, "quiet_line": 2, "two_brushes": 1, "": 2}
_STORIES = {
    "harbour_lights": ("mizuki_(harbour_lights)", "captain_aoi"),
    "school_on_the_hill": ("ren_(school_on_the_hill)", "hoshino_nana"),
    "original": (),
}
_HIGH = 1600  # pixels of a side


def tags_by_kind(post: Post) -> dict[str, list[str]]:
    """Return the tags of a post by kind, each kind in alphabetical order."""
    rng = np.random.Generator(np.random.PCG64([post.id, *b"kinds"]))
    artist = pick(rng, _ARTISTS)
    story = pick(rng, {"harbour_lights": 2, "school_on_the_hill": 2, "original": 6})
    cast = _STORIES[story]
    meta = ["highres"] if max(post.width, post.height) >= _HIGH else []
    return {
        "artist": [artist] if artist else [],
        "character": [cast[int(rng.integers(len(cast)))]] if cast else [],
        "copyright": [story],
        "general": sorted(set(post.tags.split())),
        "meta": meta if artist else [*meta, "artist_request"],
    }


def general_tags(post: Post) -> list[str]:
    """Return the tags of a post as the metadata has them."""
    return post.tags.split()


def all_tags(post: Post) -> list[str]:
    """Return the tags of all kinds in alphabetical order."""
    return sorted(tag for tags in tags_by_kind(post).values() for tag in tags)
