"""The task that screens the pictures of a shard."""

from __future__ import annotations

from pathlib import Path

from pipeline import store
from pipeline.collect.download import kept_ids
from pipeline.outcome import OK, count_codes
from pipeline.progress import OnProgress
from pipeline.screen.screen import GATES, ScreenOptions, count_color_profiles, screen_shard
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.shards import ShardStage
from tasks.stage import Stage, StageResult


class ScreenShard(ShardStage):
    """Compute picture statistics, and drop what is too small, grey, blank or line art."""

    version = 2
    stage = "screen"
    priority = 25

    def upstream(self) -> list[Stage]:
        """Return the download of the pictures."""
        return [DownloadShard(shard=self.shard)]

    def settings(self) -> dict[str, object]:
        """Return the options of the gates."""
        return config.result_options(ScreenOptions)

    def artefact(self) -> Path:
        """Return the path of a Parquet table: id, code, statistics."""
        return self.dataset.screen(self.settings_hash(), self.shard)

    @property
    def outcomes(self) -> Path:
        """The table of outcomes, which is the artefact itself."""
        return self.artefact()

    def make(self, on_progress: OnProgress) -> StageResult:
        """Compute the statistics that no earlier table has, and apply the gates to all."""
        download = DownloadShard(shard=self.shard)
        ids = kept_ids(FilterPosts().shard_posts(self.shard), download.outcomes)
        with store.publish(self.artefact()) as table:
            outcomes = screen_shard(
                download.artefact(),
                ids,
                table,
                config.options(ScreenOptions),
                previous_tables=self.dataset.screen_tables(self.shard),
                on_progress=on_progress,
            )
        codes = count_codes(outcomes)
        kept = codes.pop(OK, 0)
        return StageResult(
            kept=kept,
            dropped=codes,
            content=store.fingerprint(
                [download.manifest().content, [row.id for row in outcomes if row.code == OK]]
            ),
            facts={
                "gates": [[gate, codes.get(gate, 0)] for gate in GATES],
                "color_profiles": list(count_color_profiles(self.artefact()).items()),
            },
        )
