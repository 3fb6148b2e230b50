"""Posts of a live board, collected from its API."""

from __future__ import annotations

import logging

from pipeline import store
from pipeline.manifest import read_manifest
from pipeline.posts.board_api import collect, read_store
from pipeline.posts.boards.board import Board
from pipeline.posts.boards.known import GELBOORU, find_board
from pipeline.posts.filter import FilterOptions
from pipeline.posts.metadata import import_rows
from pipeline.progress import OnProgress
from tasks import config
from tasks.board import BoardPages
from tasks.client import open_client
from tasks.sources.source import Source, sha256_of
from tasks.stage import StageResult

logger = logging.getLogger("senga")


class BoardSource(Source):
    """A live board."""

    @property
    def _board(self) -> Board:
        return find_board(self.options.board, self.options.api_url)

    @property
    def _search(self) -> tuple[list[str], list[str]]:
        """The tags that the board is searched for, sorted; and those that only the filter sees."""
        required = config.options(FilterOptions).required_tags
        usable = [tag for tag in required if self._board.can_search(tag)]
        searched = usable[: self.options.tags_per_search or self._board.limits.tags]
        return sorted(searched), [tag for tag in required if tag not in searched]

    def settings(self) -> dict[str, object]:
        """Return what tells a collection from others: those of Gelbooru's kind go without a name.

        They may be from a version that knew no other boards.
        """
        name = self._board.name
        other = {} if name == GELBOORU else {"board": name}
        return {"api": self._board.url, "tags": self._search[0], **other}

    def has_new_posts(self) -> bool:
        """Return whether the board is to be asked."""
        return self.options.new_posts

    def shared_resources(self) -> dict[str, int]:
        """Allow one process at a time to send requests to a board, its pictures included."""
        return {"download": 1}

    def make(self, on_progress: OnProgress) -> StageResult:
        """Collect new posts, and import all that were ever collected."""
        # What a board has returned stays as it is, whatever version imports it.
        collected = self.task.dataset.api_posts(
            store.fingerprint([self.task.task_family, 1, self.task.settings(), []])
        )
        tags, others = self._search
        if others:
            logger.info(
                "%s is searched for %s; [filter] looks for %s among those posts.",
                self._board.url,
                " ".join(tags) or "all posts",
                " ".join(others),
            )
        with store.explain_write_errors(collected):
            collected.parent.mkdir(parents=True, exist_ok=True)
            with open_client() as client:
                result = collect(
                    collected,
                    self._board,
                    tags,
                    BoardPages(client, self._board).get,
                    fetch_new=self.options.new_posts,
                    on_progress=on_progress,
                )
        if result.warning:
            logger.warning(
                "%s Continuing with the %d posts collected so far.", result.warning, result.posts
            )
        content = sha256_of(collected, "api_url")
        manifest = read_manifest(self.task.manifest_path())
        if manifest and manifest.content == content and self.task.posts.exists():
            return StageResult(kept=manifest.kept, dropped=manifest.dropped, content=content)
        with_tags = f" with the tags {' '.join(tags)}" if tags else ""
        source = f"[metadata] api_url = {self.options.api_url}: the board{with_tags}"
        return self.publish(
            lambda posts, quarantine: import_rows(
                read_store(collected, self._board), posts, quarantine, source=source
            ),
            content=content,
        )
