"""Another chance for pictures that could not be had."""

from __future__ import annotations

from collections.abc import Iterator

import luigi

from pipeline import store
from pipeline.collect.download import forget
from pipeline.collect.outcome import MEANINGS, is_code
from pipeline.outcome import OK
from sketch_models.errors import SengaError
from tasks import config
from tasks.build_dataset import BuildDataset
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.stage import logger


class RetryFailed(luigi.Task):
    """Asks for the pictures again that failed for some reasons, then builds the dataset."""

    codes = luigi.Parameter(
        description="reasons, with commas between them: http_404,too_many_bytes"
    )

    def __init__(self, *args: object, **values: object) -> None:
        """Refuses a configuration that cannot work, before anything runs."""
        super().__init__(*args, **values)
        config.check()
        self._forgotten = False

    def requires(self) -> list[luigi.Task]:
        """The posts: only they say which shards there are."""
        return [FilterPosts()]

    def complete(self) -> bool:
        """Only once it has run: whoever calls it wants another try."""
        return self._forgotten and BuildDataset().complete()

    def run(self) -> Iterator[BuildDataset]:
        """Forgets the outcomes, and builds."""
        if not self._forgotten:
            self._forget()
        yield BuildDataset()

    def _forget(self) -> None:
        codes = {code.strip() for code in self.codes.split(",")}
        for code in sorted(codes):
            if not is_code(code) or code == OK:
                known = ", ".join(name for name in MEANINGS if name != OK)
                raise SengaError(
                    f"[RetryFailed] codes = {code}: expected some of http_<status>, {known}."
                )
        store.lock_dataset(FilterPosts().dataset.root)
        number = 0
        for shard in FilterPosts().shards():
            task = DownloadShard(shard=shard)
            if not task.outcomes.exists():
                continue
            with store.publish(task.outcomes) as table:
                forgotten = forget(task.outcomes, codes, table)
            number += forgotten
            if forgotten:
                task.manifest_path().unlink(missing_ok=True)
        luigi.Task.clear_instance_cache()  # what was ready is not any more
        self._forgotten = True
        logger.info("%s pictures are asked for again", f"{number:,}")
