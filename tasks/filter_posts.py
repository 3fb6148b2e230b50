"""The posts that pass the filter, in shards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pipeline import store
from pipeline.posts.filter import (
    FilterOptions,
    FilterResult,
    count_unknown,
    filter_posts,
    unknown_tags,
)
from pipeline.progress import OnProgress, Progress
from sketch_models.errors import SengaError
from tasks import config
from tasks.import_metadata import ImportMetadata
from tasks.losses import biggest_loss, losses_of
from tasks.stage import Stage, StageResult

_UNKNOWN = {"ratings": "rating", "min_score": "score", "min_side": "width", "max_side": "width"}
"""The column of posts whose missing values a rule drops, by the name of the rule."""


class FilterPosts(Stage):
    """Keep the posts that pass every rule of `[filter]`, and count what each rule drops."""

    version = 3
    stage = "filter"
    unit = "posts"

    def upstream(self) -> list[Stage]:
        """Return all posts."""
        return [ImportMetadata()]

    def settings(self) -> dict[str, object]:
        """Return the rules, and the width of a shard."""
        return {
            **config.result_options(FilterOptions),
            "shard_width": config.options(config.BuildOptions).shard_width,
        }

    def artefact(self) -> Path:
        """Return the folder of `shard-NNNNN.parquet`."""
        return self.dataset.posts(self.settings_hash())

    def shard_posts(self, shard: int) -> Path:
        """Return the path of the posts of one shard."""
        return self.artefact() / f"{store.shard_name(shard)}.parquet"

    def shards(self) -> dict[int, dict[str, object]]:
        """Return rows and digest of each shard with posts; raise NotReadyError until it is made."""
        shards = self.manifest().facts["shards"]
        assert isinstance(shards, dict)
        return {int(number): facts for number, facts in shards.items()}

    def shard(self, number: int) -> dict[str, object]:
        """Return rows and digest of one shard.

        Raises:
            SengaError: if it has no posts.
            NotReadyError: until it is made.
        """
        shards = self.shards()
        if number not in shards:
            raise SengaError(
                f"--shard {number}: no post of it passes [filter]. Shards with posts: "
                f"{', '.join(map(str, sorted(shards)))}."
            )
        return shards[number]

    def progress(self) -> Progress:
        """Return the number of posts to filter."""
        return Progress(total=ImportMetadata().manifest().kept)

    def make(self, on_progress: OnProgress) -> StageResult:
        """Filter the posts; raise SengaError if none is left."""
        options = config.options(FilterOptions)
        width = config.options(config.BuildOptions).shard_width
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            result = filter_posts(ImportMetadata().posts, folder, options, width, on_progress)
        if not result.kept:
            raise _nothing_left(result)
        return StageResult(
            kept=result.kept,
            dropped={rule: dropped for rule, dropped in result.funnel if dropped},
            facts={
                "funnel": [list(row) for row in result.funnel],
                "shards": {str(number): asdict(facts) for number, facts in result.shards.items()},
            },
        )


def _nothing_left(result: FilterResult) -> SengaError:
    """Return the error of a filter without posts, with what dropped most."""
    posts = ImportMetadata()
    rows = losses_of(posts.stage, "rows", [(posts.manifest(), posts.quarantine)])
    unread = biggest_loss(rows)
    if not result.posts:
        return SengaError(f"No row of the source is a post. {unread}")
    rules = ", ".join(f"{rule} dropped {dropped:,}" for rule, dropped in result.funnel)
    rule, dropped = max(result.funnel, key=lambda row: row[1])
    if unread and unread.count > dropped:
        return SengaError(f"[filter]: no post matches ({rules}), and most rows are none. {unread}")
    if unknown := unknown_tags(posts.posts, config.options(FilterOptions).required_tags):
        return SengaError(
            f"[filter]: no post matches ({rules}). No post of {result.posts:,} has the tag "
            f"{' or '.join(unknown)}. Check how it is spelled in {posts.posts}."
        )
    cause = f"{rule} dropped most of the {result.posts:,} posts, which are in {posts.posts}"
    column = _UNKNOWN.get(rule.partition(" ")[0], "")
    if column and (count := count_unknown(posts.posts, column)):
        cause += f"; {count:,} have no {column} that can be read"
    return SengaError(f"[filter]: no post matches ({rules}). {cause}. Loosen one of these rules.")
