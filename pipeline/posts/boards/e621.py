"""e621, whose software was Danbooru's once: its posts are built otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.posts.board_answer import parse_json
from pipeline.posts.boards.board import BoardLimits, PostRow, absolute, part, post_id, text
from pipeline.posts.boards.danbooru import Danbooru

_LIMITS = BoardLimits(page_size=320, tags=40, pages_per_second=1)


@dataclass(frozen=True, kw_only=True)
class E621(Danbooru):
    """A board of e621's software, which takes the requests of Danbooru's."""

    name: ClassVar[str] = "e621"

    limits: BoardLimits = _LIMITS

    def posts(self, body: bytes) -> Any:  # noqa: ANN401 - any JSON
        """Return the list of posts of a page; anything else if it is none."""
        page = parse_json(body)
        return page.get("posts") if isinstance(page, dict) else page

    def row(self, post: dict[str, Any]) -> PostRow:
        """Return a post as a row: that of its sample if it has one, as in Kaggle's dataset."""
        kinds = part(post, "tags")
        sample, original = part(post, "sample"), part(post, "file")
        picture = sample if sample.get("has") is True and text(sample, "url") else original
        return PostRow(
            id=str(post_id(post)),
            created_at=text(post, "created_at"),
            rating=text(post, "rating"),
            score=text(part(post, "score"), "total"),
            sample_url=absolute(text(picture, "url"), self.url),
            sample_width=text(picture, "width"),
            sample_height=text(picture, "height"),
            preview_url=absolute(text(part(post, "preview"), "url"), self.url),
            tags=" ".join(filter(None, (text(kinds, kind) for kind in kinds))),
            artist=text(kinds, "artist"),
            character=text(kinds, "character"),
            copyright=text(kinds, "copyright"),
            meta=text(kinds, "meta"),
            source=text(post, "sources").partition(" ")[0],
            post_url=f"{self.url.removesuffix('.json')}/{post_id(post)}",
        )
