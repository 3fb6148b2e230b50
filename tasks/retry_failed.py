"""The task that retries pictures whose download failed."""

from __future__ import annotations

from collections.abc import Iterator

import luigi

from pipeline import lock, store
from pipeline.collect.download import drop_outcomes
from pipeline.collect.outcome import MEANINGS, is_code
from pipeline.outcome import OK
from sketch_models.errors import SengaError
from tasks.build_dataset import BuildDataset
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.senga_task import SengaTask
from tasks.stage import logger


class RetryFailed(SengaTask):
    """Download pictures again that failed for the given reasons, then build the dataset."""

    codes = luigi.Parameter(
        description="outcome codes, separated by commas: http_404,too_many_bytes"
    )

    def __init__(self, *args: object, **values: object) -> None:
        """Check the configuration before anything runs."""
        super().__init__(*args, **values)
        self._dropped = False

    def requires(self) -> list[luigi.Task]:
        """Return the filtered posts, whose manifest lists the shards."""
        return [FilterPosts()]

    def complete(self) -> bool:
        """Return whether it has run in this process: each call is another try."""
        return self._dropped and BuildDataset().complete()

    def run(self) -> Iterator[BuildDataset]:
        """Drop the outcomes of the given codes, and build."""
        if not self._dropped:
            self._drop_failed()
        yield BuildDataset()

    def _drop_failed(self) -> None:
        """Drop the outcomes of the given codes from every shard, so that its posts are retried."""
        codes = {code.strip() for code in self.codes.split(",")}
        for code in sorted(codes):
            if not is_code(code) or code == OK:
                choices = ", ".join(name for name in MEANINGS if name != OK)
                raise SengaError(
                    f"[RetryFailed] codes = {code}: expected some of http_<status>, {choices}."
                )
        lock.lock_dataset(FilterPosts().dataset.root)
        total = 0
        for shard in FilterPosts().shards():
            task = DownloadShard(shard=shard)
            if not task.outcomes.exists():
                continue
            with store.publish(task.outcomes) as table:
                dropped = drop_outcomes(task.outcomes, codes, table)
            total += dropped
            if dropped:
                task.manifest_path().unlink(missing_ok=True)
        luigi.Task.clear_instance_cache()  # tasks cache that they are complete
        self._dropped = True
        logger.info("%s pictures will be downloaded again", f"{total:,}")
