"""Danbooru 2: danbooru.donmai.us, safebooru.donmai.us and other boards of its software."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.posts.board_answer import parse_json
from pipeline.posts.boards.board import (
    AccountFields,
    BoardLimits,
    PostRow,
    absolute,
    is_plain,
    part,
    post_id,
    text,
    to_query,
)

_KINDS = ("artist", "character", "copyright", "general", "meta")
_SAMPLE_WIDTH = 850  # pixels
_LIMITS = BoardLimits(page_size=200, tags=2, pages_per_second=2)
_ACCOUNT = AccountFields(user="login", words="the API key and the name")


@dataclass(frozen=True, kw_only=True)
class Danbooru:
    """A board of Danbooru's software."""

    name: ClassVar[str] = "danbooru"
    above: ClassVar[str] = "page=a"
    ascending: ClassVar[str] = "page=a"
    newest_first: ClassVar[bool] = True

    url: str
    limits: BoardLimits = _LIMITS
    account: AccountFields = _ACCOUNT

    def can_search(self, tag: str) -> bool:
        """Return whether a search for a tag finds the posts that have it: `*` is a wildcard."""
        return is_plain(tag) and "*" not in tag

    def page_url(self, tags: Sequence[str], above: int) -> str:
        """Return the URL of the oldest posts above an id that have all the tags."""
        return f"{self.url}?limit={self.limits.page_size}&page=a{above}&tags={to_query(tags)}"

    def older_url(self, tags: Sequence[str], above: int, below: int) -> str:  # noqa: ARG002
        """Return the URL of the newest post below an id."""
        return f"{self.url}?limit=1&page=b{below}&tags={to_query(tags)}"

    def posts(self, body: bytes) -> Any:  # noqa: ANN401 - any JSON
        """Return the list of posts of a page; anything else if it is none."""
        return parse_json(body)

    def row(self, post: dict[str, Any]) -> PostRow:
        """Return a post as a row: that of its sample if it has one, as in Kaggle's dataset.

        A post whose picture is not for this account has no URL.
        """
        kinds = {kind: text(post, f"tag_string_{kind}") for kind in _KINDS}
        picture_url, width, height = _picture(post)
        return PostRow(
            id=str(post_id(post)),
            created_at=text(post, "created_at"),
            rating=text(post, "rating"),
            score=text(post, "score"),
            sample_url=absolute(picture_url, self.url),
            sample_width=width,
            sample_height=height,
            preview_url=absolute(text(post, "preview_file_url"), self.url),
            tags=text(post, "tag_string") or " ".join(filter(None, kinds.values())),
            artist=kinds["artist"],
            character=kinds["character"],
            copyright=kinds["copyright"],
            meta=kinds["meta"],
            source=text(post, "source"),
            post_url=f"{self.url.removesuffix('.json')}/{post_id(post)}",
        )


def _picture(post: dict[str, Any]) -> tuple[str, str, str]:
    """Return URL, width and height of the sample of a post, or of its picture if it has none."""
    original, sample = text(post, "file_url"), text(post, "large_file_url")
    width, height = text(post, "image_width"), text(post, "image_height")
    if sample in ("", original):
        return original, width, height
    variants = part(post, "media_asset").get("variants")
    for variant in variants if isinstance(variants, list) else []:
        if isinstance(variant, dict) and variant.get("url") == sample:
            return sample, text(variant, "width"), text(variant, "height")
    if not (width.isdecimal() and height.isdecimal() and len(width + height) < 18):
        return sample, "", ""
    scale = min(1.0, _SAMPLE_WIDTH / max(1, int(width)))
    return sample, str(round(int(width) * scale)), str(round(int(height) * scale))
